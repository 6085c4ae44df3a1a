import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Job, JobSpec, Pod } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { jobs, pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { depsFor, type Told } from '../testing/build.ts'
import { laggingApi } from '../testing/lagging-api.ts'
import { formatIndexes, parseIndexes } from './completion-index.ts'
import { newJobController } from './controller.ts'

const key = { namespace: 'default', name: 'sum' }

describe('the job controller', () => {
  let clock: FakeClock
  let api: MemoryApi
  let told: Told[]
  let stop: AbortController

  beforeEach(async () => {
    clock = new FakeClock()
    api = new MemoryApi({ clock })
    stop = new AbortController()
    const informers = new InformerFactory(
      laggingApi(api, clock, () => 20),
      { clock },
    )
    const made = depsFor(api, informers, clock)
    told = made.told
    const controller = newJobController(made.deps)
    await informers.start(stop.signal)
    runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const make = (spec: Partial<JobSpec> = {}) =>
    api.create<Job>(jobs, {
      metadata: { name: 'sum', namespace: 'default' },
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 6,
        selector: { matchLabels: { job: 'sum' } },
        template: {
          metadata: { labels: { job: 'sum' } },
          spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'v1' }] },
        },
        ...spec,
      },
      status: {},
    })
  const change = (edit: (spec: JobSpec) => void) => api.edit(jobs, key, ({ spec }: Live<Job>) => edit(spec!))
  const status = () => api.objects(jobs)[0]!.status!
  const conditions = () => (status().conditions ?? []).map(({ type, status: is, reason }) => `${type}=${is} ${reason}`)
  const running = () =>
    api
      .objects<Pod>(pods)
      .filter((pod) => pod.status?.phase === 'Pending' && !pod.metadata.deletionTimestamp)
      .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const end = async (pod: Live<Pod> | undefined, exitCode: number) => {
    api.edit<Pod>(pods, pod!.metadata, (live) => {
      const terminated = { exitCode, finishedAt: formatTime(clock.now()) }
      live.status = {
        phase: exitCode === 0 ? 'Succeeded' : 'Failed',
        containerStatuses: [
          { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated } },
        ],
      }
    })
    await clock.advance(500)
  }
  const settle = () => clock.advance(500)

  test('runs one pod, counts its end, lets it go, and is complete', async () => {
    await make()
    await settle()
    expect(running()).toMatchObject([{ metadata: { finalizers: ['batch.kubernetes.io/job-tracking'] } }])
    expect(status()).toMatchObject({ active: 1, ready: 0, terminating: 0 })
    await end(running()[0], 0)
    expect(status()).toMatchObject({ succeeded: 1, uncountedTerminatedPods: {} })
    expect(status()).not.toHaveProperty('active')
    expect(status().completionTime).toBeDefined()
    expect(conditions()).toEqual(['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached'])
    expect(api.objects<Pod>(pods)[0]?.metadata.finalizers ?? []).toEqual([])
    expect(told.map(({ reason }) => reason)).toEqual(['SuccessfulCreate', 'Completed'])
  })

  test('keeps as many running as it may until enough have succeeded', async () => {
    await make({ completions: 5, parallelism: 2 })
    await settle()
    const widths: number[] = []
    while (running().length > 0) {
      widths.push(running().length)
      await end(running()[0], 0)
    }
    expect(widths).toEqual([2, 2, 2, 2, 1])
    expect(status().succeeded).toBe(5)
  })

  test('a queue of work is done when one has succeeded and none runs', async () => {
    const { completions: _, ...spec } = { completions: undefined, parallelism: 3 }
    await make({ ...spec })
    api.edit(jobs, key, ({ spec: live }: Live<Job>) => {
      delete live!.completions
    })
    await settle()
    await end(running()[0], 0)
    expect(running().length).toBeGreaterThan(0)
    while (running().length > 0) await end(running()[0], 0)
    expect(conditions()).toContain('Complete=True CompletionsReached')
  })

  test('tries again after 10, 20, 40 seconds, and gives up at the limit', async () => {
    await make({ backoffLimit: 2 })
    await settle()
    for (const waitMs of [10_000, 20_000]) {
      await end(running()[0], 1)
      await clock.advance(waitMs - 1500)
      expect(running()).toEqual([])
      await clock.advance(2000)
      expect(running()).toHaveLength(1)
    }
    await end(running()[0], 1)
    expect(status().failed).toBe(3)
    expect(conditions()).toEqual(['FailureTarget=True BackoffLimitExceeded', 'Failed=True BackoffLimitExceeded'])
    expect(told.at(-1)).toMatchObject({ type: 'Warning', message: 'Job has reached the specified backoff limit' })
  })

  test('ends at its deadline, with all that runs', async () => {
    await make({ activeDeadlineSeconds: 30, completions: 2, parallelism: 2 })
    await clock.advance(29_000)
    expect(running()).toHaveLength(2)
    await clock.advance(2000)
    expect(running()).toEqual([])
    expect(conditions()).toEqual(['FailureTarget=True DeadlineExceeded', 'Failed=True DeadlineExceeded'])
    expect(status().failed).toBe(2)
  })

  test('pauses without counting anything, and goes on', async () => {
    await make({ completions: 2, parallelism: 2 })
    await settle()
    change((spec) => {
      spec.suspend = true
    })
    await settle()
    expect(running()).toEqual([])
    expect(conditions()).toEqual(['Suspended=True JobSuspended'])
    expect(status()).not.toHaveProperty('startTime')
    expect(status()).not.toHaveProperty('failed')
    change((spec) => {
      spec.suspend = false
    })
    await settle()
    expect(running()).toHaveLength(2)
    expect(conditions()).toEqual(['Suspended=False JobResumed'])
  })

  test.each([
    ['Ignore', undefined, []],
    ['Count', 1, []],
    ['FailJob', 1, ['FailureTarget=True PodFailurePolicy', 'Failed=True PodFailurePolicy']],
  ])('a failure that a rule matches: %s', async (action, failed, wanted) => {
    const onExitCodes = { operator: 'In', values: [42] }
    await make({ podFailurePolicy: { rules: [{ action, onExitCodes }] } })
    await settle()
    await end(running()[0], 42)
    await settle()
    expect(status().failed).toBe(failed)
    expect(conditions()).toEqual(wanted)
  })

  describe('with indexes', () => {
    const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 3 }
    const of = (index: number) =>
      running().find(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-completion-index'] === String(index))

    test('each pod has its number', async () => {
      await make(indexed)
      await settle()
      expect(of(2)).toMatchObject({
        metadata: { generateName: 'sum-2-', annotations: { 'batch.kubernetes.io/job-completion-index': '2' } },
        spec: { hostname: 'sum-2', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX' }] }] },
      })
      await end(of(0), 0)
      await end(of(2), 0)
      expect(status()).toMatchObject({ completedIndexes: '0,2', succeeded: 2 })
      await end(of(1), 0)
      expect(status()).toMatchObject({ completedIndexes: '0-2', succeeded: 3 })
      expect(conditions()).toContain('Complete=True CompletionsReached')
    })

    test('an index that failed too often fails alone', async () => {
      await make({ ...indexed, backoffLimit: 1000, backoffLimitPerIndex: 1 })
      await settle()
      await end(of(1), 1)
      await clock.advance(11_000)
      expect(of(1)?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']).toBe('1')
      await end(of(1), 1)
      expect(status()).toMatchObject({ failedIndexes: '1', failed: 2 })
      await end(of(0), 0)
      await end(of(2), 0)
      expect(status()).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1' })
      expect(conditions()).toEqual(['FailureTarget=True FailedIndexes', 'Failed=True FailedIndexes'])
    })

    test('enough is what the success policy says', async () => {
      await make({ ...indexed, successPolicy: { rules: [{ succeededIndexes: '0', succeededCount: 1 }] } })
      await settle()
      await end(of(0), 0)
      await settle()
      expect(running()).toEqual([])
      expect(conditions()).toEqual(['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy'])
      expect(status()).not.toHaveProperty('failed')
    })
  })

  test('a pod that no longer matches is let go, and held by nobody', async () => {
    await make()
    await settle()
    const [released] = running()
    api.edit<Pod>(pods, released!.metadata, ({ metadata }) => {
      metadata.labels = { job: 'other' }
    })
    await settle()
    const { metadata } = api.objects<Pod>(pods).find((pod) => pod.metadata.uid === released?.metadata.uid)!
    expect([metadata.ownerReferences ?? [], metadata.finalizers ?? []]).toEqual([[], []])
  })

  test('a deleted job leaves no pod held', async () => {
    await make()
    await settle()
    await api.delete(jobs, key)
    await settle()
    expect(api.objects<Pod>(pods)[0]?.metadata.finalizers ?? []).toEqual([])
  })
})

test.each([
  ['', []],
  ['0', [0]],
  ['0,1', [0, 1]],
  ['0-2,5,7-9', [0, 1, 2, 5, 7, 8, 9]],
])('indexes are written as %j', (text, indexes) => {
  expect(formatIndexes(new Set(indexes))).toBe(text)
  expect([...parseIndexes(text, 10)]).toEqual(indexes)
})
