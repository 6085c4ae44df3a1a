import { describe, expect, test } from 'vitest'
import type { PodDisruptionBudget } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import { type PodParts, podInfo } from '../../testing/builders.ts'
import { tryPlugin } from '../../testing/try-plugin.ts'
import { newNodeResourcesFit } from '../node-resources-fit.ts'
import { bestCandidate, type Candidate, selectVictims } from './victims.ts'

const makeFit = (cache: Cache) => newNodeResourcesFit(cache.columns)

function victimsOf(pods: PodParts[], wanted: PodParts, budgets: Live<PodDisruptionBudget>[] = []) {
  const { framework, cache } = tryPlugin(makeFit, {
    nodes: [{ name: 'a', cpu: '10' }],
    pods: pods.map((parts, i) => ({ name: `p${i}`, node: 'a', cpu: '3', ...parts })),
  })
  const [node] = cache.nodes
  if (!node) throw new Error('the scene lacks its node')
  const pod = podInfo({ name: 'new', priority: 100, ...wanted })
  const state = new CycleState()
  framework.preFilter(state, pod, cache.nodes)
  const outcome = selectVictims(framework, state, pod, node, budgets)
  expect(node.pods).toHaveLength(pods.length)
  return 'code' in outcome ? outcome.reasons.join() : outcome.victims.map(({ name }) => name)
}

const started = (startTime: string) => ({ status: { startTime } })

describe('the victims on a node', () => {
  test.each<[string, PodParts[], PodParts, string[] | string]>([
    ['are as few as will do', [{}, {}, {}], { cpu: '4' }, ['p2']],
    ['are those of the lowest priority', [{ priority: 1 }, { priority: 3 }, { priority: 2 }], { cpu: '4' }, ['p0']],
    [
      'are those that started last',
      [started('2026-01-02T00:00:00Z'), started('2026-01-03T00:00:00Z'), started('2026-01-01T00:00:00Z')],
      { cpu: '4' },
      ['p1'],
    ],
    [
      'are several where one is not enough',
      [{ priority: 1 }, { priority: 3 }, { priority: 2 }],
      { cpu: '7' },
      ['p2', 'p0'],
    ],
    [
      'are nobody of the same priority',
      [{ priority: 100 }, { priority: 100 }, { priority: 100 }],
      { cpu: '4' },
      'No preemption victims found for incoming pod',
    ],
    [
      'are nobody where even all would not do',
      [{ priority: 1 }, { priority: 100, cpu: '6' }],
      { cpu: '5' },
      'Insufficient cpu',
    ],
  ])('%s', (_what, pods, wanted, expected) => {
    expect(victimsOf(pods, wanted)).toEqual(expected)
  })

  const budget = (disruptionsAllowed: number): Live<PodDisruptionBudget> => ({
    metadata: { name: 'b', namespace: 'default' },
    spec: { selector: { matchLabels: { app: 'kept' } } },
    status: { disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
  })
  const kept: PodParts = { priority: 1, labels: { app: 'kept' } }

  test('are not those that a used-up budget speaks for, if others will do', () => {
    const pods = [kept, { priority: 5 }, { priority: 6 }]
    expect(victimsOf(pods, { cpu: '4' }, [budget(0)])).toEqual(['p1'])
    expect(victimsOf(pods, { cpu: '4' }, [budget(1)])).toEqual(['p0'])
  })

  test('are those after all where nobody else will do', () => {
    expect(victimsOf([kept, kept, kept], { cpu: '4' }, [budget(0)])).toHaveLength(1)
  })
})

describe('the best of several nodes', () => {
  const candidate = (
    name: string,
    priorities: number[],
    more: { violations?: number; startTime?: string } = {},
  ): Candidate => ({
    node: { name } as NodeInfo,
    victims: priorities.map((priority, i) =>
      podInfo({ name: `${name}${i}`, priority, ...started(more.startTime ?? '2026-01-01T00:00:00Z') }),
    ),
    violations: more.violations ?? 0,
  })

  test.each<[string, Candidate[], string]>([
    ['violates the fewest budgets', [candidate('a', [1], { violations: 1 }), candidate('b', [9, 9])], 'b'],
    ['has the lowest highest priority', [candidate('a', [5]), candidate('b', [4, 4, 4])], 'b'],
    ['then the lowest sum of priorities', [candidate('a', [5, 4]), candidate('b', [5, 1])], 'b'],
    ['then the fewest victims', [candidate('a', [-1, -1]), candidate('b', [-1])], 'b'],
    ['then the latest start', [candidate('a', [1]), candidate('b', [1], { startTime: '2026-02-01T00:00:00Z' })], 'b'],
    ['then comes first', [candidate('a', [1]), candidate('b', [1])], 'a'],
  ])('%s', (_what, candidates, expected) => {
    expect(bestCandidate(candidates)?.node.name).toBe(expected)
  })
})
