import { describe, expect, it } from 'vitest'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { serviceCIDRs } from './servicecidr.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const range = (cidrs: string[]) => ({ metadata: { name: 'r' }, spec: { cidrs } })
const faults = (cidrs: string[], old?: string[]) =>
  serviceCIDRs.validate?.(range(cidrs), old && range(old), ctx).map(formatFieldError)

describe('a service CIDR', () => {
  it.each<[string[], string[]]>([
    [['10.0.0.0/16'], []],
    [['10.0.0.0/16', '2001:db8::/64'], []],
    [[], ['spec.cidrs: Required value: at least one CIDR required']],
    [
      ['1.0.0.0/8', '2.0.0.0/8', '3.0.0.0/8'],
      ['spec.cidrs: Invalid value: {"CIDRs":["1.0.0.0/8","2.0.0.0/8","3.0.0.0/8"]}: may only hold up to 2 values'],
    ],
    [['10.0.0.1/16'], ['spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length']],
    [['2001:DB8::/64'], ['spec.cidrs[0]: Invalid value: "2001:DB8::/64": must be in canonical form ("2001:db8::/64")']],
    [
      ['1.0.0.0/8', '2.0.0.0/8'],
      [
        'spec.cidrs: Invalid value: ["1.0.0.0/8","2.0.0.0/8"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
      ],
    ],
  ])('of %j has the faults %j', (cidrs, expected) => {
    expect(faults(cidrs)).toEqual(expected)
  })

  it.each<[string, string[], string[], string[]]>([
    ['nothing', ['10.0.0.0/16'], ['10.0.0.0/16'], []],
    ['a second family', ['10.0.0.0/16'], ['10.0.0.0/16', '2001:db8::/64'], []],
    [
      'another range',
      ['10.0.0.0/16'],
      ['10.1.0.0/16'],
      ['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable'],
    ],
    [
      'one range less',
      ['10.0.0.0/16', '2001:db8::/64'],
      ['10.0.0.0/16'],
      ['spec.cidrs: Invalid value: ["10.0.0.0/16"]: field is immutable'],
    ],
  ])('may change by %s, or is told why not', (_, old, next, expected) => {
    expect(faults(next, old)).toEqual(expected)
  })
})
