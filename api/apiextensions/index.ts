import type { Resource } from '../machinery/resource.ts'
import { isConditionTrue } from './crd-validation.ts'
import { customResourceCleanupFinalizer, customResourceDefinitions } from './customresourcedefinition.ts'

export { customResourceCleanupFinalizer, customResourceDefinitions, isConditionTrue }
export const apiextensionsResources: readonly Resource[] = [customResourceDefinitions]
