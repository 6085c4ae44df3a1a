import { expect, it } from 'vitest'
import { cells, defaulted, faults, testContext } from '../machinery/kind-testing.ts'
import { leases as kind } from './index.ts'

const lease = (spec: object) => ({ metadata: { name: 'l', namespace: 'n' }, spec })

it.each([
  ['an empty one', {}, []],
  [
    'a duration of nothing',
    { leaseDurationSeconds: 0 },
    ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
  ],
  [
    'fewer than no transitions',
    { leaseTransitions: -1 },
    ['spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'an unknown strategy',
    { strategy: 'X' },
    ['spec.strategy.strategy: Unsupported value: "X": supported values: "OldestEmulationVersion"'],
  ],
  ['a strategy of somebody', { strategy: 'example.com/mine', preferredHolder: 'a' }, []],
  [
    'a preference without strategy',
    { preferredHolder: 'a' },
    ['spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined'],
  ],
])('%s', (_, spec, expected) => {
  expect(faults(kind, lease(spec))).toEqual(expected)
})

it('coordinated election is off: its fields are dropped unless they were there', () => {
  const coordinated = { strategy: 'OldestEmulationVersion', preferredHolder: 'a' }
  const created = defaulted(kind, lease(coordinated))
  kind.strategy.prepareForCreate?.(created, testContext)
  expect(created.spec).toEqual({})
  const kept = defaulted(kind, lease(coordinated))
  kind.strategy.prepareForUpdate?.(kept, defaulted(kind, lease(coordinated)), testContext)
  expect(kept.spec).toEqual(coordinated)
})

it('shows the holder', () => {
  expect(cells(kind, lease({ holderIdentity: 'me' }))).toMatchObject({ Name: 'l', Holder: 'me' })
})
