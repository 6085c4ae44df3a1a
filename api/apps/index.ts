import type { Resource } from '../machinery/resource.ts'
import { controllerRevisions } from './controllerrevision.ts'
import { daemonSets } from './daemonset.ts'
import { deployments } from './deployment.ts'
import { replicaSets } from './replicaset.ts'
import { statefulSets } from './statefulset.ts'

/** The kinds of group apps. */
export const appsResources: readonly Resource[] = [
  controllerRevisions,
  daemonSets,
  deployments,
  replicaSets,
  statefulSets,
]
