import type { ResourceRequirements } from '../../api/generated/types.ts'
import type { LinuxContainerResources } from '../runtime/cri.ts'

/** What the runtime says of a pod. Times are milliseconds since 1970; 0 where there is none. */

export interface ObservedContainer {
  id: string
  name: string
  sandboxId: string
  state: 'created' | 'running' | 'exited' | 'unknown'
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  reason: string
  message: string
  /** The image as the specification named it, and what it was resolved to. */
  image: string
  imageId: string
  restartCount: number
  /** Of the part of the specification that a running container cannot change; '' where the annotation is missing. */
  hash: string
  logPath: string
  user?: { uid: number; gid: number; supplementalGroups: number[] }
  /** What the runtime holds it to, if it tells. */
  resources?: RuntimeResources
  /** The resources that it was made with. */
  madeWith?: ResourceRequirements
}

export type RuntimeResources = Pick<
  LinuxContainerResources,
  'cpuShares' | 'cpuPeriod' | 'cpuQuota' | 'memoryLimitInBytes'
>

export interface ObservedSandbox {
  id: string
  attempt: number
  ready: boolean
  createdAt: number
  ips: string[]
  hostNetwork: boolean
}

/** Sandboxes and containers newest first. */
export interface ObservedPod {
  uid: string
  name: string
  namespace: string
  sandboxes: ObservedSandbox[]
  containers: ObservedContainer[]
}

/** The newest container of that name. */
export function latestContainer(observed: ObservedPod, name: string): ObservedContainer | undefined {
  return observed.containers.find((container) => container.name === name)
}

export const isRunning = (container: ObservedContainer | undefined): container is ObservedContainer =>
  container?.state === 'running'

/** A pod of which the runtime has nothing. */
export const nothingObserved = (of: { uid: string; name: string; namespace: string }): ObservedPod => ({
  uid: of.uid,
  name: of.name,
  namespace: of.namespace,
  sandboxes: [],
  containers: [],
})
