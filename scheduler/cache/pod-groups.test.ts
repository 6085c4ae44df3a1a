import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { node, podInfo } from '../testing/builders.ts'
import { Cache } from './cache.ts'

const zone = 'topology.kubernetes.io/zone'

test('domains are counted as one by one, whatever comes, goes and is labelled anew', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    fc.record({ do: fc.constant('label' as const), node: name, zone: fc.constantFrom('1', '2', undefined) }),
    fc.record({ do: fc.constant('put' as const), pod: fc.nat(4), node: name, app: fc.constantFrom('x', 'y') }),
    fc.record({ do: fc.constant('remove' as const), pod: fc.nat(4) }),
    fc.record({ do: fc.constant('drop' as const), node: name }),
    fc.record({ do: fc.constant('ask' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const cache = new Cache(new FakeClock())
      const zones = new Map<string, string | undefined>()
      const pods = new Map<number, { node: string; app: string }>()
      for (const one of steps) {
        if (one.do === 'label') {
          zones.set(one.node, one.zone)
          cache.setNode(node({ name: one.node, labels: one.zone === undefined ? {} : { [zone]: one.zone } }))
        } else if (one.do === 'put') {
          pods.set(one.pod, one)
          cache.setPod(podInfo({ uid: String(one.pod), node: one.node, labels: { app: one.app } }))
        } else if (one.do === 'remove') {
          pods.delete(one.pod)
          cache.removePod(String(one.pod))
        } else if (one.do === 'drop') {
          zones.delete(one.node)
          cache.removeNode(one.node)
        }
        const counted = new Map<string, number>()
        for (const pod of pods.values()) {
          const domain = zones.get(pod.node)
          if (domain !== undefined) counted.set(`${pod.app} ${domain}`, (counted.get(`${pod.app} ${domain}`) ?? 0) + 1)
        }
        const topology = cache.topologies.of(zone)
        const found = new Map<string, number>()
        for (const group of cache.podGroups.in(undefined)) {
          const counts = group.domains(topology)
          for (const each of cache.nodes) {
            const count = counts.get(topology.of(each))
            if (count > 0) found.set(`${group.pod.labels.app} ${each.labels[zone]}`, count)
          }
          const all = [...counts.counts].filter((count) => count > 0)
          expect([counts.filled, counts.least]).toEqual([all.length, Math.min(Number.POSITIVE_INFINITY, ...all)])
        }
        expect(found).toEqual(counted)
        const domains = new Set([...zones.values()].filter((each) => each !== undefined))
        expect([topology.domains, topology.outside]).toEqual([
          domains.size,
          [...zones.values()].filter((each) => each === undefined).length,
        ])
      }
    }),
  )
})

test('pods are of one group when namespace, labels and terms are the same', () => {
  const cache = new Cache(new FakeClock())
  cache.setNode(node({ name: 'a' }))
  const term = { topologyKey: zone, labelSelector: { matchLabels: { app: 'x' } } }
  const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } }
  const labels = { app: 'x', tier: 'y' }
  const put = (uid: string, parts: object) => cache.setPod(podInfo({ uid, node: 'a', ...parts }))
  put('1', { labels })
  put('2', { labels: { tier: 'y', app: 'x' } })
  put('3', { labels, affinity })
  put('4', { labels, namespace: 'other' })
  expect([...cache.podGroups.in(undefined)].length).toBe(3)
  expect([...cache.podGroups.in(new Set(['other', 'none']))].length).toBe(1)
  expect(cache.podGroups.withRequiredAntiAffinity.size).toBe(1)
  cache.removePod('3')
  expect(cache.podGroups.withRequiredAntiAffinity.size).toBe(0)
})
