import { expect, test } from 'vitest'
import { networkPolicies } from '../../../client/resources.ts'
import { MemoryApi } from '../../../client/testing/memory-api.ts'
import { policy } from '../testing/objects.ts'
import { tellUnheld } from './unheld.ts'

test('a policy that nothing keeps says so', async () => {
  const api = new MemoryApi()
  const stop = new AbortController()
  const told: unknown[] = []
  tellUnheld({
    api,
    events: { event: (about, type, reason, message) => void told.push([about, type, reason, message]) },
    nodeName: 'node-1',
    signal: stop.signal,
  })
  await api.create(networkPolicies, policy('shop/closed', 'web', {}))
  await expect.poll(() => told).toHaveLength(1)
  expect(told[0]).toMatchObject([
    { kind: 'NetworkPolicy', namespace: 'shop', name: 'closed' },
    'Warning',
    'NotEnforced',
    expect.stringContaining('do not hold on node node-1: its pods are plain processes'),
  ])
  stop.abort()
})
