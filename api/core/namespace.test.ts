import { describe, expect, it } from 'vitest'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import {
  markNamespaceTerminating,
  type NamespaceObject,
  namespaceIsHeld,
  namespaces,
  validateNamespaceFinalize,
} from './namespace.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const unqualified = 'name is neither a standard finalizer name nor is it fully qualified'

function namespace(finalizers?: string[], extra: Partial<NamespaceObject> = {}): NamespaceObject {
  const made: NamespaceObject = { metadata: { name: 'a' }, spec: finalizers ? { finalizers } : {}, ...extra }
  namespaces.defaults?.(made)
  return made
}

describe('a namespace', () => {
  it('is active, labelled with its name and held by the finalizer of its content', () => {
    const made = namespace(['x/y'], { status: { phase: 'Terminating' } })
    namespaces.strategy.prepareForCreate?.(made, ctx)
    expect(made).toEqual({
      metadata: { name: 'a', labels: { 'kubernetes.io/metadata.name': 'a' } },
      spec: { finalizers: ['x/y', 'kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  it('is labelled once its name has been generated', () => {
    const made: NamespaceObject = { metadata: { generateName: 'a-' }, spec: {} }
    namespaces.defaults?.(made)
    expect(made.metadata.labels).toBeUndefined()
    made.metadata.name = 'a-x'
    namespaces.strategy.prepareForCreate?.(made, ctx)
    expect(made.metadata.labels).toEqual({ 'kubernetes.io/metadata.name': 'a-x' })
  })

  it('keeps its finalizers on an ordinary update', () => {
    const next = namespace([])
    namespaces.strategy.prepareForUpdate?.(next, namespace(['kubernetes']), ctx)
    expect(next.spec.finalizers).toEqual(['kubernetes'])
  })

  it.each([
    [['kubernetes', 'a.b/c'], [], []],
    [
      ['foo'],
      [`spec.finalizers: Invalid value: "foo": ${unqualified}`],
      [`spec.finalizers[0]: Invalid value: "foo": ${unqualified}`],
    ],
  ])('with finalizers %j is judged the same wherever they are written', (finalizers, onCreate, onFinalize) => {
    expect(namespaces.validate?.(namespace(finalizers), undefined, ctx).map(formatFieldError)).toEqual(onCreate)
    expect(validateNamespaceFinalize(namespace(finalizers)).map(formatFieldError)).toEqual(onFinalize)
  })

  it.each([
    ['Active', undefined, []],
    ['Terminating', '2024-01-01T00:00:00Z', []],
    [
      'Terminating',
      undefined,
      ['status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty'],
    ],
    [
      'Active',
      '2024-01-01T00:00:00Z',
      ['status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty'],
    ],
  ])('of phase %s, deleted at %s, has the faults %j', (phase, deletionTimestamp, expected) => {
    const metadata = { name: 'a', ...(deletionTimestamp ? { deletionTimestamp } : {}) }
    const made = namespace([], { metadata, status: { phase } })
    expect(namespaces.validateStatus?.(made, made, ctx).map(formatFieldError)).toEqual(expected)
  })

  it('stays while a finalizer is left, and says that it is going', () => {
    const made = namespace(['kubernetes'])
    markNamespaceTerminating(made)
    expect([namespaceIsHeld(made), made.status]).toEqual([true, { phase: 'Terminating' }])
    expect(namespaceIsHeld(namespace())).toBe(false)
  })
})
