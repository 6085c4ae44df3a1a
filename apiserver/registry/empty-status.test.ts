import { expect, it } from 'vitest'
import { builtinKinds } from '../../api/registry.ts'
import { emptyStatusOf } from './empty-status.ts'

const kindNamed = (plural: string) => builtinKinds.find((kind) => kind.plural === plural) as (typeof builtinKinds)[0]

it.each([
  ['deployments', {}],
  ['replicasets', { replicas: 0 }],
  ['statefulsets', { replicas: 0, availableReplicas: 0 }],
  ['daemonsets', { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }],
  ['poddisruptionbudgets', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }],
  ['ingresses', { loadBalancer: {} }],
  ['configmaps', undefined],
])('new %s begin with the status that upstream shows of them', (plural, status) => {
  expect(emptyStatusOf(kindNamed(plural))).toEqual(status)
})
