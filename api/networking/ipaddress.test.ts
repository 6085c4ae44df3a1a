import { describe, expect, it } from 'vitest'
import type { ParentReference } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type IPAddressObject, ipAddresses } from './ipaddress.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const parent: ParentReference = { resource: 'services', namespace: 'ns', name: 'web' }
const address = (parentRef?: ParentReference): IPAddressObject => ({
  metadata: { name: '10.0.0.1' },
  spec: parentRef ? { parentRef } : {},
})
const faults = (made: IPAddressObject, old?: IPAddressObject) =>
  ipAddresses.validate?.(made, old, ctx).map(formatFieldError)

describe('an IP address', () => {
  it.each([
    ['10.0.0.1', 0],
    ['2001:db8::1', 0],
    ['2001:DB8::1', 1],
    ['010.0.0.1', 1],
    ['web', 1],
  ])('named %s has %i faults', (name, expected) => {
    expect(ipAddresses.validateName?.(name, false)).toHaveLength(expected)
  })

  it.each<[string, ParentReference | undefined, string[]]>([
    ['a service', parent, []],
    ['nobody', undefined, ['spec.parentRef: Required value']],
    [
      'somebody nameless',
      { resource: '', name: '' },
      ['spec.parentRef.resource: Required value', 'spec.parentRef.name: Required value'],
    ],
    [
      'an impossible name',
      { ...parent, name: 'a/b' },
      ['spec.parentRef.name: Invalid value: "a/b": may not contain \'/\''],
    ],
  ])('held by %s', (_, parentRef, expected) => {
    expect(faults(address(parentRef))).toEqual(expected)
  })

  it('never changes hands', () => {
    expect(faults(address({ ...parent, name: 'other' }), address(parent))?.[0]).toMatch(
      /^spec\.parentRef: .*field is immutable$/,
    )
  })

  it('shows its holder', () => {
    const text = (made: IPAddressObject) => ipAddresses.columns?.[1]?.value(made, 0)
    expect([
      text(address(parent)),
      text(address({ group: 'gateway.io', resource: 'Gateways', name: 'g' })),
      text(address()),
    ]).toEqual(['services/ns/web', 'gateways.gateway.io/g', '<none>'])
  })
})
