import { describe, expect, it } from 'vitest'
import type { ManagedFieldsEntry } from '../../api/generated/types.ts'
import { parentManagedFields, scaleManagedFields } from './scale-ownership.ts'

const replicas = { 'f:spec': { 'f:replicas': {} } }
const both = { 'f:spec': { 'f:replicas': {}, 'f:selector': {} } }
const selector = { 'f:spec': { 'f:selector': {} } }
const entry = (manager: string, operation: string, apiVersion: string, fieldsV1: object, subresource?: string) =>
  ({
    manager,
    operation,
    apiVersion,
    fieldsType: 'FieldsV1',
    fieldsV1,
    ...(subresource ? { subresource } : {}),
  }) as ManagedFieldsEntry
const path = (apiVersion: string) =>
  apiVersion === 'apps/v1' ? 'spec.replicas' : apiVersion === 'plain/v1' ? null : undefined

describe('the scale of an object', () => {
  it('is owned by whoever owns the replicas', () => {
    const parent = [
      entry('a', 'Apply', 'apps/v1', selector),
      { ...entry('b', 'Apply', 'apps/v1', replicas), time: '2030-01-01T00:00:00Z' },
      entry('c', 'Update', 'apps/v1', both, 'scale'),
      entry('d', 'Apply', 'apps/v9', replicas),
      entry('e', 'Apply', 'plain/v1', replicas),
    ]
    expect(scaleManagedFields(parent, path)).toEqual([
      { ...entry('b', 'Apply', 'autoscaling/v1', replicas), time: '2030-01-01T00:00:00Z' },
      entry('c', 'Update', 'autoscaling/v1', replicas, 'scale'),
    ])
    expect(scaleManagedFields(undefined, path)).toBeUndefined()
  })

  it.each<[string, ManagedFieldsEntry[], ManagedFieldsEntry[], ManagedFieldsEntry[] | undefined]>([
    [
      'takes the replicas from another manager',
      [entry('test', 'Apply', 'apps/v1', both)],
      [entry('scale', 'Update', 'autoscaling/v1', replicas, 'scale')],
      [entry('test', 'Apply', 'apps/v1', selector), entry('scale', 'Update', 'apps/v1', replicas, 'scale')],
    ],
    [
      'takes them from the same manager',
      [entry('test', 'Update', 'apps/v1', both)],
      [entry('test', 'Update', 'autoscaling/v1', replicas, 'scale')],
      [entry('test', 'Update', 'apps/v1', selector), entry('test', 'Update', 'apps/v1', replicas, 'scale')],
    ],
    [
      'takes all that a manager had',
      [entry('test', 'Apply', 'apps/v1', replicas)],
      [entry('scale', 'Update', 'autoscaling/v1', replicas, 'scale')],
      [entry('scale', 'Update', 'apps/v1', replicas, 'scale')],
    ],
    [
      'shares them',
      [entry('test', 'Apply', 'apps/v1', both)],
      [entry('test', 'Apply', 'autoscaling/v1', replicas), entry('test', 'Apply', 'autoscaling/v1', replicas, 'scale')],
      [entry('test', 'Apply', 'apps/v1', both), entry('test', 'Apply', 'apps/v1', replicas, 'scale')],
    ],
    [
      'owns nothing but them',
      [entry('test', 'Apply', 'apps/v1', selector)],
      [entry('scale', 'Update', 'autoscaling/v1', { 'f:status': { 'f:replicas': {} } }, 'scale')],
      [entry('test', 'Apply', 'apps/v1', selector)],
    ],
    [
      'drops owners of unknown versions',
      [entry('test', 'Apply', 'apps/v1', replicas), entry('other', 'Apply', 'apps/v9', selector)],
      [entry('scale', 'Update', 'autoscaling/v1', replicas)],
      [entry('scale', 'Update', 'apps/v1', replicas)],
    ],
    ['leaves nobody', [entry('test', 'Apply', 'apps/v1', replicas)], [], undefined],
  ])('when written %s', (_, parent, scale, expected) => {
    expect(parentManagedFields(parent, scale, 'apps/v1', path)).toEqual(expected)
  })
})
