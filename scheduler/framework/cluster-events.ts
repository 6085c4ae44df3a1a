import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { PodInfo } from './pod-info.ts'
import type { Requests } from './requests.ts'

/** What happens in a cluster that can make room for a pod, with upstream's names for the metrics. */
const labels = {
  'Node/Add': 'NodeAdd',
  'Node/Delete': 'NodeDelete',
  'Node/UpdateAllocatable': 'NodeAllocatableChange',
  'Node/UpdateLabel': 'NodeLabelChange',
  'Node/UpdateTaint': 'NodeTaintChange',
  'UnscheduledPod/Add': 'UnscheduledPodAdd',
  'Pod/Add': 'AssignedPodAdd',
  'Pod/Delete': 'AssignedPodDelete',
  'Pod/UpdateLabel': 'PodLabelChange',
  'Pod/UpdateScaleDown': 'PodRequestScaledDown',
  'Pod/UpdateToleration': 'PodTolerationChange',
  'Pod/UpdateGatesEliminated': 'PodSchedulingGateEliminatedChange',
  'Pod/UpdateGeneratedResourceClaim': 'PodGeneratedResourceClaimChange',
  'Pod/Update': 'AssignedPodUpdate',
  'PersistentVolumeClaim/Add': 'PersistentVolumeClaimAdd',
  'PersistentVolumeClaim/Update': 'PersistentVolumeClaimUpdate',
  'PersistentVolume/Add': 'PersistentVolumeAdd',
  'PersistentVolume/Update': 'PersistentVolumeUpdate',
  'StorageClass/Add': 'StorageClassAdd',
  'StorageClass/Update': 'StorageClassUpdate',
  'CSINode/Add': 'CSINodeAdd',
  'CSINode/Update': 'CSINodeUpdate',
  'CSIDriver/Update': 'CSIDriverUpdate',
  'CSIStorageCapacity/Add': 'CSIStorageCapacityAdd',
  'CSIStorageCapacity/Update': 'CSIStorageCapacityUpdate',
  'VolumeAttachment/Delete': 'VolumeAttachmentDelete',
  'ResourceClaim/Add': 'ResourceClaimAdd',
  'ResourceClaim/Update': 'ResourceClaimUpdate',
  'ResourceClaim/Delete': 'ResourceClaimDelete',
  'DeviceClass/Add': 'DeviceClassAdd',
  'DeviceClass/Update': 'DeviceClassUpdate',
  'ResourceSlice/Add': 'ResourceSliceAdd',
  'ResourceSlice/Update': 'ResourceSliceUpdate',
} as const

export type ClusterEvent = keyof typeof labels

export const allEvents = Object.keys(labels) as readonly ClusterEvent[]

export const eventLabel = (event: ClusterEvent): string => labels[event]

/** What changed about a node that a plugin may want to know. */
export function nodeChanges(before: Live<Node>, after: Live<Node>): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (!same(before.status?.allocatable, after.status?.allocatable)) events.push('Node/UpdateAllocatable')
  if (!same(before.metadata.labels, after.metadata.labels)) events.push('Node/UpdateLabel')
  const opened = before.spec?.unschedulable === true && after.spec?.unschedulable !== true
  if (opened || !same(before.spec?.taints, after.spec?.taints)) events.push('Node/UpdateTaint')
  return events
}

/** What changed about a pod; `Pod/Update` for a change of no particular kind. */
export function podChanges(before: PodInfo, after: PodInfo): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (!same(before.labels, after.labels)) events.push('Pod/UpdateLabel')
  if (asksForLess(before.requests, after.requests)) events.push('Pod/UpdateScaleDown')
  const gates = ({ pod }: PodInfo) => pod.spec?.schedulingGates?.length ?? 0
  if (gates(before) > 0 && gates(after) === 0) events.push('Pod/UpdateGatesEliminated')
  const made = ({ pod }: PodInfo) => pod.status?.resourceClaimStatuses
  if (!same(made(before), made(after))) events.push('Pod/UpdateGeneratedResourceClaim')
  // Tolerations can be added only.
  if (before.tolerations.length !== after.tolerations.length) events.push('Pod/UpdateToleration')
  return events.length > 0 ? events : ['Pod/Update']
}

export function asksForLess(before: Requests, after: Requests): boolean {
  if (before.milliCpu > after.milliCpu || before.memoryBytes > after.memoryBytes) return true
  if (before.storageBytes > after.storageBytes) return true
  const scalars = new Map(after.scalars)
  return before.scalars.some(([name, amount]) => amount > (scalars.get(name) ?? 0))
}

/** Whether two values of JSON are equal; nothing equals an empty map or list. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isEmpty(a) && isEmpty(b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const keys = Object.keys(left)
  return keys.length === Object.keys(right).length && keys.every((key) => key in right && same(left[key], right[key]))
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === null || (typeof value === 'object' && Object.keys(value).length === 0)
