import type { Resource } from '../machinery/resource.ts'
import { apiServices, localCondition } from './apiservice.ts'

export { apiServices, localCondition }
export const apiregistrationResources: readonly Resource[] = [apiServices]
