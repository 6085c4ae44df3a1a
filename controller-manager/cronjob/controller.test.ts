import { afterEach, beforeEach, expect, test } from 'vitest'
import type { CronJob, Job } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { cronJobs, jobs } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { depsFor, type Told } from '../testing/build.ts'
import { laggingApi } from '../testing/lagging-api.ts'
import { newCronJobController } from './controller.ts'

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
  const controller = newCronJobController(made.deps)
  await informers.start(stop.signal)
  runController(controller, { signal: stop.signal }).catch(() => {})
})

afterEach(() => stop.abort())

test('a job is started at each time, once, with the time in its annotation', async () => {
  await api.create<CronJob>(cronJobs, {
    metadata: { name: 'tick', namespace: 'default' },
    spec: {
      schedule: '* * * * *',
      timeZone: 'Europe/Berlin',
      jobTemplate: { metadata: { labels: { app: 'tick' } }, spec: { template: {} } },
    },
    status: {},
  })
  await clock.advance(121_000)
  const made = api.objects<Job>(jobs)
  expect(made.map(({ metadata }) => metadata)).toMatchObject([
    {
      name: 'tick-29453761',
      labels: { app: 'tick' },
      annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T01:01:00+01:00' },
      ownerReferences: [{ kind: 'CronJob', name: 'tick', controller: true }],
    },
    { name: 'tick-29453762' },
  ])
  expect(api.objects<CronJob>(cronJobs)[0]?.status).toMatchObject({
    active: [{ kind: 'Job', name: 'tick-29453761' }, { name: 'tick-29453762' }],
    lastScheduleTime: '2026-01-01T00:02:00Z',
  })
  expect(told.map(({ message }) => message)).toEqual(['Created job tick-29453761', 'Created job tick-29453762'])
})
