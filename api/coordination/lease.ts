import type { Lease, LeaseSpec } from '../generated/types.ts'
import { type FieldError, forbidden, invalid, notSupported } from '../machinery/field-errors.ts'
import { isQualifiedName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'

export const leases = defineResource<Stored<Lease>>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.coordination.v1.Lease'),
  validate: (lease) => validateLeaseSpec(lease.spec ?? {}),
  strategy: {
    createOnUpdate: true,
    unconditionalUpdate: false,
    prepareForCreate: (lease) => dropCoordination(lease.spec, undefined),
    prepareForUpdate: (lease, old) => dropCoordination(lease.spec, old.spec),
  },
  columns: [
    nameColumn,
    {
      name: 'Holder',
      type: 'string',
      description: 'Identity of the holder of the lease.',
      value: (lease) => lease.spec?.holderIdentity ?? '',
    },
    ageColumn,
  ],
})

/** Coordinated leader election is off in upstream by default; its fields stay only where they already are. */
function dropCoordination(spec: LeaseSpec | undefined, old: LeaseSpec | undefined): void {
  if (!spec) return
  if (old?.strategy === undefined) delete spec.strategy
  if (old?.preferredHolder === undefined) delete spec.preferredHolder
}

function validateLeaseSpec(spec: LeaseSpec): FieldError[] {
  const errors: FieldError[] = []
  const { leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = spec
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(invalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(invalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'))
  }
  if (strategy !== undefined) errors.push(...validateStrategy(strategy))
  if (preferredHolder && !strategy) {
    errors.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
  }
  return errors
}

function validateStrategy(strategy: string): FieldError[] {
  // Upstream names the field twice here; clients see it so.
  const path = 'spec.strategy.strategy'
  if (strategy.includes('/')) return isQualifiedName(strategy).map((message) => invalid(path, strategy, message))
  return strategy === 'OldestEmulationVersion' ? [] : [notSupported(path, strategy, ['OldestEmulationVersion'])]
}
