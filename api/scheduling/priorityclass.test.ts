import { expect, it } from 'vitest'
import { defaulted, faults, testContext } from '../machinery/kind-testing.ts'
import { priorityClasses as kind, systemPriorityClasses } from './index.ts'

const priority = (more: object = {}) => ({ metadata: { name: 'high' }, value: 10, ...more })

it.each([
  ['a sound one', priority(), []],
  ['the largest', priority({ value: 1_000_000_000 }), []],
  [
    'one too large',
    priority({ value: 1_000_000_001 }),
    ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  [
    'an unknown policy',
    priority({ preemptionPolicy: 'X' }),
    ['preemptionPolicy: Unsupported value: "X": supported values: "PreemptLowerPriority", "Never"'],
  ],
  [
    'a name of the system',
    priority({ metadata: { name: 'system-x' } }),
    [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: system-x is not a known system priority class",
    ],
  ],
  [
    'a class of the system with another value',
    priority({ metadata: { name: 'system-node-critical' } }),
    [
      "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: value of system-node-critical PriorityClass must be 2000001000",
    ],
  ],
])('%s', (_, object, expected) => {
  expect(faults(kind, object)).toEqual(expected)
})

it('the classes of the system are sound', () => {
  for (const object of systemPriorityClasses) {
    expect(faults(kind, object)).toEqual([])
    expect(defaulted(kind, object)).toEqual(object)
  }
})

it('neither value nor policy may change', () => {
  expect(faults(kind, priority({ value: 11, preemptionPolicy: 'Never' }), priority())).toEqual([
    'value: Forbidden: may not be changed in an update.',
    'preemptionPolicy: Invalid value: "Never": field is immutable',
  ])
})

it('the generation is 1', () => {
  const object = defaulted(kind, priority())
  kind.strategy.prepareForCreate?.(object, testContext)
  expect(object.metadata.generation).toBe(1)
})
