import { describe, expect, it } from 'vitest'
import { cells, faults, statusFaults } from '../machinery/kind-testing.ts'
import { podDisruptionBudgets as kind, validateEviction } from './index.ts'

const budget = (spec: object, status?: object) => ({
  metadata: { name: 'b', namespace: 'n' },
  spec,
  ...(status ? { status } : {}),
})

describe('disruption budgets', () => {
  it.each([
    ['a count', { minAvailable: 1 }, []],
    ['a percentage', { maxUnavailable: '50%' }, []],
    [
      'both bounds',
      { minAvailable: 1, maxUnavailable: 1 },
      [
        'spec: Invalid value: {"minAvailable":1,"maxUnavailable":1}: minAvailable and maxUnavailable cannot be both set',
      ],
    ],
    [
      'a negative count',
      { minAvailable: -1 },
      ['spec.minAvailable: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'more than everything',
      { minAvailable: '101%' },
      ['spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
    ],
    [
      'an unknown policy',
      { unhealthyPodEvictionPolicy: 'X' },
      ['spec.unhealthyPodEvictionPolicy: Unsupported value: "X": supported values: "AlwaysAllow", "IfHealthyBudget"'],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(kind, budget(spec))).toEqual(expected)
  })

  it('may keep a selector that got in before it was checked', () => {
    const bad = budget({ selector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] } })
    expect(faults(kind, bad).length).toBe(1)
    expect(faults(kind, bad, bad)).toEqual([])
  })

  it('count nothing below zero', () => {
    const status = { currentHealthy: -1, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
    expect(statusFaults(kind, budget({}, status), budget({}))).toEqual([
      'status.currentHealthy: Invalid value: -1: must be greater than or equal to 0',
    ])
  })

  it('check their conditions', () => {
    const condition = {
      type: 'DisruptionAllowed',
      status: 'Maybe',
      reason: '1',
      lastTransitionTime: '2024-01-02T03:04:05Z',
    }
    expect(
      statusFaults(kind, budget({}, { conditions: [condition, condition] }), budget({})).map((f) => f.slice(0, 60)),
    ).toEqual([
      'status.conditions[0].status: Unsupported value: "Maybe": sup',
      'status.conditions[0].reason: Invalid value: "1": a condition',
      'status.conditions[1].type: Duplicate value: "DisruptionAllow',
      'status.conditions[1].status: Unsupported value: "Maybe": sup',
      'status.conditions[1].reason: Invalid value: "1": a condition',
    ])
  })

  it('show both bounds', () => {
    expect(cells(kind, budget({ minAvailable: '50%' }))).toMatchObject({
      'Min Available': '50%',
      'Max Unavailable': 'N/A',
      'Allowed Disruptions': 0,
    })
  })
})

it('an eviction cannot break the store', () => {
  expect(
    validateEviction({ metadata: {}, deleteOptions: { ignoreStoreReadErrorWithClusterBreakingPotential: true } }),
  ).toHaveLength(1)
  expect(validateEviction({ metadata: {} })).toEqual([])
})
