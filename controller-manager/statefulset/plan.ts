import type { PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isAvailable, isReady } from '../pods/condition.ts'
import { revisionLabel } from '../revisions/revisions.ts'
import { firstOrdinal, hasIdentity, inRange, parseName, podFor, replicasOf } from './identity.ts'
import { belongsToFormerPod, claimOwners } from './retention.ts'
import { untilStuckMs } from './stuck.ts'

export interface World {
  set: Live<StatefulSet>
  /** The set's pods; missing numbers are to be made. */
  pods: readonly Live<Pod>[]
  /** The revision that runs, and the one to come; the same when there is nothing to update. */
  current: { name: string; template: PodTemplateSpec }
  update: { name: string; template: PodTemplateSpec }
  /** The claims of a pod that are there. */
  claimsOf(pod: Live<Pod>): readonly Live<PersistentVolumeClaim>[]
  nowMs: number
}

export type Step =
  /** With its claims. */
  | { do: 'create'; pod: Live<Pod> }
  | { do: 'delete'; pod: Live<Pod>; why: 'ended' | 'surplus' | 'outdated' }
  /** Claims that are missing, and the owners of those that are there. */
  | { do: 'claims'; pod: Live<Pod> }
  /** Labels or volumes are not those of the pod's number. */
  | { do: 'repair'; pod: Live<Pod> }

/**
 * What is to be done for the pods. By default one after the other in the order of their numbers, each only when all before are
 * available, and away in the reverse order; with `podManagementPolicy: Parallel` all at once. An update replaces pods one by
 * one, the highest number first, down to the partition.
 */
export function planStatefulSet(world: World): Step[] {
  const { set, pods } = world
  if (set.metadata.deletionTimestamp !== undefined) return []
  const parallel = set.spec?.podManagementPolicy === 'Parallel'
  const { replicas, surplus } = sortPods(world)
  const steps: Step[] = []
  for (const replica of replicas) {
    const { step, goOn } = replicaStep(world, replica)
    if (step) steps.push(step)
    if (!goOn && !parallel) return steps
  }
  for (const pod of surplus) {
    if (world.claimsOf(pod).some((claim) => claimOwners(set, pod, claim) !== undefined)) {
      steps.push({ do: 'claims', pod })
    }
  }
  const firstUnavailable = [...replicas.map(({ pod }) => pod), ...[...surplus].reverse()].find((pod) =>
    isUnavailable(world, pod),
  )
  for (const pod of surplus) {
    const leaving = pod.metadata.deletionTimestamp !== undefined
    if (parallel && leaving) continue
    // Any other trouble must end first; but a pod that is the trouble itself may go.
    const held = leaving || (pod !== firstUnavailable && isUnavailable(world, pod))
    if (parallel || !held) steps.push({ do: 'delete', pod, why: 'surplus' })
    if (!parallel) return steps
  }
  // In parallel mode something may have been missing; an update waits until all has been made.
  if (steps.some(({ do: what }) => what === 'delete')) return steps
  const outdated = nextOutdated(
    world,
    replicas.map(({ pod }) => pod),
  )
  if (outdated && pods.includes(outdated)) steps.push({ do: 'delete', pod: outdated, why: 'outdated' })
  return steps
}

/** The pods in order: those the set is to have, made up where missing, and the surplus ones, the highest number first. */
function sortPods(world: World): { replicas: { pod: Live<Pod>; exists: boolean }[]; surplus: Live<Pod>[] } {
  const { set, pods } = world
  const ordinalOf = (pod: Live<Pod>) => parseName(pod.metadata.name)?.ordinal ?? -1
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod), pod]))
  const replicas = Array.from({ length: replicasOf(set) }, (_, i) => {
    const ordinal = firstOrdinal(set) + i
    const pod = byOrdinal.get(ordinal)
    return pod ? { pod, exists: true } : { pod: missingPod(world, ordinal), exists: false }
  })
  const surplus = pods
    .filter((pod) => ordinalOf(pod) >= 0 && !inRange(set, ordinalOf(pod)))
    .sort((a, b) => ordinalOf(b) - ordinalOf(a))
  return { replicas, surplus }
}

/** Below the partition a pod comes back as it was. */
function missingPod({ set, current, update }: World, ordinal: number): Live<Pod> {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {}
  const boundary = rollingUpdate
    ? (rollingUpdate.partition ?? 0)
    : type === 'RollingUpdate'
      ? (set.status?.currentReplicas ?? 0)
      : 0
  const { name, template } = ordinal < firstOrdinal(set) + boundary ? current : update
  return podFor(set, template, name, ordinal)
}

function replicaStep(
  world: World,
  { pod, exists }: { pod: Live<Pod>; exists: boolean },
): { step?: Step; goOn: boolean } {
  const { set, claimsOf, nowMs } = world
  if (!exists) {
    const policy = set.spec?.persistentVolumeClaimRetentionPolicy?.whenScaled
    const stale = policy === 'Delete' && claimsOf(pod).some((claim) => belongsToFormerPod(claim, pod.metadata.name))
    return stale ? { goOn: false } : { step: { do: 'create', pod }, goOn: false }
  }
  const { phase } = pod.status ?? {}
  const leaving = pod.metadata.deletionTimestamp !== undefined
  if (phase === 'Failed' || phase === 'Succeeded') {
    return leaving ? { goOn: false } : { step: { do: 'delete', pod, why: 'ended' }, goOn: false }
  }
  const claims: { step?: Step } = phase === 'Pending' && needsClaims(world, pod) ? { step: { do: 'claims', pod } } : {}
  const settled = !leaving && phase === 'Running' && isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
  if (!settled && set.spec?.podManagementPolicy !== 'Parallel') {
    // Upstream waits for it all the same, and then only a deletion by hand helps.
    const stuck = isOutdated(world, pod) && untilStuckMs(pod, nowMs) === 0
    return stuck ? { step: { do: 'delete', pod, why: 'outdated' }, goOn: false } : { ...claims, goOn: false }
  }
  if (!hasIdentity(set, pod)) return { step: { do: 'repair', pod }, goOn: true }
  if (claimsOf(pod).some((claim) => claimOwners(set, pod, claim) !== undefined)) {
    return { step: { do: 'claims', pod }, goOn: true }
  }
  return { ...claims, goOn: true }
}

/** An update is to replace it, sooner or later. */
function isOutdated({ set, update }: World, { metadata }: Live<Pod>): boolean {
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {}
  const first = firstOrdinal(set) + (rollingUpdate?.partition ?? 0)
  return (
    type !== 'OnDelete' &&
    metadata.labels?.[revisionLabel] !== update.name &&
    (parseName(metadata.name)?.ordinal ?? 0) >= first
  )
}

/** When the first of the pods that an update waits for counts as stuck, in milliseconds from now; undefined if none can. */
export function untilNextStuckMs(world: World): number | undefined {
  const waits = world.pods.flatMap((pod) => (isOutdated(world, pod) ? (untilStuckMs(pod, world.nowMs) ?? []) : []))
  const later = waits.filter((wait) => wait > 0)
  return later.length > 0 ? Math.min(...later) : undefined
}

const needsClaims = ({ set, claimsOf }: World, pod: Live<Pod>): boolean =>
  claimsOf(pod).length < (set.spec?.volumeClaimTemplates ?? []).length

/** The pod to be replaced next; undefined while one above it is not available, or if all down to the partition are new. */
function nextOutdated(world: World, replicas: readonly Live<Pod>[]): Live<Pod> | undefined {
  const { set, update } = world
  const { type, rollingUpdate } = set.spec?.updateStrategy ?? {}
  if (type === 'OnDelete') return undefined
  for (let i = replicas.length - 1; i >= (rollingUpdate?.partition ?? 0); i--) {
    const pod = replicas[i] as Live<Pod>
    const leaving = pod.metadata.deletionTimestamp !== undefined
    if (pod.metadata.labels?.[revisionLabel] !== update.name && !leaving) return pod
    if (isUnavailable(world, pod)) return undefined
  }
  return undefined
}

const isUnavailable = ({ set, nowMs }: World, pod: Live<Pod>): boolean =>
  pod.metadata.deletionTimestamp !== undefined ||
  !isReady(pod) ||
  !isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)
