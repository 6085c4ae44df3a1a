import { canonicalCidrFaults, cidrFamily } from '../core/ip.ts'
import type { ServiceCIDR, ServiceCIDRSpec } from '../generated/types.ts'
import { type FieldError, index, invalid, required } from '../machinery/field-errors.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export type ServiceCIDRObject = Stored<ServiceCIDR> & { spec: ServiceCIDRSpec }

/** A range that services get their addresses from. */
export const serviceCIDRs = defineResource<ServiceCIDRObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  singular: 'servicecidr',
  namespaced: false,
  schema: builtinSchema('io.k8s.api.networking.v1.ServiceCIDR'),
  defaults(range) {
    range.spec ??= {}
  },
  validate: ({ spec }, old) =>
    old ? validateUpdate(spec.cidrs ?? [], old.spec.cidrs ?? []) : validateCidrs(spec.cidrs ?? []),
  strategy: { status: true },
  columns: [
    nameColumn,
    {
      name: 'CIDRs',
      type: 'string',
      description: 'The ranges, at most one of each family.',
      value: ({ spec }) => (spec.cidrs ?? []).join(','),
    },
    ageColumn,
  ],
})

const path = 'spec.cidrs'
const immutableDetail = 'field is immutable'

function validateCidrs(cidrs: readonly string[]): FieldError[] {
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalid(path, { CIDRs: cidrs }, 'may only hold up to 2 values')]
  const errors = cidrs.flatMap((cidr, i) => canonicalCidrFaults(index(path, i), cidr))
  const [first, second] = cidrs.map(cidrFamily)
  if (cidrs.length === 2 && first !== undefined && first === second) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
    errors.push(invalid(path, cidrs, detail))
  }
  return errors
}

/** The only change there is: a range of the other family may join. */
function validateUpdate(cidrs: readonly string[], old: readonly string[]): FieldError[] {
  const changed = (i: number) => (cidrs[i] === old[i] ? [] : [invalid(index(path, i), cidrs[i] ?? '', immutableDetail)])
  if (cidrs.length === old.length) return old.flatMap((_, i) => changed(i))
  if (old.length === 1 && cidrs.length === 2) return [...changed(0), ...validateCidrs(cidrs)]
  return [invalid(path, cidrs, immutableDetail)]
}
