import type { Resource } from '../machinery/resource.ts'
import { evictionSchema, validateEviction } from './eviction.ts'
import { podDisruptionBudgets } from './poddisruptionbudget.ts'

export { evictionSchema, podDisruptionBudgets, validateEviction }
export const policyResources: readonly Resource[] = [podDisruptionBudgets]
