import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { ObservedContainer, ObservedPod } from '../pods/observed.ts'
import type { BoundPod } from '../pods/types.ts'
import { Probes } from './manager.ts'

let clock: FakeClock
let asked: string[]
let told: string[]
let well: boolean
let probes: Probes

beforeEach(() => {
  clock = new FakeClock()
  asked = []
  told = []
  well = true
  probes = new Probes({
    clock,
    async check(probe) {
      asked.push(String(probe.httpGet?.path))
      return well ? { verdict: 'success', output: '' } : { verdict: 'failure', output: 'refused' }
    },
    changed: () => undefined,
    unhealthy: (_pod, _slot, _reason, message) => told.push(message),
  })
})
afterEach(() => probes.stop())

const get = (path: string) => ({ httpGet: { path, port: 80 }, periodSeconds: 1, failureThreshold: 1 })
const pod: BoundPod = {
  metadata: { name: 'web', namespace: 'default', uid: 'u1' },
  spec: { containers: [{ name: 'c', livenessProbe: get('alive'), readinessProbe: get('ready') }] },
}
const observed = {
  uid: 'u1',
  name: 'web',
  namespace: 'default',
  sandboxes: [{ id: 's', attempt: 0, ready: true, createdAt: 0, ips: ['192.0.2.1'], hostNetwork: false }],
  containers: [{ id: 'c1', name: 'c', sandboxId: 's', state: 'running', startedAt: 0 } as ObservedContainer],
} as ObservedPod

test('a pod that ends is still asked whether it is ready, and no longer whether it lives', async () => {
  probes.follow(pod, observed)
  await clock.advance(3000)
  expect(new Set(asked)).toEqual(new Set(['alive', 'ready']))
  probes.quiet('u1')
  well = false
  asked.length = 0
  probes.follow(pod, observed)
  await clock.advance(3000)
  expect(new Set(asked)).toEqual(new Set(['ready']))
  expect(new Set(told)).toEqual(new Set(['Readiness probe failed: refused']))
  expect([probes.liveness('c1'), probes.readiness('c1')]).toEqual(['success', 'failure'])
  probes.forget('u1')
  asked.length = 0
  await clock.advance(3000)
  expect(asked).toEqual([])
})
