import { describe, expect, test } from 'vitest'
import { parseDependencies } from '../../api/gantry/depends-on.ts'
import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { at, deployment, pod, t0 } from '../testing/build.ts'
import { planGate } from './plan.ts'
import { type Surroundings, whyNotReady } from './readiness.ts'

const nothing: Surroundings = {
  service: () => undefined,
  slices: () => [],
  job: () => undefined,
  deployment: () => undefined,
  statefulset: () => undefined,
  daemonset: () => undefined,
  pod: () => undefined,
}
const metadata = { name: 'x', namespace: 'default', generation: 2 }
const set = (available: number, observedGeneration = 2) => ({
  metadata,
  spec: { replicas: 2, selector: {}, serviceName: '', template: {} },
  status: { replicas: 2, availableReplicas: available, observedGeneration },
})
const daemons = (available: number) => ({
  metadata,
  status: {
    numberAvailable: available,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    numberMisscheduled: 0,
    numberReady: 3,
    observedGeneration: 2,
  },
})
const job = (type?: string) => ({
  metadata,
  ...(type ? { status: { conditions: [{ type, status: 'True' }] } } : {}),
})
const slice = (ready?: boolean) => ({
  metadata,
  addressType: 'IPv4',
  endpoints: [{ addresses: ['10.0.0.1'], conditions: ready === undefined ? {} : { ready } }],
})
const available = (observedGeneration: number) =>
  deployment({ generation: 2, status: { observedGeneration, conditions: [{ type: 'Available', status: 'True' }] } })

describe('a dependency', () => {
  test.each<[string, Partial<Surroundings>, string | undefined]>([
    ['service/x', {}, 'not found'],
    ['service/x', { service: () => ({ metadata }) }, 'no ready endpoint'],
    ['service/x', { service: () => ({ metadata }), slices: () => [slice(false)] }, 'no ready endpoint'],
    ['service/x', { service: () => ({ metadata }), slices: () => [slice(false), slice(true)] }, undefined],
    ['service/x', { service: () => ({ metadata }), slices: () => [slice()] }, undefined],
    ['service/x', { service: () => ({ metadata, spec: { type: 'ExternalName' } }) }, undefined],
    ['job/x', {}, 'not found'],
    ['job/x', { job: () => job() }, 'not complete'],
    ['job/x', { job: () => job('Failed') }, 'failed'],
    ['job/x', { job: () => job('Complete') }, undefined],
    ['deployment/x', { deployment: () => deployment() }, 'not available'],
    ['deployment/x', { deployment: () => available(1) }, 'not available'],
    ['deployment/x', { deployment: () => available(2) }, undefined],
    ['statefulset/x', { statefulset: () => set(1) }, '1 of 2 available'],
    ['statefulset/x', { statefulset: () => set(2, 1) }, 'not available'],
    ['statefulset/x', { statefulset: () => set(2) }, undefined],
    ['daemonset/x', { daemonset: () => daemons(2) }, '2 of 3 available'],
    ['daemonset/x', { daemonset: () => daemons(3) }, undefined],
    ['pod/x', { pod: () => pod() }, 'not ready'],
    ['pod/x', { pod: () => pod({ ready: 1 }) }, undefined],
    ['pod/x', { pod: () => pod({ phase: 'Succeeded' }) }, undefined],
  ])('%s in %j is %s', (text, around, why) => {
    const [dependency] = parseDependencies(text).dependencies
    expect(whyNotReady(dependency!, { ...nothing, ...around })).toBe(why)
  })
})

describe('a pod that is held back', () => {
  const held = (conditions: NonNullable<Live<Pod>['status']>['conditions'] = []) => ({
    ...pod({ annotations: { 'gantry.dev/depends-on': 'service/db, job/migrate' } }),
    status: { conditions },
  })
  const waiting = {
    type: 'gantry.dev/DependenciesReady',
    status: 'False',
    reason: 'WaitingForDependencies',
    message: 'waiting for job/migrate (failed)',
    lastTransitionTime: at(-5),
  }

  test('says all that it waits for, and since when it waits at all', () => {
    expect(planGate(held(), ({ kind }) => `no ${kind}`, t0)).toEqual({
      condition: {
        ...waiting,
        message: 'waiting for service/db (no service), job/migrate (no job)',
        lastTransitionTime: at(0),
      },
      open: false,
    })
    const only = ({ kind }: { kind: string }) => (kind === 'job' ? 'not complete' : undefined)
    expect(planGate(held([waiting]), only, t0).condition).toEqual({
      ...waiting,
      message: 'waiting for job/migrate (not complete)',
    })
  })

  test('says nothing twice', () => {
    const only = ({ kind }: { kind: string }) => (kind === 'job' ? 'failed' : undefined)
    expect(planGate(held([waiting]), only, t0)).toEqual({ condition: undefined, open: false })
  })

  test('is let go when nothing is left to wait for', () => {
    const ready = { ...waiting, status: 'True', reason: 'DependenciesReady', message: '', lastTransitionTime: at(0) }
    expect(planGate(held([waiting]), () => undefined, t0)).toEqual({ condition: ready, open: true })
    // The gate may not have gone with the condition.
    expect(planGate(held([ready]), () => undefined, t0)).toEqual({ condition: undefined, open: true })
    expect(planGate(pod(), () => 'never asked', t0).open).toBe(true)
  })
})
