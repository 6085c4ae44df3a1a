import type { Resource } from '../machinery/resource.ts'
import { highestUserPriority, priorityClasses, systemPriorityClasses } from './priorityclass.ts'

export { highestUserPriority, priorityClasses, systemPriorityClasses }
export const schedulingResources: readonly Resource[] = [priorityClasses]
