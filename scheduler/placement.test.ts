import { describe, expect, test } from 'vitest'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { Cache } from './cache/cache.ts'
import { CycleState } from './framework/cycle-state.ts'
import { Framework } from './framework/framework.ts'
import type { Plugin } from './framework/plugin.ts'
import { refusal } from './framework/refusal.ts'
import { feasibleNodesToFind, fitErrorOf, NoNodesError, Placement } from './placement.ts'
import { nodePorts } from './plugins/node-ports.ts'
import { newNodeResourcesFit } from './plugins/node-resources-fit.ts'
import { Nominations } from './queue/nominations.ts'
import { node, type PodParts, podInfo } from './testing/builders.ts'

function scene(names: readonly string[], plugins: readonly Plugin[], random?: () => number) {
  const cache = new Cache(new FakeClock())
  for (const name of names) cache.setNode(node({ name, cpu: '1' }))
  const nominations = new Nominations()
  const all = [...plugins, newNodeResourcesFit(cache.columns), nodePorts]
  const framework = new Framework(
    all.map((plugin) => ({ plugin, weight: 1 })),
    nominations,
  )
  const placement = new Placement(framework, cache, random)
  const place = (parts: PodParts = {}) => placement.place(new CycleState(), podInfo(parts))
  const outcome = (parts?: PodParts) => {
    const placed = place(parts)
    return 'misfit' in placed ? fitErrorOf(placed.misfit, cache.nodes.length).message : placed.nodeName
  }
  return { cache, nominations, place, outcome }
}

const only = (name: string, ...nodes: string[]): Plugin => ({ name, preFilter: () => ({ nodes: new Set(nodes) }) })
const likes = (scores: Record<string, number>): Plugin => ({
  name: 'Likes',
  score: (_state, _pod, { name }) => scores[name] ?? 0,
})

test.each([
  [1, 1],
  [99, 99],
  [100, 100],
  [200, 100],
  [1000, 420],
  [5000, 500],
  [20_000, 1000],
])('of %d nodes, %d that would do are enough to choose from', (nodes, enough) => {
  expect(feasibleNodesToFind(nodes)).toBe(enough)
})

test('another part of them is enough where somebody says so, but never fewer than a hundred', () => {
  expect(feasibleNodesToFind(5000, 50)).toBe(2500)
  expect(feasibleNodesToFind(5000, 1)).toBe(100)
  expect(feasibleNodesToFind(50, 10)).toBe(50)
})

test('the node with the highest score is chosen', () => {
  expect(scene(['a', 'b', 'c'], [likes({ b: 1000 })]).outcome()).toBe('b')
})

test('among equals, each has the same chance', () => {
  const chosen = new Map<string, number>()
  for (let i = 0; i < 300; i++) {
    const name = scene(['a', 'b', 'c'], []).outcome()
    chosen.set(name, (chosen.get(name) ?? 0) + 1)
  }
  for (const name of ['a', 'b', 'c']) expect(chosen.get(name)).toBeGreaterThan(50)
})

test('the next search begins where the last one ended', () => {
  const names = Array.from({ length: 300 }, (_, i) => `n${i}`)
  const looked: string[] = []
  const watching: Plugin = {
    name: 'Watching',
    filter(_state, _pod, { name }) {
      looked.push(name)
      return undefined
    },
  }
  const { place } = scene(names, [watching])
  for (let i = 0; i < 3; i++) place()
  // 48% of 300 nodes a search.
  expect(looked).toHaveLength(3 * 144)
  expect(new Set(looked).size).toBe(300)
})

describe('a plugin that names the only nodes', () => {
  test('has no others looked at', () => {
    expect(scene(['a', 'b'], [only('P', 'b')]).outcome()).toBe('b')
  })

  test('is named where those will not do', () => {
    const { outcome } = scene(['a', 'b', 'c'], [only('P', 'b')])
    expect(outcome({ cpu: '2' })).toBe(
      "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) [P].",
    )
  })

  test('may agree with another on none', () => {
    const { outcome } = scene(['a', 'b'], [only('Q', 'a'), only('P', 'b')])
    expect(outcome()).toBe("0/2 nodes are available: node(s) didn't satisfy plugin(s) [P Q] simultaneously.")
  })

  test('may name none', () => {
    expect(scene(['a'], [only('P')]).outcome()).toBe("0/1 nodes are available: node(s) didn't satisfy plugin P.")
  })
})

test('a plugin that refuses the pod as a whole is heard at once', () => {
  const no: Plugin = { name: 'No', preFilter: () => refusal('No', 'UnschedulableAndUnresolvable', 'not today') }
  const { place, outcome } = scene(['a'], [no])
  expect(outcome()).toBe('0/1 nodes are available: not today.')
  const placed = place()
  expect('misfit' in placed && [...placed.misfit.rejectors]).toEqual(['No'])
})

test('without nodes there is nothing to choose', () => {
  expect(() => scene([], []).place()).toThrow(NoNodesError)
})

describe('a node that is promised', () => {
  test('is taken by the pod it is promised to, better ones or not', () => {
    const { outcome } = scene(['a', 'b'], [likes({ b: 1000 })])
    expect(outcome({ status: { nominatedNodeName: 'a' } })).toBe('a')
  })

  test('is not full for others only as long as the promise leaves room', () => {
    const { nominations, outcome, cache } = scene(['a'], [])
    nominations.set(podInfo({ name: 'promised', uid: 'promised', cpu: '600m', priority: 5 }), 'a')
    expect(outcome({ cpu: '500m', priority: 5 })).toBe('0/1 nodes are available: 1 Insufficient cpu.')
    expect(outcome({ cpu: '300m', priority: 5 })).toBe('a')
    expect(outcome({ cpu: '500m', priority: 6 })).toBe('a')
    expect(cache.nodes[0]?.pods).toEqual([])
    expect(cache.columns.cpu.requested[cache.nodes[0]?.row ?? 0]).toBe(0)
  })
})
