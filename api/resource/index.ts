import type { Resource } from '../machinery/resource.ts'
import { adminAccessPath } from './device-requests.ts'
import { deviceClasses } from './deviceclass.ts'
import { resourceClaims } from './resourceclaim.ts'
import { resourceClaimTemplates } from './resourceclaimtemplate.ts'
import { resourceSlices } from './resourceslice.ts'

export { adminAccessPath, deviceClasses, resourceClaims, resourceClaimTemplates, resourceSlices }
export const resourceResources: readonly Resource[] = [
  deviceClasses,
  resourceClaims,
  resourceClaimTemplates,
  resourceSlices,
]
