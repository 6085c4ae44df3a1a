import { dnsSubdomain } from '../core/field-formats.ts'
import { canonicalIpMessages } from '../core/ip.ts'
import type { IPAddress, IPAddressSpec } from '../generated/types.ts'
import { child, type FieldError, required } from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { requiredSegment, segment } from './references.ts'

/** Its parent may be missing before validation. */
export type IPAddressObject = Omit<Stored<IPAddress>, 'spec'> & { spec: Partial<IPAddressSpec> }

/** One address that is taken, named by itself; whoever holds it is its parent. */
export const ipAddresses = defineResource<IPAddressObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  singular: 'ipaddress',
  shortNames: ['ip'],
  namespaced: false,
  schema: builtinSchema('io.k8s.api.networking.v1.IPAddress'),
  validateName: canonicalIpMessages,
  validate: ({ spec }, old) => [
    ...validateParent(spec),
    ...(old ? immutable(spec.parentRef, old.spec.parentRef, 'spec.parentRef') : []),
  ],
  columns: [
    nameColumn,
    {
      name: 'ParentRef',
      type: 'string',
      description: 'Who holds the address.',
      value({ spec }) {
        if (!spec.parentRef) return '<none>'
        const { group, resource, namespace, name } = spec.parentRef
        const of = `${resource}${group ? `.${group}` : ''}`.toLowerCase()
        return `${of}${namespace ? `/${namespace}` : ''}/${name}`
      },
    },
  ],
})

function validateParent(spec: Partial<IPAddressSpec>): FieldError[] {
  const path = 'spec.parentRef'
  const parent = spec.parentRef
  if (!parent) return [required(path)]
  const { group, resource, name, namespace } = parent
  return [
    ...(group ? dnsSubdomain(child(path, 'group'), group) : []),
    ...requiredSegment(child(path, 'resource'), resource),
    ...requiredSegment(child(path, 'name'), name),
    ...(namespace ? segment(child(path, 'namespace'), namespace) : []),
  ]
}
