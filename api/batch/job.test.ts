import { describe, expect, it } from 'vitest'
import type { CronJobSpec, JobSpec, JobStatus, ObjectMeta } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { cronJobs } from './cronjob.ts'
import { jobs } from './job.ts'

const ctx: RequestContext = { nowMs: 60_000, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const template = { spec: { containers: [{ name: 'c', image: 'sum:1' }], restartPolicy: 'Never' } }

/** A job as creation leaves it. */
function job(spec: Partial<JobSpec> = {}, status?: JobStatus, metadata: ObjectMeta = {}) {
  const object = {
    metadata: { name: 'sum', namespace: 'ns', uid: 'u1', ...metadata },
    spec: structuredClone({ template, ...spec }),
    ...(status ? { status } : {}),
  }
  jobs.defaults?.(object)
  jobs.strategy.prepareForCreate?.(object, ctx)
  return object
}
const faults = (spec: Partial<JobSpec>, old?: ReturnType<typeof job>, metadata: ObjectMeta = {}) =>
  (jobs.validate?.(job(spec, undefined, metadata), old, ctx) ?? []).map(formatFieldError)

const ownLabels = {
  'batch.kubernetes.io/controller-uid': 'u1',
  'batch.kubernetes.io/job-name': 'sum',
  'controller-uid': 'u1',
  'job-name': 'sum',
}

describe('a new job', () => {
  it('gets labels and a selector of its own', () => {
    const { spec, metadata } = job()
    expect(spec.template).toMatchObject({ metadata: { labels: ownLabels } })
    expect(spec).toMatchObject({ selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'u1' } } })
    expect(metadata).toMatchObject({ labels: ownLabels })
    expect(faults({})).toEqual([])
  })

  it('leaves labels to a user who wants to choose them', () => {
    const labels = { app: 'a' }
    const spec = {
      manualSelector: true,
      selector: { matchLabels: labels },
      template: { ...template, metadata: { labels } },
    }
    expect(job(spec).spec.template).toMatchObject({ metadata: { labels } })
    expect(faults(spec)).toEqual([])
  })

  it('has defaults', () => {
    expect(job().spec).toMatchObject({
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      completions: 1,
      manualSelector: false,
      parallelism: 1,
      podReplacementPolicy: 'TerminatingOrFailed',
      suspend: false,
    })
    expect(job({ parallelism: 2 }).spec.completions).toBeUndefined()
    expect(job({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 1 }).spec.backoffLimit).toBe(
      2147483647,
    )
  })

  const indexed = { completionMode: 'Indexed', completions: 4, parallelism: 2 }
  const policy = (rule: object) => ({ podFailurePolicy: { rules: [rule] } }) as Partial<JobSpec>
  const rule = 'spec.podFailurePolicy.rules[0]'
  it.each<[string, Partial<JobSpec>, string[]]>([
    [
      'fewer than no workers',
      { parallelism: -1 },
      ['spec.parallelism: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'pods that always restart',
      { template: { spec: { ...template.spec, restartPolicy: 'Always' } } },
      ['spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"'],
    ],
    [
      'indexes without a number',
      { completionMode: 'Indexed', parallelism: 1 },
      ['spec.completions: Required value: when completion mode is Indexed'],
    ],
    [
      'retries by an index it has not',
      { backoffLimitPerIndex: 1 },
      ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
    ],
    ['a policy on exit codes', policy({ action: 'FailJob', onExitCodes: { operator: 'In', values: [1, 2] } }), []],
    [
      'a policy on success as failure',
      policy({ action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 0, 0] } }),
      [
        `${rule}.onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator`,
        `${rule}.onExitCodes.values[2]: Invalid value: 0: must not be 0 for the In operator`,
        `${rule}.onExitCodes.values[2]: Duplicate value: 0`,
        `${rule}.onExitCodes.values: Invalid value: [2,0,0]: must be ordered`,
      ],
    ],
    [
      'a policy on nothing',
      policy({ action: 'Ignore' }),
      [`${rule}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`],
    ],
    [
      'a policy without action',
      policy({ onPodConditions: [{ type: 'DisruptionTarget' }] }),
      [`${rule}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`],
    ],
    [
      'success of some indexes',
      { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-2', succeededCount: 2 }] } },
      [],
    ],
    [
      'success of indexes it has not',
      { ...indexed, successPolicy: { rules: [{ succeededIndexes: '4' }] } },
      [
        'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "4": error parsing succeededIndexes: too large index: "4"',
      ],
    ],
    [
      'a manager without domain',
      { managedBy: 'me' },
      ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
  ])('may have %s, or is told why not', (_, spec, expected) => {
    expect(faults(spec)).toEqual(expected)
  })
})

describe('an update of a job', () => {
  const changed = { spec: { ...template.spec, nodeSelector: { a: 'b' } } }
  it.each<[string, Partial<JobSpec>, Partial<JobSpec>, JobStatus, string[]]>([
    ['workers', { parallelism: 3, completions: 1 }, {}, {}, []],
    ['completions', { completions: 2 }, {}, {}, ['spec.completions: Invalid value: 2: field is immutable']],
    [
      'completions together with workers',
      { completionMode: 'Indexed', completions: 2, parallelism: 2 },
      { completionMode: 'Indexed', completions: 4, parallelism: 4 },
      {},
      [],
    ],
    ['where it runs, while suspended', { suspend: true, template: changed }, { suspend: true }, {}, []],
    [
      'where it runs, while pods are left',
      { suspend: true, template: changed },
      { suspend: true },
      { active: 1 },
      [expect.stringMatching(/^spec.template: .*field is immutable$/) as unknown as string],
    ],
    [
      'where it runs, while it runs',
      { template: changed },
      {},
      {},
      [expect.stringMatching(/^spec.template: .*field is immutable$/) as unknown as string],
    ],
  ])('may change %s, or is told why not', (_, spec, old, status, expected) => {
    expect(faults(spec, job(old, status))).toEqual(expected)
  })
})

describe('the reported status of a job', () => {
  const condition = (type: string) => ({ type, status: 'True' })
  const times = { startTime: '2026-01-01T00:00:00Z', completionTime: '2026-01-01T00:00:05Z' }
  const complete: JobStatus = {
    ...times,
    succeeded: 1,
    conditions: [condition('SuccessCriteriaMet'), condition('Complete')],
  }
  it.each<[string, JobStatus, JobStatus, string[]]>([
    ['done', complete, { startTime: times.startTime }, []],
    [
      'done without having met its criteria',
      { ...complete, conditions: [condition('Complete')] },
      { startTime: times.startTime },
      [
        'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
      ],
    ],
    [
      'done and still at work',
      { ...complete, active: 1 },
      { startTime: times.startTime },
      ['status.active: Invalid value: 1: active>0 is invalid for finished job'],
    ],
    [
      'no longer done',
      { ...times, succeeded: 1 },
      complete,
      [
        'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
        'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
        'status.completionTime: Invalid value: "2026-01-01T00:00:05Z": cannot set completionTime when there is no Complete=True condition',
      ],
    ],
    [
      'of fewer failures',
      { failed: 1 },
      { failed: 2 },
      ['status.failed: Invalid value: 1: cannot decrease the failed counter'],
    ],
    [
      'readier than active',
      { ready: 2, active: 1 },
      {},
      ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
    ],
    [
      'begun again',
      { startTime: times.completionTime },
      { startTime: times.startTime },
      ['status.startTime: Invalid value: "2026-01-01T00:00:05Z": field is immutable for unsuspended job once set'],
    ],
    [
      'indexed though it is not',
      { completedIndexes: '0' },
      {},
      [
        'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
      ],
    ],
  ])('may be %s, or not', (_, now, old, expected) => {
    expect((jobs.validateStatus?.(job({}, now), job({}, old), ctx) ?? []).map(formatFieldError)).toEqual(expected)
  })

  it.each<[JobStatus, unknown[]]>([
    [{}, ['Running', '0/1', '']],
    [{ startTime: '1970-01-01T00:00:30Z' }, ['Running', '0/1', '30s']],
    [complete, ['Complete', '1/1', '5s']],
    [{ conditions: [condition('Failed')] }, ['Failed', '0/1', '']],
    [{ conditions: [condition('Suspended')] }, ['Suspended', '0/1', '']],
  ])('%j is shown', (status, cells) => {
    expect((jobs.columns ?? []).slice(1, 4).map((column) => column.value(job({}, status), ctx.nowMs))).toEqual(cells)
  })
})

describe('a cron job', () => {
  const cronJob = (spec: Partial<CronJobSpec> = {}, name = 'nightly') => {
    const object = {
      metadata: { name },
      spec: structuredClone({ schedule: '0 3 * * *', jobTemplate: { spec: { template } }, ...spec }),
    }
    cronJobs.defaults?.(object)
    return object
  }
  const check = (spec: Partial<CronJobSpec>, old?: Partial<CronJobSpec>, name?: string) =>
    (cronJobs.validate?.(cronJob(spec, name), old && cronJob(old), ctx) ?? []).map(formatFieldError)
  const noZone = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'

  it.each<[string, Partial<CronJobSpec>, Partial<CronJobSpec> | undefined, string[]]>([
    ['every night', {}, undefined, []],
    ['never said when', { schedule: '' }, undefined, ['spec.schedule: Required value']],
    [
      'at no time',
      { schedule: '* * * *' },
      undefined,
      ['spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]'],
    ],
    ['in a zone', { timeZone: 'Europe/Berlin' }, undefined, []],
    [
      'in no zone',
      { timeZone: '' },
      undefined,
      ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
    ],
    [
      'in an unknown zone',
      { timeZone: 'Moon/Base' },
      undefined,
      ['spec.timeZone: Invalid value: "Moon/Base": unknown time zone Moon/Base'],
    ],
    [
      'in the zone of wherever',
      { timeZone: 'Local' },
      undefined,
      [
        'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ],
    ],
    [
      'with the zone in the schedule',
      { schedule: 'TZ=UTC 0 3 * * *' },
      undefined,
      [`spec.schedule: Invalid value: "TZ=UTC 0 3 * * *": ${noZone}`],
    ],
    [
      'with the zone in the schedule, as before',
      { schedule: 'TZ=UTC 0 3 * * *' },
      { schedule: 'TZ=UTC 0 4 * * *' },
      [],
    ],
    [
      'all at once',
      { concurrencyPolicy: 'Chaos' },
      undefined,
      ['spec.concurrencyPolicy: Unsupported value: "Chaos": supported values: "Allow", "Forbid", "Replace"'],
    ],
    [
      'with a selector',
      { jobTemplate: { spec: { template, selector: {} } } },
      undefined,
      ['spec.jobTemplate.spec.selector: Invalid value: {}: `selector` will be auto-generated'],
    ],
  ])('may run %s, or is told why not', (_, spec, old, expected) => {
    expect(check(spec, old)).toEqual(expected)
  })

  it('leaves room in its name for those of its jobs', () => {
    const name = 'a'.repeat(53)
    expect(check({}, undefined, name)).toEqual([
      `metadata.name: Invalid value: "${name}": must be no more than 52 characters`,
    ])
  })
})
