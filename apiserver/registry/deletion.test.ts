import { describe, expect, it } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { defineResource } from '../../api/machinery/resource.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { planDeletion } from './deletion.ts'

const now = Date.parse('2026-01-02T03:04:05Z')
const plain = defineResource({
  group: 'apps',
  version: 'v1',
  kind: 'Thing',
  plural: 'things',
  namespaced: true,
  schema: { type: 'object' },
})
const graceful = defineResource({
  ...plain,
  strategy: { gracefulDeletion: (_object: AnyObject, requested: number | undefined) => requested ?? 30 },
})
const thing = (metadata: AnyObject['metadata'] = {}): AnyObject => ({
  metadata: { name: 'a', uid: 'u1', resourceVersion: '7', ...metadata },
})

describe('deleting', () => {
  it('removes at once what nothing holds', () => {
    expect(planDeletion(plain, thing(), {}, now)).toEqual({ step: 'remove', object: thing() })
  })

  it('marks what a finalizer holds, and raises its generation', () => {
    const plan = planDeletion(plain, thing({ finalizers: ['x/y'], generation: 3 }), {}, now)
    expect(plan).toMatchObject({
      step: 'mark',
      object: { metadata: { deletionTimestamp: formatTime(now), deletionGracePeriodSeconds: 0, generation: 4 } },
    })
  })

  it.each([
    ['Foreground', ['foregroundDeletion']],
    ['Orphan', ['orphan']],
  ])('records %s propagation as a finalizer', (propagationPolicy, finalizers) => {
    expect(planDeletion(plain, thing(), { propagationPolicy }, now)).toMatchObject({
      step: 'mark',
      object: { metadata: { finalizers } },
    })
  })

  it('takes the propagation finalizers away when the policy says Background', () => {
    expect(planDeletion(plain, thing({ finalizers: ['orphan'] }), { propagationPolicy: 'Background' }, now)).toEqual({
      step: 'remove',
      object: thing(),
    })
  })

  it('grants the grace period once, and lets it be shortened only', () => {
    const first = planDeletion(graceful, thing(), {}, now)
    expect(first).toMatchObject({
      step: 'mark',
      object: { metadata: { deletionGracePeriodSeconds: 30, deletionTimestamp: formatTime(now + 30_000) } },
    })
    const { object } = first as { object: AnyObject }
    expect(planDeletion(graceful, structuredClone(object), { gracePeriodSeconds: 60 }, now)).toEqual({
      step: 'pending',
    })
    expect(planDeletion(graceful, structuredClone(object), { gracePeriodSeconds: 5 }, now)).toMatchObject({
      object: { metadata: { deletionGracePeriodSeconds: 5, deletionTimestamp: formatTime(now + 5_000) } },
    })
    expect(planDeletion(graceful, structuredClone(object), { gracePeriodSeconds: 0 }, now)).toMatchObject({
      step: 'remove',
    })
  })

  it.each([
    [{ uid: 'other' }, /the UID in the precondition \(other\) does not match the UID in record \(u1\)/],
    [{ resourceVersion: '6' }, /the ResourceVersion in the precondition \(6\) does not match/],
  ])('refuses when the precondition %j does not hold', (preconditions, message) => {
    expect(() => planDeletion(plain, thing(), { preconditions }, now)).toThrowError(
      expect.objectContaining({ code: 409, message: expect.stringMatching(message) }),
    )
  })
})
