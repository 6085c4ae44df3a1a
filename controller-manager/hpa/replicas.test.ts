import { describe, expect, test } from 'vitest'
import { at, pod, t0 } from '../testing/build.ts'
import { groupPods, requestsOf } from './pod-groups.ts'
import {
  type PodFacts,
  replicasForShare,
  replicasForUsage,
  replicasForUtilization,
  replicasForValue,
} from './replicas.ts'
import type { PodSample, PodView } from './types.ts'

const rules = { cpuInitializationPeriodMs: 300_000, initialReadinessDelayMs: 30_000 }
const tolerances = { down: 0.1, up: 0.1 }
const nowMs = t0 + 3600_000

interface Facts {
  name: string
  phase?: string
  /** Of the condition Ready, and since when, in seconds; absent: no condition. */
  ready?: [status: 'True' | 'False', since: number]
  started?: number
  deleted?: boolean
  request?: string
}

/** A pod of one container that requests one core, long at work unless it says otherwise. */
function worker({ name, phase = 'Running', ready = ['True', 0], started = 0, deleted, request = '1' }: Facts): PodView {
  const made = pod({ name, phase, ...(deleted ? { deleted: 1 } : {}) })
  return {
    ...made,
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: request, memory: '1Ki' } } }] },
    status: {
      phase,
      startTime: at(started),
      conditions: [{ type: 'Ready', status: ready[0], lastTransitionTime: at(ready[1]) }],
    },
  }
}

const sample = (milli: number, seconds = 3590, windowSeconds = 15): PodSample => ({
  milli,
  timestampMs: t0 + seconds * 1000,
  windowMs: windowSeconds * 1000,
})

/** `a` uses so many thousandths. */
const samples = (used: Record<string, number>) =>
  new Map(Object.entries(used).map(([name, milli]) => [name, sample(milli)]))

const factsOf = (pods: PodView[], used: Record<string, number>, currentReplicas = pods.length): PodFacts => ({
  pods,
  samples: samples(used),
  rules,
  tolerances,
  currentReplicas,
  nowMs,
})

const workers = (...names: string[]) => names.map((name) => worker({ name }))

describe('pods by what their samples are worth', () => {
  const groupOf = (one: PodView, used: PodSample | undefined, resource: string | undefined) => {
    const { readyCount, unready, missing, ignored } = groupPods(
      [one],
      new Map(used ? [[one.metadata.name, used]] : []),
      resource,
      rules,
      nowMs,
    )
    return readyCount > 0
      ? 'ready'
      : unready.size > 0
        ? 'unready'
        : missing.size > 0
          ? 'missing'
          : ignored.size > 0
            ? 'ignored'
            : '?'
  }
  // Within five minutes of its start a sample must follow the pod's becoming ready.
  const young = 3400
  test.each<[string, PodView, PodSample | undefined, string | undefined, string]>([
    ['at work', worker({ name: 'a' }), sample(1), 'cpu', 'ready'],
    ['leaving', worker({ name: 'a', deleted: true }), sample(1), 'cpu', 'ignored'],
    ['failed', worker({ name: 'a', phase: 'Failed' }), sample(1), 'cpu', 'ignored'],
    ['pending', worker({ name: 'a', phase: 'Pending' }), sample(1), 'memory', 'unready'],
    ['silent', worker({ name: 'a' }), undefined, 'cpu', 'missing'],
    ['not started', { ...pod({ name: 'a', ready: 0 }) }, sample(1), 'cpu', 'unready'],
    ['young, not ready', worker({ name: 'a', started: young, ready: ['False', young] }), sample(1), 'cpu', 'unready'],
    [
      'young, measured before it was ready',
      worker({ name: 'a', started: young, ready: ['True', 3580] }),
      sample(1),
      'cpu',
      'unready',
    ],
    [
      'young, measured since it is ready',
      worker({ name: 'a', started: young, ready: ['True', 3575] }),
      sample(1),
      'cpu',
      'ready',
    ],
    ['old, never ready', worker({ name: 'a', ready: ['False', 29] }), sample(1), 'cpu', 'unready'],
    ['old, not ready any more', worker({ name: 'a', ready: ['False', 31] }), sample(1), 'cpu', 'ready'],
    [
      'young, but not about CPU',
      worker({ name: 'a', started: young, ready: ['False', young] }),
      sample(1),
      'memory',
      'ready',
    ],
    [
      'young, but no resource',
      worker({ name: 'a', started: young, ready: ['False', young] }),
      sample(1),
      undefined,
      'ready',
    ],
  ])('%s', (_, one, used, resource, group) => {
    expect(groupOf(one, used, resource)).toBe(group)
  })
})

describe('requests', () => {
  const two = (): PodView => ({
    ...pod({ name: 'a' }),
    spec: {
      containers: [
        { name: 'c', resources: { requests: { cpu: '100m' } } },
        { name: 'd', resources: { requests: { cpu: '200m' } } },
      ],
      initContainers: [
        { name: 'once', resources: { requests: { cpu: '5' } } },
        { name: 'beside', restartPolicy: 'Always', resources: { requests: { cpu: '50m' } } },
      ],
    },
  })
  test('are those of all containers that run on, of one, or of the pod', () => {
    expect(requestsOf([two()], 'cpu', undefined).get('a')).toBe(350)
    expect(requestsOf([two()], 'cpu', 'd').get('a')).toBe(200)
    const own = two()
    own.spec = { ...own.spec!, overhead: { cpu: '10m' }, resources: { requests: { cpu: '1' } } }
    expect(requestsOf([own], 'cpu', undefined).get('a')).toBe(1010)
    expect(requestsOf([own], 'cpu', 'c').get('a')).toBe(100)
  })
  test('must be there', () => {
    expect(() => requestsOf([two()], 'memory', undefined)).toThrow('missing request for memory in container c of Pod a')
    expect(() => requestsOf([two()], 'cpu', 'x')).toThrow('container x not found in Pod a')
    const own = two()
    own.spec = { ...own.spec!, resources: { requests: { cpu: '1' } } }
    expect(() => requestsOf([own], 'memory', undefined)).toThrow('missing pod-level request for memory in Pod a')
  })
})

describe('replicas for a part of what is requested', () => {
  const pending = worker({ name: 'p', phase: 'Pending' })
  test.each<[string, PodView[], Record<string, number>, number, number, number]>([
    ['above the target', workers('a', 'b'), { a: 900, b: 900 }, 50, 4, 90],
    ['below the target', workers('a', 'b', 'c', 'd'), { a: 100, b: 100, c: 100, d: 100 }, 50, 1, 10],
    ['within the tolerance', workers('a', 'b'), { a: 540, b: 540 }, 50, 2, 54],
    [
      'a pod that leaves does not count',
      [...workers('a'), worker({ name: 'x', deleted: true })],
      { a: 900, x: 0 },
      50,
      2,
      90,
    ],
    ['up with a pod that starts: it uses nothing yet', [...workers('a'), pending], { a: 1200 }, 50, 3, 120],
    ['up, and the one that starts is enough', [...workers('a'), pending], { a: 1040 }, 50, 2, 104],
    ['up with a silent pod: it uses nothing', workers('a', 'b', 's'), { a: 1000, b: 1000 }, 50, 4, 100],
    ['down with a silent pod: it uses all', workers('a', 'b', 'c', 's'), { a: 100, b: 100, c: 100 }, 50, 3, 10],
    ['down, and the silent pod would turn it round', workers('a', 's'), { a: 300 }, 50, 2, 30],
    ['down to a target of more than all: it uses that', workers('a', 'b', 's'), { a: 100, b: 100 }, 200, 2, 10],
  ])('%s', (_, pods, used, target, replicas, utilizationPercent) => {
    const got = replicasForUtilization(factsOf(pods, used), 'cpu', undefined, target)
    expect(got).toMatchObject({ replicas, utilizationPercent })
  })

  test('does not shrink a target that was made larger meanwhile, nor the reverse', () => {
    // Two of three pods tell; all three would come to less than the ten there are to be.
    expect(replicasForUtilization(factsOf(workers('a', 's'), { a: 1500 }, 10), 'cpu', undefined, 50).replicas).toBe(10)
    expect(
      replicasForUtilization(factsOf(workers('a', 'b', 's'), { a: 1, b: 1 }, 1), 'cpu', undefined, 90).replicas,
    ).toBe(1)
  })

  test('counts large memories exactly', () => {
    const big = workers('a', 'b').map((one) => ({
      ...one,
      spec: { containers: [{ name: 'c', resources: { requests: { memory: '4Ti' } } }] },
    }))
    const used = 3 * 2 ** 40 * 1000
    const got = replicasForUtilization(factsOf(big, { a: used, b: used }), 'memory', undefined, 60)
    expect(got).toEqual({ replicas: 3, usageMilli: used, utilizationPercent: 75 })
  })

  test('is refused where nothing can be told', () => {
    expect(() => replicasForUtilization(factsOf([], { a: 1 }), 'cpu', undefined, 50)).toThrow(
      'no pods returned by selector while calculating replica count',
    )
    expect(() => replicasForUtilization(factsOf([pending], { p: 1 }), 'cpu', undefined, 50)).toThrow(
      'did not receive metrics for targeted pods (pods might be unready)',
    )
    expect(() => replicasForUtilization(factsOf(workers('a'), { other: 1 }), 'cpu', undefined, 50)).toThrow(
      'no metrics returned matched known pods',
    )
  })
})

describe('replicas for a usage on average', () => {
  const pending = worker({ name: 'p', phase: 'Pending' })
  test.each<[string, PodView[], Record<string, number>, number, number]>([
    ['above the target', workers('a', 'b'), { a: 3000, b: 1000 }, 1000, 4],
    ['below the target', workers('a', 'b', 'c'), { a: 100, b: 100, c: 100 }, 1000, 1],
    ['within the tolerance', workers('a', 'b'), { a: 1050, b: 1050 }, 1000, 2],
    ['up with a pod that starts', [...workers('a'), pending], { a: 5000 }, 1000, 5],
    ['up with a silent pod', workers('a', 's'), { a: 5000 }, 1000, 5],
    ['down with a silent pod: it uses what is aimed at', workers('a', 'b', 's'), { a: 100, b: 100 }, 1000, 2],
  ])('%s', (_, pods, used, target, replicas) => {
    expect(replicasForUsage(factsOf(pods, used), undefined, target).replicas).toBe(replicas)
  })
})

describe('replicas for a number of the whole target', () => {
  const pods = [...workers('a', 'b'), worker({ name: 'n', ready: ['False', 0] })]
  test.each([
    ['by the pods that are ready', 3000, 1000, 3, 6],
    ['within the tolerance', 1050, 1000, 3, 3],
    ['down to nothing', 0, 1000, 3, 0],
    ['from nothing by the number alone', 2500, 1000, 0, 3],
    ['stays at nothing', 0, 1000, 0, 0],
    ['no more than there can be', 1e18, 1, 0, 2 ** 31 - 1],
  ])('%s', (_, usage, target, current, replicas) => {
    expect(replicasForValue(usage, target, current, pods, tolerances)).toEqual({ replicas, usageMilli: usage })
  })

  test('needs pods, unless there are to be none', () => {
    expect(() => replicasForValue(5000, 1000, 1, [], tolerances)).toThrow(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    )
  })

  test.each([
    ['shared by more', 5000, 1000, 2, 5, 2500],
    ['within the tolerance', 2100, 1000, 2, 2, 1050],
    ['shared by fewer', 900, 1000, 4, 1, 225],
    ['by nobody yet', 3000, 1000, 0, 3, 3000],
    ['nothing, by nobody', 0, 1000, 0, 0, 0],
  ])('%s', (_, usage, target, statusReplicas, replicas, usageMilli) => {
    const scale = { specReplicas: statusReplicas, statusReplicas }
    expect(replicasForShare(usage, target, scale, tolerances)).toEqual({ replicas, usageMilli })
  })
})
