import type { Resource } from '../machinery/resource.ts'
import { deprecatedNodeLabels, nodeSelectorWarnings } from './deprecated-labels.ts'
import { runtimeClasses } from './runtimeclass.ts'

export { deprecatedNodeLabels, nodeSelectorWarnings, runtimeClasses }
export const nodeResources: readonly Resource[] = [runtimeClasses]
