import { expect, test } from 'vitest'
import { nodes, pods } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { type NodeParts, node, type PodParts, pod } from '../../scheduler/testing/builders.ts'
import { Simulation } from '../plan/simulation.ts'
import { type Limits, planMoves, usedPart } from './moves.ts'
import { movesTable } from './rebalance.ts'

const owned = (kind = 'ReplicaSet', annotations?: Record<string, string>): NonNullable<PodParts['metadata']> => ({
  ownerReferences: [{ apiVersion: 'apps/v1', kind, name: 'web', uid: 'web', controller: true }],
  ...(annotations ? { annotations } : {}),
})
const web = (name: string, on: string, cpu: string, more: PodParts = {}): PodParts => ({
  name,
  node: on,
  cpu,
  labels: { app: 'web' },
  metadata: owned(),
  ...more,
})

async function moves(all: readonly NodeParts[], standing: readonly PodParts[], limits: Partial<Limits> = {}) {
  const api = new MemoryApi()
  for (const each of all) await api.create(nodes, node(each))
  for (const each of standing) await api.create(pods, pod(each))
  const simulation = await Simulation.of(api)
  const planned = planMoves(simulation, { hot: 0.8, mostMoves: 20, ...limits })
  const parts = simulation.cache.nodes.map((each) => `${each.name} ${usedPart(simulation, each).part}`)
  return {
    planned,
    moved: planned.map(({ pod: { name }, from, to }) => `${name}: ${from} to ${to}`),
    parts: parts.sort(),
  }
}

const pair = [
  { name: 'a', cpu: '10' },
  { name: 'b', cpu: '10' },
]

test('a hot node is relieved until it is hot no longer', async () => {
  const standing = [web('one', 'a', '3'), web('two', 'a', '3'), web('three', 'a', '3'), web('four', 'b', '1')]
  const { planned, moved, parts } = await moves(pair, standing)
  expect(moved).toEqual(['one: a to b'])
  expect(parts).toEqual(['a 0.6', 'b 0.4'])
  expect(movesTable(planned, 80)).toBe(
    `POD           FROM   TO    WHY\ndefault/one   a      b     90% of the node's cpu is asked for, 60% without it\n`,
  )
})

test('the least important pods move first', async () => {
  const standing = [web('dear', 'a', '5', { priority: 10 }), web('cheap', 'a', '4')]
  expect((await moves(pair, standing)).moved).toEqual(['cheap: a to b'])
})

test.each<[what: string, standing: PodParts[], limits?: Partial<Limits>]>([
  ['where no other node would be cooler', [web('one', 'a', '9'), web('two', 'b', '1')]],
  ['by pods that nobody would replace', [web('one', 'a', '9', { metadata: {} })]],
  ['by pods of daemon sets', [web('one', 'a', '9', { metadata: owned('DaemonSet') })]],
  ['by pods of the system', [web('one', 'a', '9', { priority: 2_000_000_000 })]],
  [
    'by pods of the node itself',
    [web('one', 'a', '9', { metadata: owned('ReplicaSet', { 'kubernetes.io/config.mirror': 'x' }) })],
  ],
  ['by pods with paths of the host', [web('one', 'a', '9', { volumes: [{ name: 'v', hostPath: { path: '/' } }] })]],
  ['by pods of other namespaces than asked for', [web('one', 'a', '5'), web('two', 'a', '4')], { namespace: 'other' }],
  ['where nodes are allowed to be that hot', [web('one', 'a', '5'), web('two', 'a', '4')], { hot: 0.95 }],
])('a hot node is not relieved %s', async (_what, standing, limits) => {
  expect((await moves(pair, standing, limits)).moved).toEqual([])
})

const spread = (maxSkew = 1, whenUnsatisfiable = 'ScheduleAnyway'): PodParts => ({
  topologySpreadConstraints: [
    {
      maxSkew,
      whenUnsatisfiable,
      topologyKey: 'kubernetes.io/hostname',
      labelSelector: { matchLabels: { app: 'web' } },
    },
  ],
})

test.each(['ScheduleAnyway', 'DoNotSchedule'])('a broken spread (%s) is mended', async (whenUnsatisfiable) => {
  const standing = ['1', '2', '3', '4'].map((name) => web(name, 'a', '100m', spread(1, whenUnsatisfiable)))
  const { planned, moved } = await moves(pair, standing)
  expect(moved).toEqual(['1: a to b', '2: a to b'])
  expect(planned[0]?.why).toBe('kubernetes.io/hostname: 4 like it in a, 0 where there are fewest (maxSkew 1)')
})

test('a spread that holds is left alone, and no more is moved than asked for', async () => {
  const standing = ['1', '2', '3', '4'].map((name) => web(name, 'a', '100m', spread(4)))
  expect((await moves(pair, standing)).moved).toEqual([])
  const broken = ['1', '2', '3', '4'].map((name) => web(name, 'a', '100m', spread(1)))
  expect((await moves(pair, broken, { mostMoves: 1 })).moved).toHaveLength(1)
})
