import { describe, expect, it } from 'vitest'
import type { LimitRangeItem } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type LimitRangeObject, limitRanges } from './limitrange.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function range(...limits: LimitRangeItem[]): LimitRangeObject {
  const made: LimitRangeObject = { metadata: { name: 'a' }, spec: { limits: structuredClone(limits) } }
  limitRanges.defaults?.(made)
  return made
}

describe('a limit range', () => {
  it('fills in the limits of containers from the maximum, and requests from limits or the minimum', () => {
    const limit = { type: 'Container', max: { cpu: '2' }, default: { memory: '1Gi' }, min: { cpu: '1', storage: '1' } }
    expect(range(limit).spec.limits[0]).toEqual({
      ...limit,
      default: { cpu: '2', memory: '1Gi' },
      defaultRequest: { cpu: '2', memory: '1Gi', storage: '1' },
    })
  })

  it('fills in nothing for pods', () => {
    expect(range({ type: 'Pod', max: { cpu: '2' } }).spec.limits[0]).toEqual({ type: 'Pod', max: { cpu: '2' } })
  })

  const first = 'spec.limits[0]'
  it.each<[string, LimitRangeItem[], string[]]>([
    ['in order', [{ type: 'Container', max: { cpu: '2' }, min: { cpu: '1' }, maxLimitRequestRatio: { cpu: '2' } }], []],
    [
      'on an extended resource',
      [{ type: 'Container', default: { 'a.b/c': '1' }, defaultRequest: { 'a.b/c': '1' } }],
      [],
    ],
    ['of one type twice', [{ type: 'Pod' }, { type: 'Pod' }], ['spec.limits[1].type: Duplicate value: "Pod"']],
    [
      'of an unknown type',
      [{ type: 'House' }],
      [`${first}.type: Invalid value: "House": must be a standard limit type or fully qualified`],
    ],
    [
      'on a resource that containers do not have',
      [{ type: 'Pod', max: { storage: '1' } }],
      [`${first}.max[storage]: Invalid value: "storage": must be a standard resource for containers`],
    ],
    [
      'with defaults for pods',
      [{ type: 'Pod', default: { cpu: '1' } }],
      [`${first}.default: Forbidden: may not be specified when \`type\` is 'Pod'`],
    ],
    [
      'on claims, without a bound',
      [{ type: 'PersistentVolumeClaim' }],
      [
        `${first}.limits: Required value: either minimum or maximum storage value is required, but neither was provided`,
      ],
    ],
    [
      'with the minimum above the maximum',
      [{ type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }],
      [`${first}.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1`],
    ],
    [
      'with defaults out of bounds',
      [
        {
          type: 'Container',
          min: { cpu: '2' },
          default: { cpu: '3' },
          defaultRequest: { cpu: '1' },
          max: { cpu: '2' },
        },
      ],
      [
        `${first}.defaultRequest[cpu]: Invalid value: "1": min value 2 is greater than default request value 1`,
        `${first}.default[cpu]: Invalid value: "2": default value 3 is greater than max value 2`,
      ],
    ],
    [
      'with a request above the limit',
      [{ type: 'Container', default: { cpu: '1' }, defaultRequest: { cpu: '1500m' } }],
      [
        `${first}.defaultRequest[cpu]: Invalid value: "1500m": default request value 1500m is greater than default limit value 1`,
      ],
    ],
    [
      'with too small a ratio',
      [{ type: 'Pod', maxLimitRequestRatio: { cpu: '800m' } }],
      [`${first}.maxLimitRequestRatio[cpu]: Invalid value: "800m": ratio 800m is less than 1`],
    ],
    [
      'with a ratio nobody can reach',
      [{ type: 'Pod', min: { cpu: '500m' }, max: { cpu: '1' }, maxLimitRequestRatio: { cpu: '3' } }],
      [`${first}.maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000`],
    ],
    [
      'that would overcommit devices',
      [{ type: 'Container', default: { 'a.b/c': '2' }, defaultRequest: { 'a.b/c': '1' } }],
      [
        `${first}.defaultRequest[a.b/c]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.b/c`,
      ],
    ],
  ])('%s', (_, limits, expected) => {
    expect(limitRanges.validate?.(range(...limits), undefined, ctx).map(formatFieldError)).toEqual(expected)
  })
})
