import { describe, expect, it } from 'vitest'
import type { ResourceQuotaSpec, ResourceQuotaStatus } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type ResourceQuotaObject, resourceQuotas } from './resourcequota.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const quota = (spec: ResourceQuotaSpec, status?: ResourceQuotaStatus): ResourceQuotaObject => ({
  metadata: { name: 'q', resourceVersion: '1' },
  spec,
  ...(status ? { status } : {}),
})
const selecting = (scopeName: string, operator: string, values?: string[]) => ({
  scopeSelector: { matchExpressions: [{ scopeName, operator, ...(values ? { values } : {}) }] },
})
const at = 'spec.scopeSelector.matchExpressions'

describe('a resource quota', () => {
  it.each<[string, ResourceQuotaSpec, string[]]>([
    [
      'of all sorts',
      { hard: { cpu: '1', 'limits.memory': '1Gi', pods: '10', 'count/jobs.batch': '3', 'requests.a.b/c': '1' } },
      [],
    ],
    ['of huge pages', { hard: { 'requests.hugepages-2Mi': '2Mi' } }, []],
    [
      'of an unknown resource',
      { hard: { magic: '1' } },
      [
        'spec.hard[magic]: Invalid value: "magic": must be a standard resource type or fully qualified',
        'spec.hard[magic]: Invalid value: "magic": must be a standard resource for quota',
      ],
    ],
    [
      'of storage as such',
      { hard: { storage: '1' } },
      ['spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota'],
    ],
    ['of part of a pod', { hard: { pods: '.5' } }, ['spec.hard[pods]: Invalid value: ".5": must be an integer']],
    [
      'of less than nothing',
      { hard: { cpu: '-1' } },
      ['spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
    ],
    ['within a scope', { hard: { pods: '1' }, scopes: ['BestEffort'] }, []],
    [
      'within a scope that does not fit',
      { hard: { cpu: '1' }, scopes: ['BestEffort'] },
      ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'],
    ],
    [
      'within contrary scopes',
      { scopes: ['Terminating', 'NotTerminating'] },
      ['spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes'],
    ],
    ['within an unknown scope', { scopes: ['Odd'] }, ['spec.scopes: Invalid value: ["Odd"]: unsupported scope']],
    ['for priority classes', { hard: { pods: '1' }, ...selecting('PriorityClass', 'In', ['high']) }, []],
    [
      'for no priority class',
      selecting('PriorityClass', 'In'),
      [
        `${at}.values: Required value: must be at least one value when \`operator\` is 'In' or 'NotIn' for scope selector`,
      ],
    ],
    [
      'for a class that exists, by name',
      selecting('PriorityClass', 'Exists', ['high']),
      [
        `${at}.values: Invalid value: ["high"]: must be no value when \`operator\` is 'Exist' or 'DoesNotExist' for scope selector`,
      ],
    ],
    [
      'by an unknown operator',
      selecting('PriorityClass', 'Like'),
      [`${at}.operator: Invalid value: "Like": not a valid selector operator`],
    ],
    [
      'for volume classes',
      { hard: { persistentvolumeclaims: '1', 'requests.storage': '1Gi' }, scopes: ['VolumeAttributesClass'] },
      [],
    ],
  ])('%s', (_, spec, expected) => {
    expect(resourceQuotas.validate?.(quota(spec), undefined, ctx).map(formatFieldError)).toEqual(expected)
  })

  it('allows "exists" only, where a scope has no values', () => {
    const errors = resourceQuotas.validate?.(quota(selecting('Terminating', 'In', ['x'])), undefined, ctx) ?? []
    expect(errors.map(({ field }) => field)).toEqual([`${at}.operator`])
  })

  it('keeps its scopes, in whatever order', () => {
    const old = quota({ scopes: ['Terminating', 'BestEffort'] })
    const faults = (scopes: string[]) => resourceQuotas.validate?.(quota({ scopes }), old, ctx).map(formatFieldError)
    expect(faults(['BestEffort', 'Terminating'])).toEqual([])
    expect(faults(['BestEffort'])).toEqual(['spec.scopes: Invalid value: ["BestEffort"]: field is immutable'])
  })

  it('warns, when it is made, of requests above limits', () => {
    const made = quota({ hard: { cpu: '2', 'limits.cpu': '1', 'requests.memory': '1Gi', 'limits.memory': '2Gi' } })
    expect(resourceQuotas.warnings?.(made, undefined)).toEqual([
      'ResourceQuota cpu (2) should be less than limits.cpu (1)',
    ])
    expect(resourceQuotas.warnings?.(made, made)).toEqual([])
  })

  it('shows what is used of what', () => {
    const made = quota({}, { hard: { pods: '5', cpu: '2', 'limits.cpu': '4' }, used: { cpu: '1' } })
    expect(resourceQuotas.columns?.slice(1, 3).map(({ value }) => value(made, 0))).toEqual([
      'cpu: 1/2, pods: 0/5',
      'limits.cpu: 0/4',
    ])
  })
})
