import type { Resource } from '../machinery/resource.ts'
import { leases } from './lease.ts'

export { leases }
export const coordinationResources: readonly Resource[] = [leases]
