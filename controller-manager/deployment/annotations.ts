import { configDigestsAnnotation } from '../../api/gantry/rollout.ts'

export const annotationNames = {
  revision: 'deployment.kubernetes.io/revision',
  revisionHistory: 'deployment.kubernetes.io/revision-history',
  desiredReplicas: 'deployment.kubernetes.io/desired-replicas',
  maxReplicas: 'deployment.kubernetes.io/max-replicas',
  rollbackTo: 'deprecated.deployment.rollback.to',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
} as const

const own: ReadonlySet<string> = new Set([...Object.values(annotationNames), configDigestsAnnotation])

/** Whether an annotation belongs to the object itself, and is not passed between a deployment and its replica sets. */
export const staysBehind = (name: string): boolean => own.has(name)
