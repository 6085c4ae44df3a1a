import { describe, expect, it } from 'vitest'
import { isOwnedBy, parseOwner } from './owners.ts'

const owned = (owner: string, kind: string, name: string, labels: Record<string, string> = {}) =>
  isOwnedBy({ owners: [{ kind, name }], labels }, parseOwner(owner))

describe('a pod belongs', () => {
  it.each([
    ['ReplicaSet/web-5d', 'ReplicaSet', 'web-5d', {}, true],
    ['statefulset/db', 'StatefulSet', 'db', {}, true],
    ['StatefulSet/db', 'StatefulSet', 'db2', {}, false],
    ['Deployment/web', 'ReplicaSet', 'web-5d', { 'pod-template-hash': '5d' }, true],
    ['Deployment/web', 'ReplicaSet', 'web-api-5d', { 'pod-template-hash': '5d' }, false],
    ['Deployment/web', 'StatefulSet', 'web', {}, false],
    ['CronJob/tick', 'Job', 'tick-29384756', {}, true],
    ['CronJob/tick', 'Job', 'tick-tock-29384756', {}, false],
    ['CronJob/tick', 'Job', 'tock-29384756', {}, false],
  ])('to %s when its owner is %s %s: %s', (owner, kind, name, labels, belongs) => {
    expect(owned(owner, kind, name, labels as Record<string, string>)).toBe(belongs)
  })

  it.each(['web', 'Deployment/', '/web', 'a/b/c'])('to none called %j', (owner) => {
    expect(() => parseOwner(owner)).toThrow('must be KIND/NAME')
  })
})
