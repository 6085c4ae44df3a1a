import type { ResourceV1ResourceClaim } from '../generated/types.ts'
import { immutable } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { ageColumn, nameColumn } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { dropDeallocatedDevices, validateClaimStatus } from './claim-status.ts'
import { defaultDeviceClaim, validateDeviceClaim } from './device-requests.ts'

type Claim = Stored<ResourceV1ResourceClaim>

export const resourceClaims = defineResource<Claim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  namespaced: true,
  schema: builtinSchema('io.k8s.api.resource.v1.ResourceClaim'),
  defaults: ({ spec }) => defaultDeviceClaim(spec?.devices),
  validate: (claim, old) =>
    old ? immutable(claim.spec, old.spec, 'spec') : validateDeviceClaim(claim.spec?.devices, 'spec.devices'),
  validateStatus: validateClaimStatus,
  strategy: { status: true, returnDeleted: true, prepareForStatusUpdate: dropDeallocatedDevices },
  columns: [
    nameColumn,
    {
      name: 'State',
      type: 'string',
      description: 'A summary of the current state (allocated, pending, reserved, etc.).',
      value: summarize,
    },
    ageColumn,
  ],
})

function summarize({ metadata, status }: Claim): string {
  const states: string[] = metadata.deletionTimestamp ? ['deleted'] : []
  if (status?.allocation) {
    states.push('allocated')
    if (status.reservedFor?.length) states.push('reserved')
  } else if (!metadata.deletionTimestamp) states.push('pending')
  return states.join(',')
}
