import { describe, expect, test } from 'vitest'
import { objectChanges } from './object-changes.ts'

const object = (fields: object, metadata: object = {}) => ({ metadata: { name: 'web', ...metadata }, ...fields })

describe('what changed between two versions of an object', () => {
  test.each([
    ['a value', { spec: { replicas: 3 } }, { spec: { replicas: 5 } }, [{ path: 'spec.replicas', from: 3, to: 5 }]],
    ['a field that came', { spec: {} }, { spec: { paused: true } }, [{ path: 'spec.paused', to: true }]],
    ['a field that went', { data: { 'a.b': 'x' } }, { data: {} }, [{ path: 'data["a.b"]', from: 'x' }]],
    [
      'an item by its name, wherever it stands',
      {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '1' },
        ],
      },
      {
        containers: [
          { name: 'b', image: '2' },
          { name: 'a', image: '1' },
        ],
      },
      [{ path: 'containers[b].image', from: '1', to: '2' }],
    ],
    [
      'an item that came',
      { conditions: [{ type: 'Ready' }] },
      { conditions: [{ type: 'Ready' }, { type: 'New' }] },
      [{ path: 'conditions[New]', to: { type: 'New' } }],
    ],
    [
      'a list of plain values, whole',
      { args: ['a', 'b'] },
      { args: ['b'] },
      [{ path: 'args', from: ['a', 'b'], to: ['b'] }],
    ],
    [
      'an item without a name, by its place',
      { rules: [{ x: 1 }] },
      { rules: [{ x: 2 }] },
      [{ path: 'rules[0].x', from: 1, to: 2 }],
    ],
    ['nothing', { spec: { a: [{ b: 1 }] } }, { spec: { a: [{ b: 1 }] } }, []],
  ])('tells %s', (_name, from, to, changes) => {
    expect(objectChanges(object(from), object(to))).toEqual(changes)
  })

  test('leaves out what every write changes', () => {
    const before = object({}, { resourceVersion: '1', generation: 1, managedFields: [] })
    const after = object(
      {},
      { resourceVersion: '2', generation: 2, managedFields: [{ manager: 'a' }], labels: { a: 'b' } },
    )
    expect(objectChanges(before, after)).toEqual([{ path: 'metadata.labels', to: { a: 'b' } }])
  })
})
