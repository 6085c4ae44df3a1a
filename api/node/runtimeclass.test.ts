import { expect, it } from 'vitest'
import { faults } from '../machinery/kind-testing.ts'
import { runtimeClasses as kind, nodeSelectorWarnings } from './index.ts'

const runtimeClass = (more: object = {}) => ({ metadata: { name: 'r' }, handler: 'runc', ...more })
const toleration = { key: 'a', operator: 'Exists' }

it.each([
  ['a sound one', runtimeClass(), []],
  ['overhead', runtimeClass({ overhead: { podFixed: { cpu: '100m', memory: '64Mi' } } }), []],
  ['no handler', runtimeClass({ handler: '' }), ['handler: Required value']],
  [
    'a toleration twice',
    runtimeClass({ scheduling: { tolerations: [toleration, toleration] } }),
    ['scheduling.tolerations[1]: Duplicate value: {"key":"a","operator":"Exists"}'],
  ],
  [
    'overhead of something odd',
    runtimeClass({ overhead: { podFixed: { bananas: '1' } } }),
    [
      'overhead.limits[bananas]: Invalid value: "bananas": must be a standard resource type or fully qualified',
      'overhead.limits[bananas]: Invalid value: "bananas": must be a standard resource for containers',
    ],
  ],
])('%s', (_, object, expected) => {
  expect(faults(kind, object)).toEqual(expected)
})

it('the handler stays', () => {
  expect(faults(kind, runtimeClass({ handler: 'kata' }), runtimeClass())).toEqual([
    'handler: Invalid value: "kata": field is immutable',
  ])
})

it('deprecated labels get a warning', () => {
  const label = 'node-role.kubernetes.io/master'
  expect(kind.warnings?.(runtimeClass({ scheduling: { nodeSelector: { [label]: '' } } }), undefined)).toEqual([
    'scheduling.nodeSelector: use "node-role.kubernetes.io/control-plane" instead',
  ])
  const selector = { matchLabels: { [label]: '' }, matchExpressions: [{ key: label, operator: 'Exists' }] }
  expect(nodeSelectorWarnings(selector, 'nodeTopology')).toEqual([
    `nodeTopology.matchExpressions[0].key: ${label} is use "node-role.kubernetes.io/control-plane" instead`,
    `nodeTopology.matchLabels.${label}: use "node-role.kubernetes.io/control-plane" instead`,
  ])
})
