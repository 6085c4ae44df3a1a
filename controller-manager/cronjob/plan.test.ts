import { describe, expect, test } from 'vitest'
import { parseCronSchedule } from '../../api/batch/schedule.ts'
import type { CronJob, CronJobSpec, CronJobStatus, Job } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { formatInZone, nextTime } from './next-time.ts'
import { planCronJob } from './plan.ts'

const ms = (text: string) => Date.parse(text)
const text = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString().slice(0, 16))

describe('the next time', () => {
  test.each([
    ['*/15 * * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:15'],
    ['0 9 * * mon-fri', 'UTC', '2026-01-02T09:00:00Z', '2026-01-05T09:00'],
    ['30 4 1,15 * *', 'UTC', '2026-01-01T04:30:00Z', '2026-01-15T04:30'],
    ['0 0 13 * fri', 'UTC', '2026-01-03T00:00:00Z', '2026-01-09T00:00'],
    ['0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', '2028-02-29T00:00'],
    ['0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', undefined],
    ['0 0 L * *', 'UTC', '2028-02-01T00:00:00Z', '2028-02-29T00:00'],
    ['0 6 1,15W * *', 'UTC', '2026-08-02T00:00:00Z', '2026-08-14T06:00'],
    ['0 0 * * mon#2', 'UTC', '2026-01-01T00:00:00Z', '2026-01-12T00:00'],
    ['0 0 1 * 5L', 'UTC', '2026-01-02T00:00:00Z', '2026-01-30T00:00'],
    ['0 0 L * *', 'America/New_York', '2026-02-01T12:00:00Z', '2026-02-28T05:00'],
    ['@every 90s', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:01'],
    ['0 12 * * *', 'Europe/Berlin', '2026-07-01T00:00:00Z', '2026-07-01T10:00'],
    ['TZ=Asia/Tokyo 0 9 * * *', undefined, '2026-01-01T00:00:00Z', '2026-01-02T00:00'],
    ['30 2 * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', '2026-03-30T00:30'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T23:00:00Z', '2026-10-25T00:30'],
    ['30 2 * * *', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30'],
  ])('%s in %s after %s', (schedule, zone, after, next) => {
    expect(text(nextTime(parseCronSchedule(schedule), ms(after), zone))).toBe(next)
  })

  test.each([
    ['UTC', '2026-01-01T00:00:00Z'],
    ['Asia/Kolkata', '2026-01-01T05:30:00+05:30'],
    ['America/New_York', '2025-12-31T19:00:00-05:00'],
  ])('a moment in %s', (zone, wanted) => {
    expect(formatInZone(ms('2026-01-01T00:00:00Z'), zone)).toBe(wanted)
  })
})

describe('a cron job', () => {
  const cron = (spec: Partial<CronJobSpec> = {}, status: CronJobStatus = {}): Live<CronJob> => ({
    metadata: { name: 'tick', namespace: 'default', uid: 'tick', creationTimestamp: '2026-01-01T00:00:30Z' },
    spec: { schedule: '*/5 * * * *', timeZone: 'UTC', jobTemplate: {}, ...spec },
    status,
  })
  const job = (name: string, condition?: 'Complete' | 'Failed', at = '2026-01-01T00:05:00Z'): Live<Job> => ({
    metadata: { name, namespace: 'default', uid: name },
    status: {
      startTime: at,
      ...(condition ? { conditions: [{ type: condition, status: 'True' }] } : {}),
      ...(condition === 'Complete' ? { completionTime: at } : {}),
    },
  })
  const active = (...names: string[]) => ({ active: names.map((name) => ({ name, uid: name })) })
  const at = (time: string) => ms(`2026-01-01T${time}Z`)
  const plan = (one: Live<CronJob>, time: string, ...jobs: Live<Job>[]) => {
    const { start, events, requeueAfterMs, delete: gone } = planCronJob(one, jobs, at(time))
    return {
      start: text(start)?.slice(11),
      told: events.map(({ reason }) => reason),
      wait: requeueAfterMs,
      gone: gone.map(({ metadata }) => metadata.name),
    }
  }

  test('waits for its time', () => {
    expect(plan(cron(), '00:04:00')).toEqual({ start: undefined, told: [], wait: 60_100, gone: [] })
  })

  test('starts when it has come, and waits for the next', () => {
    expect(plan(cron(), '00:05:00')).toEqual({ start: '00:05', told: [], wait: 300_100, gone: [] })
  })

  test('starts only the last of what it missed, and complains of many', () => {
    expect(plan(cron(), '00:32:00').start).toBe('00:30')
    expect(plan(cron(), '00:32:00').told).toEqual([])
    const late = planCronJob(cron(), [], ms('2026-01-02T00:02:00Z'))
    expect(text(late.start)).toBe('2026-01-02T00:00')
    expect(late.events.map(({ reason }) => reason)).toEqual(['TooManyMissedTimes'])
  })

  test.each([
    ['has been served', cron({}, { lastScheduleTime: '2026-01-01T00:05:00Z' }), [], []],
    ['runs already', cron({}, active('tick-29453765')), [job('tick-29453765')], []],
    ['is suspended', cron({ suspend: true }), [], []],
    ['is too late', cron({ startingDeadlineSeconds: 30 }), [], []],
    [
      'must wait for the one before',
      cron({ concurrencyPolicy: 'Forbid' }, active('old')),
      [job('old')],
      ['JobAlreadyActive'],
    ],
    ['makes no sense', cron({ schedule: 'often' }), [], ['UnparseableSchedule']],
    ['is nowhere', cron({ timeZone: 'Moon/Base' }), [], ['UnknownTimeZone']],
  ])('starts nothing that %s', (_, one, jobs, told) => {
    const result = plan(one, '00:06:00', ...jobs)
    expect([result.start, result.told]).toEqual([undefined, told])
  })

  test('replaces what still runs', () => {
    const result = plan(cron({ concurrencyPolicy: 'Replace' }, active('old')), '00:05:00', job('old'))
    expect(result).toMatchObject({ start: '00:05', gone: ['old'] })
  })

  test('keeps a history of each kind', () => {
    const jobs = [
      job('a', 'Complete', '2026-01-01T00:01:00Z'),
      job('b', 'Complete', '2026-01-01T00:02:00Z'),
      job('c', 'Failed', '2026-01-01T00:03:00Z'),
      job('d', 'Failed', '2026-01-01T00:02:30Z'),
      job('e', 'Complete', '2026-01-01T00:04:00Z'),
    ]
    const one = cron({ successfulJobsHistoryLimit: 2, failedJobsHistoryLimit: 1 })
    expect(plan(one, '00:04:30', ...jobs).gone).toEqual(['a', 'd'])
  })

  test('notes what has ended, is missing, or came from nowhere', () => {
    const { status, events } = planCronJob(
      cron({}, active('done', 'lost', 'runs')),
      [job('done', 'Complete', '2026-01-01T00:02:00Z'), job('runs'), job('stranger')],
      at('00:04:00'),
    )
    expect(status).toEqual({ ...active('runs'), lastSuccessfulTime: '2026-01-01T00:02:00Z' })
    expect(events.map(({ message }) => message)).toEqual([
      'Saw completed job: done, condition: Complete',
      'Saw a job that the controller did not create or forgot: stranger',
      'Active job went missing: lost',
    ])
  })
})
