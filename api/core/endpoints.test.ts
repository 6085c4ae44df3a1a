import { describe, expect, it } from 'vitest'
import type { EndpointSubset } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type EndpointsObject, endpoints } from './endpoints.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function of(...subsets: EndpointSubset[]): EndpointsObject {
  const made: EndpointsObject = { metadata: { name: 'web' }, subsets: structuredClone(subsets) }
  endpoints.defaults?.(made)
  return made
}

const ip = (text: string) => ({ ip: text })

describe('endpoints', () => {
  it.each<[string, EndpointSubset, string[]]>([
    ['addresses and a port', { addresses: [ip('10.0.0.1')], ports: [{ port: 80 }] }, []],
    ['only addresses that are not ready', { notReadyAddresses: [ip('10.0.0.1')] }, []],
    [
      'no address',
      { ports: [{ port: 80 }] },
      ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
    ],
    [
      'ports without names',
      { addresses: [ip('10.0.0.1')], ports: [{ port: 80 }, { name: 'b', port: 81 }] },
      ['subsets[0].ports[0].name: Required value'],
    ],
    [
      'a link-local address',
      { addresses: [ip('169.254.0.1')] },
      [
        'subsets[0].addresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
      ],
    ],
    [
      'an unknown protocol',
      { addresses: [ip('10.0.0.1')], ports: [{ port: 80, protocol: 'X' }] },
      ['subsets[0].ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"'],
    ],
  ])('with %s', (_, subset, expected) => {
    expect(endpoints.validate?.(of(subset), undefined, ctx).map(formatFieldError)).toEqual(expected)
  })

  it('that were accepted once still are, until they change', () => {
    const old = of({ addresses: [ip('127.0.0.1')] })
    expect(endpoints.validate?.(of({ addresses: [ip('127.0.0.1')] }), old, ctx)).toEqual([])
    expect(endpoints.validate?.(of({ addresses: [ip('127.0.0.2')] }), old, ctx)).toHaveLength(1)
  })

  it('get warnings only from others than their controller', () => {
    const made = of({ addresses: [ip('FE80::1')] })
    expect(endpoints.warnings?.(made, undefined)).toHaveLength(1)
    made.metadata.labels = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' }
    expect(endpoints.warnings?.(made, undefined)).toEqual([])
  })

  it.each<[EndpointSubset[], string]>([
    [[], '<none>'],
    [[{ addresses: [ip('10.0.0.1')], ports: [{ port: 80 }] }], '10.0.0.1:80'],
    [[{ addresses: [ip('10.0.0.1'), ip('fd00::1')] }], '10.0.0.1,fd00::1'],
    [[{ addresses: [ip('fd00::1')], ports: [{ port: 80 }] }], '[fd00::1]:80'],
    [
      [{ addresses: ['1', '2', '3'].map((n) => ip(`10.0.0.${n}`)), ports: [{ port: 80 }, { port: 81 }] }],
      '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 3 more...',
    ],
  ])('%j print as %s', (subsets, expected) => {
    expect(endpoints.columns?.[1]?.value(of(...subsets), 0)).toBe(expected)
  })
})
