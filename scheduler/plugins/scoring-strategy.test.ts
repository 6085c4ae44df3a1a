import { expect, test } from 'vitest'
import type { Cache } from '../cache/cache.ts'
import type { PodParts } from '../testing/builders.ts'
import { tryPlugin } from '../testing/try-plugin.ts'
import { defaultArgs, type PluginArgs, type ScoringStrategy } from './args.ts'
import { newNodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { newNodeResourcesFit } from './node-resources-fit.ts'

const gpu = 'example.com/gpu'
const cpuAndMemory = defaultArgs.NodeResourcesFit.scoringStrategy.resources
const makeFit = (args: Partial<PluginArgs['NodeResourcesFit']>) => (cache: Cache) =>
  newNodeResourcesFit(cache.columns, { ...defaultArgs.NodeResourcesFit, ...args })
const scoreOf = (scoringStrategy: ScoringStrategy, parts: PodParts) => {
  const nodes = [{ name: 'a', cpu: '10', memory: '10Gi', allocatable: { [gpu]: '4' } }]
  const pods = [{ node: 'a', cpu: '2', memory: '2Gi' }]
  return tryPlugin(makeFit({ scoringStrategy }), { nodes, pods }).scores(parts).a
}
const asked: PodParts = { cpu: '3', memory: '1Gi' }
const packing = (score: number, ...resources: ScoringStrategy['resources']): ScoringStrategy => ({
  type: 'RequestedToCapacityRatio',
  resources: resources.length > 0 ? resources : cpuAndMemory,
  requestedToCapacityRatio: {
    shape: [
      { utilization: 0, score: 0 },
      { utilization: 100, score },
    ],
  },
})

test.each<[what: string, strategy: ScoringStrategy, parts: PodParts, score: number]>([
  ['least allocated, spelled out or not', { type: 'LeastAllocated', resources: [...cpuAndMemory] }, asked, 60],
  ['most allocated', { type: 'MostAllocated', resources: cpuAndMemory }, asked, 40],
  [
    'most allocated, cpu threefold',
    {
      type: 'MostAllocated',
      resources: [
        { name: 'cpu', weight: 3 },
        { name: 'memory', weight: 1 },
      ],
    },
    asked,
    45,
  ],
  ['along a line', packing(10), asked, 40],
  ['along a line that is less steep', packing(5), asked, 20],
  [
    'a resource that scores nothing counts for nothing',
    packing(10, { name: 'cpu', weight: 1 }, { name: 'ephemeral-storage', weight: 9 }),
    asked,
    50,
  ],
  [
    'an extended resource counts for those who ask for it',
    packing(10, { name: gpu, weight: 1 }),
    { requests: { [gpu]: '3' } },
    75,
  ],
  ['and for nobody else', packing(10, { name: gpu, weight: 1 }), asked, 0],
])('%s', (_what, strategy, parts, score) => {
  expect(scoreOf(strategy, parts)).toBe(score)
})

test('resources that are ignored keep nobody off', () => {
  const parts = { requests: { [gpu]: '9', 'example.com/fpga': '1', 'other.com/disk': '1' } }
  const verdict = (args: Partial<PluginArgs['NodeResourcesFit']>) =>
    tryPlugin(makeFit(args), { nodes: [{ name: 'a' }] }).verdicts(parts)
  expect(verdict({ ignoredResourceGroups: ['example.com'] })).toEqual({ a: 'Insufficient other.com/disk' })
  expect(verdict({ ignoredResources: ['other.com/disk', gpu] })).toEqual({ a: 'Insufficient example.com/fpga' })
})

test('balance over three resources is by their standard deviation', () => {
  const resources = ['cpu', 'memory', gpu].map((name) => ({ name, weight: 1 }))
  const make = (cache: Cache) => newNodeResourcesBalancedAllocation(cache.columns, { resources })
  const nodes = [{ name: 'a', cpu: '10', memory: '10Gi', allocatable: { [gpu]: '10' } }]
  const parts = { cpu: '6', memory: '3Gi', requests: { [gpu]: '0' } }
  const { a } = tryPlugin(make, { nodes }).scores({ ...parts, requests: { [gpu]: '3' } })
  // 0.6, 0.3 and 0.3: a deviation of 0.1414 and so a score of 85, 15 below that of the empty node.
  expect(a).toBe(50 + Math.trunc((50 + 85 - 100) / 2))
})
