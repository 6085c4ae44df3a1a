import { expect, test } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { planDrain } from './plan.ts'

const pod = (name: string, owner: string | undefined, { emptyDir = false, phase = 'Running', mirror = false } = {}) =>
  ({
    metadata: {
      name,
      namespace: 'shop',
      ...(mirror ? { annotations: { 'kubernetes.io/config.mirror': 'x' } } : {}),
      ownerReferences: owner ? [{ kind: owner, name: 'o', uid: 'u', apiVersion: 'v1', controller: true }] : [],
    },
    spec: { containers: [], ...(emptyDir ? { volumes: [{ name: 'v', emptyDir: {} }] } : {}) },
    status: { phase },
  }) as unknown as Live<Pod>

const pods = [
  pod('web', 'ReplicaSet'),
  pod('agent', 'DaemonSet'),
  pod('bare', undefined),
  pod('scratch', 'ReplicaSet', { emptyDir: true }),
  pod('static', 'Node', { mirror: true }),
  pod('done', undefined, { phase: 'Succeeded', emptyDir: true }),
]
const names = (some: readonly Live<Pod>[]) => some.map(({ metadata }) => metadata.name)

test('what would be lost must be allowed first', () => {
  const { evict, refusals } = planDrain(pods, {})
  expect(names(evict)).toEqual(['web', 'done'])
  expect([...refusals.values()].flat()).toEqual(['shop/agent', 'shop/bare', 'shop/scratch'])
})

test('allowed, it is told of; daemon and static pods stay', () => {
  const all = { ignoreDaemonsets: true, deleteEmptydirData: true, force: true }
  const { evict, warnings, refusals } = planDrain(pods, all)
  expect(names(evict)).toEqual(['web', 'bare', 'scratch', 'done'])
  expect(refusals.size).toBe(0)
  expect(Object.fromEntries(warnings)).toEqual({
    'ignoring DaemonSet-managed Pods': ['shop/agent'],
    'deleting Pods that declare no controller': ['shop/bare'],
    'deleting Pods with local storage': ['shop/scratch'],
  })
})
