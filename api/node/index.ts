import type { Resource } from '../machinery/resource.ts'
import { deprecatedNodeLabel, nodeSelectorWarnings } from './deprecated-labels.ts'
import { runtimeClasses } from './runtimeclass.ts'

export { deprecatedNodeLabel, nodeSelectorWarnings, runtimeClasses }
export const nodeResources: readonly Resource[] = [runtimeClasses]
