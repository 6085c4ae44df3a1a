import type { PodInfo } from '../../scheduler/framework/pod-info.ts'

/** From here on, pods belong to the system. */
const criticalPriority = 2_000_000_000
/** Who makes a new pod for one that is evicted, wherever it may run. */
const replacing = new Set(['ReplicaSet', 'StatefulSet', 'ReplicationController', 'Job'])

/** Whether a pod can be evicted for its replacement to run elsewhere. */
export function isMovable({ pod, priority, terminating }: PodInfo): boolean {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)
  const isMirror = pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined
  const isLocal =
    pod.spec?.volumes?.some(({ emptyDir, hostPath }) => emptyDir?.medium === 'Memory' || hostPath) ?? false
  return replacing.has(owner?.kind ?? '') && priority < criticalPriority && !terminating && !isMirror && !isLocal
}
