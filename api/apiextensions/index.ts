import type { Resource } from '../machinery/resource.ts'
import { isConditionTrue, withCondition } from './crd-conditions.ts'
import { customResourceCleanupFinalizer, customResourceDefinitions } from './customresourcedefinition.ts'

export { customResourceCleanupFinalizer, customResourceDefinitions, isConditionTrue, withCondition }
export const apiextensionsResources: readonly Resource[] = [customResourceDefinitions]
