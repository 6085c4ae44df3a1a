import { expect, test } from 'vitest'
import { planRevision, revisionObject, templateOf } from './revisions.ts'

const template = { metadata: { labels: { b: '1', a: '2' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } }
const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'log', namespace: 'default', uid: 'u' } }
const kept = revisionObject(owner, template, 1, 0, 'controller-revision-hash')

test('a template is kept with its keys in order at every level, as clients write it that compare bytes', () => {
  expect(JSON.stringify(kept.data)).toBe(
    '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"2","b":"1"}},"spec":{"containers":[{"image":"v1","name":"c"}]}}}}',
  )
  expect(templateOf(kept)).toEqual(template)
})

test('a template is known again whatever the order of its keys', () => {
  const { spec, metadata } = template
  expect(planRevision({ spec, metadata }, [kept])).toMatchObject({ do: 'nothing' })
})
