import type { Resource } from '../machinery/resource.ts'
import { pods } from './pod.ts'
import { podTemplates } from './podtemplate.ts'
import { replicationControllers } from './replicationcontroller.ts'

/** Pods and what makes pods, of the core group. */
export const coreWorkloadResources: readonly Resource[] = [pods, podTemplates, replicationControllers]
