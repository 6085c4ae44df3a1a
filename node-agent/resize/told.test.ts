import { expect, it } from 'vitest'
import { boundPod, container } from '../testing/builders.ts'
import { reportedResources } from './reported.ts'
import { resizeMessage } from './told.ts'

it('an event names all containers in upstream’s words', () => {
  const side = container('c0', { resources: { requests: { cpu: '100m' }, limits: { cpu: '200m' } } })
  const main = container('c1', { resources: { requests: { memory: '100', cpu: '1' } } })
  const pod = boundPod({ spec: { initContainers: [side], containers: [main, container('c2')] } })
  expect(resizeMessage('Pod resize Deferred', pod, 2, 'no room')).toBe(
    'Pod resize Deferred: {"initContainers":[{"name":"c0","resources":{"limits":{"cpu":"200m"},"requests":{"cpu":"100m"}}}],' +
      '"containers":[{"name":"c1","resources":{"requests":{"cpu":"1","memory":"100"}}},{"name":"c2","resources":{}}],' +
      '"generation":2,"error":"no room"}',
  )
})

it.each([
  [
    'as granted when the kernel agrees',
    { cpuShares: 102, cpuQuota: 20_000, memoryLimitInBytes: 2 ** 26 },
    '100m',
    '200m',
    '64Mi',
  ],
  [
    'as the kernel has it',
    { cpuShares: 1024, cpuQuota: 150_000, memoryLimitInBytes: 3 * 2 ** 30 },
    '1',
    '1500m',
    '3Gi',
  ],
  [
    'as granted where the runtime says nothing',
    { cpuShares: 0, cpuQuota: 0, memoryLimitInBytes: 0 },
    '100m',
    '200m',
    '64Mi',
  ],
])('resources are shown %s', (_, has, request, limit, memory) => {
  const resources = { requests: { cpu: '100m', memory: '32Mi' }, limits: { cpu: '200m', memory: '64Mi' } }
  expect(reportedResources(container('main', { resources }), { cpuPeriod: 100_000, ...has })).toEqual({
    requests: { cpu: request, memory: '32Mi' },
    limits: { cpu: limit, memory },
  })
})

it('amounts below what the kernel can tell apart are shown as granted', () => {
  const resources = { requests: { cpu: '1m' }, limits: { cpu: '5m' } }
  const has = { cpuPeriod: 100_000, cpuShares: 2, cpuQuota: 1000, memoryLimitInBytes: 0 }
  expect(reportedResources(container('main', { resources }), has)).toEqual(resources)
})
