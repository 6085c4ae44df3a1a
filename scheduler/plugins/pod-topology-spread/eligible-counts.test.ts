import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../client/testing/fake-clock.ts'
import { Cache } from '../../cache/cache.ts'
import { emptyWorld, node, podInfo } from '../../testing/builders.ts'
import { defaultArgs } from '../args.ts'
import { spreadsOf } from './constraints.ts'
import { EligibleCountsIndex } from './eligible-counts.ts'

const names = ['n1', 'n2', 'n3', 'n4', 'n5']
const step = fc.oneof(
  fc.record({
    do: fc.constant('pod' as const),
    name: fc.constantFrom('p1', 'p2', 'p3', 'p4', 'p5', 'p6'),
    node: fc.constantFrom(...names),
    app: fc.constantFrom('web', 'other'),
    terminating: fc.boolean(),
  }),
  fc.record({ do: fc.constant('remove pod' as const), name: fc.constantFrom('p1', 'p2', 'p3', 'p4') }),
  fc.record({
    do: fc.constant('node' as const),
    name: fc.constantFrom(...names),
    zone: fc.constantFrom('a', 'b', 'c', undefined),
    pool: fc.constantFrom('fast', 'slow'),
  }),
  fc.record({ do: fc.constant('remove node' as const), name: fc.constantFrom(...names) }),
)

const wanted = podInfo({
  name: 'new',
  labels: { app: 'web' },
  nodeSelector: { pool: 'fast' },
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
})
const spreads = spreadsOf(wanted, 'DoNotSchedule', emptyWorld(), defaultArgs.PodTopologySpread)

function kept(index: EligibleCountsIndex, { nodes, topologies }: Cache): [zone: string, pods: number][] {
  const { counts, domains } = index.of(spreads[0] as (typeof spreads)[0], wanted, spreads)
  const numbers = new Set(domains.numbers())
  expect(domains.size).toBe(numbers.size)
  const inside = nodes.filter((node) => domains.has(topologies.of('zone').of(node)))
  const zones = new Map(inside.map((node) => [node.labels.zone ?? '', counts.get(topologies.of('zone').of(node))]))
  expect(zones.size).toBe(numbers.size)
  return [...zones].sort()
}

function looked({ nodes }: Cache): [zone: string, pods: number][] {
  const zones = new Map<string, number>()
  for (const { labels, pods } of nodes) {
    if (labels.pool !== 'fast' || labels.zone === undefined) continue
    const web = pods.filter((pod) => pod.labels.app === 'web' && !pod.terminating).length
    zones.set(labels.zone, (zones.get(labels.zone) ?? 0) + web)
  }
  return [...zones].sort()
}

test('what is kept is what a look at all nodes would count, whatever came and went before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const cache = new Cache(new FakeClock())
      const index = new EligibleCountsIndex(cache)
      for (const step of steps) {
        if (step.do === 'remove pod') cache.removePod(step.name)
        else if (step.do === 'remove node') cache.removeNode(step.name)
        else if (step.do === 'node') {
          const { name, zone, pool } = step
          cache.setNode(node({ name, labels: { pool, ...(zone ? { zone } : {}) } }))
        } else {
          const { name, app, terminating, node } = step
          const metadata = terminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}
          cache.setPod(podInfo({ name, uid: name, labels: { app }, node, metadata }))
        }
        expect(kept(index, cache)).toEqual(looked(cache))
      }
    }),
  )
})
