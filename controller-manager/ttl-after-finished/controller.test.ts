import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Job } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { jobs } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { at, depsFor, t0 } from '../testing/build.ts'
import type { ControllerDeps } from '../types.ts'
import { expiryMs, newTtlAfterFinishedController } from './controller.ts'

let clock: FakeClock
let api: MemoryApi
let stop: AbortController
let deps: ControllerDeps

beforeEach(async () => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
  stop = new AbortController()
  const informers = new InformerFactory(api, { clock })
  deps = depsFor(api, informers, clock).deps
  const controller = newTtlAfterFinishedController(deps)
  await informers.start(stop.signal)
  runController(controller, { signal: stop.signal }).catch(() => {})
})
afterEach(() => stop.abort())

const ended = (type: string, seconds: number) => ({
  conditions: [{ type, status: 'True', lastTransitionTime: at(seconds) }],
})
const make = (ttlSecondsAfterFinished: number | undefined, status: object) =>
  api.create<Job>(jobs, {
    metadata: { name: 'j', namespace: 'default' },
    spec: { template: {}, ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }) },
    status,
  })
const left = () => api.objects<Job>(jobs).length

test.each([
  ['Complete', 'Foreground'],
  ['Failed', 'Foreground'],
])('a job goes when its time after it was %s has passed, with what it owns', async (type) => {
  await make(10, ended(type, 0))
  await clock.advance(9000)
  expect(left()).toBe(1)
  await clock.advance(1000)
  // Held for what it owns.
  expect(api.objects<Job>(jobs)[0]?.metadata).toMatchObject({ finalizers: ['foregroundDeletion'] })
  expect(await deps.metrics.metrics()).toContain('ttl_after_finished_controller_job_deletion_duration_seconds_count 1')
})

test('a job that runs, or is to be kept, stays', async () => {
  expect(expiryMs({ metadata: { name: 'j' }, spec: { template: {}, ttlSecondsAfterFinished: 1 } } as Live<Job>)).toBe(
    undefined,
  )
  await make(undefined, ended('Complete', 0))
  await clock.advance(1_000_000)
  expect(api.objects<Job>(jobs)[0]?.metadata.deletionTimestamp).toBe(undefined)
})

test('more time given meanwhile counts, though the cache has not seen it', async () => {
  const job = await make(10, ended('Complete', 0))
  await clock.advance(5000)
  api.fault = ({ verb }) => {
    if (verb === 'watch') throw new Error('the watch is down')
  }
  api.endWatches()
  await clock.advance(10)
  await api.patch(jobs, job.metadata, { type: 'merge', body: { spec: { ttlSecondsAfterFinished: 60 } } })
  await clock.advance(10_000)
  expect(api.objects<Job>(jobs)[0]?.metadata.deletionTimestamp).toBe(undefined)
  expect(clock.now()).toBeGreaterThan(t0 + 10_000)
})
