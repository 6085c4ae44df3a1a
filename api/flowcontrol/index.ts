import type { Resource } from '../machinery/resource.ts'
import {
  autoUpdateAnnotation,
  bootstrapFlowSchemas,
  bootstrapPriorityLevels,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
} from './bootstrap.ts'
import { flowSchemas } from './flowschema.ts'
import { priorityLevelConfigurations } from './prioritylevelconfiguration.ts'

export {
  autoUpdateAnnotation,
  bootstrapFlowSchemas,
  bootstrapPriorityLevels,
  flowSchemas,
  mandatoryFlowSchemas,
  mandatoryPriorityLevels,
  priorityLevelConfigurations,
}
export const flowcontrolResources: readonly Resource[] = [flowSchemas, priorityLevelConfigurations]
