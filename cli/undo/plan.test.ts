import { describe, expect, test } from 'vitest'
import type { NamedObject } from '../objects.ts'
import type { ObjectVersion } from '../past/versions.ts'
import { planUndo } from './plan.ts'

const object = (revision: number, fields: object = {}, metadata: object = {}): NamedObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', uid: 'u', resourceVersion: String(revision), ...metadata },
  ...fields,
})

const version = (revision: number, more: Partial<ObjectVersion> = {}): ObjectVersion => ({
  revision: String(revision),
  operation: 'updated',
  user: 'ann',
  changes: [{ path: 'spec.replicas', from: 1, to: revision }],
  object: object(revision, { spec: { replicas: revision } }),
  ...more,
})
const status = (revision: number) => version(revision, { changes: [{ path: 'status.replicas', to: 1 }] })
const controller = (revision: number) => version(revision, { user: 'system:kube-controller-manager' })
const created = (revision: number, user = 'ann') => version(revision, { operation: 'created', changes: [], user })
const { object: _, ...deleted } = version(9, { operation: 'deleted', changes: [] })

describe('what undoing comes to', () => {
  test.each([
    ['the change before', [version(3), version(2)], 'update', '2'],
    [
      'past what controllers and status say',
      [status(6), controller(5), version(4), controller(3), created(2)],
      'update',
      '3',
    ],
    ['to what was made', [version(3), created(2)], 'update', '2'],
    ['a deletion', [deleted, version(4), created(2)], 'create', '4'],
  ])('%s', (_name, versions, step, to) => {
    expect(planUndo(versions as ObjectVersion[])).toMatchObject({ step, to: { revision: to } })
  })

  test.each([
    ['of what was only made', [status(3), created(2)], 'created it, at revision 2; delete it'],
    [
      'of what controllers alone wrote',
      [controller(3), created(2, 'system:kube-controller-manager')],
      'no change of anybody',
    ],
    ['of what begins with the change', [version(3)], 'not remembered any more'],
    ['of nothing', [], 'nothing is remembered'],
  ])('refuses undoing %s', (_name, versions, why) => {
    expect(planUndo(versions)).toMatchObject({ step: 'refuse', why: expect.stringContaining(why) })
  })

  test('writes the old wish over the object that stands, and leaves what controllers note', () => {
    const now = object(
      5,
      { spec: { replicas: 5 }, status: { replicas: 5 } },
      {
        generation: 7,
        labels: { a: 'new' },
        annotations: { 'deployment.kubernetes.io/revision': '4', note: 'new' },
      },
    )
    const then = object(
      2,
      { spec: { replicas: 2 }, status: { replicas: 1 } },
      {
        annotations: { 'deployment.kubernetes.io/revision': '1', note: 'old' },
      },
    )
    const plan = planUndo([version(5, { object: now }), version(2, { object: then })])
    expect(plan).toMatchObject({ step: 'update' })
    expect('object' in plan && plan.object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'web',
        uid: 'u',
        resourceVersion: '5',
        generation: 7,
        annotations: { 'deployment.kubernetes.io/revision': '4', note: 'old' },
      },
      spec: { replicas: 2 },
      status: { replicas: 5 },
    })
  })

  test('makes what was deleted again, as an object of its own', () => {
    const was = {
      ...object(4, { spec: { nodeName: 'n1', containers: [] }, status: { phase: 'Running' } }),
      kind: 'Pod',
      metadata: {
        name: 'web',
        namespace: 'x',
        uid: 'u',
        resourceVersion: '4',
        deletionTimestamp: 't',
        ownerReferences: [],
      },
    }
    const plan = planUndo([deleted, version(4, { object: was as unknown as NamedObject })])
    expect('object' in plan && plan.object).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'x' },
      spec: { containers: [] },
    })
  })
})
