import type { Pod } from '../api/generated/types.ts'
import type { Informer, InformerFactory } from '../client/informer.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  deviceClasses,
  nodes as nodeRef,
  persistentVolumeClaims,
  persistentVolumes,
  pods as podRef,
  resourceClaims,
  resourceSlices,
  storageClasses,
  volumeAttachments,
} from '../client/resources.ts'
import type { Live, ResourceRef } from '../client/types.ts'
import type { Cache } from './cache/cache.ts'
import type { Gangs } from './cache/gangs.ts'
import { type ClusterEvent, nodeChanges, podChanges } from './framework/cluster-events.ts'
import { PodInfo } from './framework/pod-info.ts'
import type { SchedulingQueue } from './queue/scheduling-queue.ts'
import { trimNode, trimPod } from './trim.ts'

export interface Connection {
  cache: Cache
  queue: SchedulingQueue
  gangs: Gangs
  isOurs: (pod: PodInfo) => boolean
  /** Keeps all there is of pods and nodes, for others to look at. */
  whole?: boolean
  /** Told of every pod that is no more. */
  onGone?: (pod: PodInfo) => void
}

export type PodIdentity = Pick<PodInfo, 'namespace' | 'name' | 'uid'>

/**
 * Feeds what happens in the cluster to the cache (nodes, and pods that have one) and to the queue (pods that have none;
 * and the news that may help those that were refused). Answers how to look up a pod as it is now.
 */
export function connectInformers(
  informers: InformerFactory,
  connection: Connection,
): (pod: PodIdentity) => PodInfo | undefined {
  const { queue, whole = false } = connection
  followNodes(informers, connection)
  const pods = informers.for(podRef, {
    // Pods that have ended take nothing of a node.
    fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
    ...(whole ? {} : { transform: trimPod }),
  })
  followPods(pods, connection)
  const follow = <T extends object>(
    ref: ResourceRef<T>,
    added?: ClusterEvent,
    updated?: ClusterEvent,
    deleted?: ClusterEvent,
  ) => {
    informers.for(ref).on({
      add: (after) => added && queue.moveOn(added, { object: { after } }),
      update: (before, after) => updated && queue.moveOn(updated, { object: { before, after } }),
      delete: (before) => deleted && queue.moveOn(deleted, { object: { before } }),
    })
  }
  follow(persistentVolumeClaims, 'PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update')
  follow(persistentVolumes, 'PersistentVolume/Add', 'PersistentVolume/Update')
  follow(storageClasses, 'StorageClass/Add', 'StorageClass/Update')
  follow(csiNodes, 'CSINode/Add', 'CSINode/Update')
  follow(csiDrivers, undefined, 'CSIDriver/Update')
  follow(csiStorageCapacities, 'CSIStorageCapacity/Add', 'CSIStorageCapacity/Update')
  follow(volumeAttachments, undefined, undefined, 'VolumeAttachment/Delete')
  follow(resourceClaims, 'ResourceClaim/Add', 'ResourceClaim/Update', 'ResourceClaim/Delete')
  follow(deviceClasses, 'DeviceClass/Add', 'DeviceClass/Update')
  follow(resourceSlices, 'ResourceSlice/Add', 'ResourceSlice/Update')
  return ({ namespace, name, uid }) => {
    const pod = pods.lister.get(namespace, name)
    return pod?.metadata.uid === uid ? new PodInfo(pod) : undefined
  }
}

function followNodes(informers: InformerFactory, { cache, queue, whole = false }: Connection): void {
  informers.for(nodeRef, whole ? {} : { transform: trimNode }).on({
    add(after) {
      cache.setNode(after)
      queue.moveOn('Node/Add', { node: { after } })
    },
    update(before, after) {
      cache.setNode(after)
      for (const event of nodeChanges(before, after)) queue.moveOn(event, { node: { before, after } })
    },
    delete(before) {
      queue.moveOn('Node/Delete', { node: { before } })
      cache.removeNode(before.metadata.name)
    },
  })
}

function followPods(pods: Informer<Pod>, { cache, queue, gangs, isOurs, onGone }: Connection): void {
  const placed = (pod: PodInfo) => {
    cache.setPod(pod)
    queue.delete(pod.uid)
    queue.moveOn('Pod/Add', { pod: { after: pod } })
  }
  /** What another pod took, or was promised, is free again. */
  const freed = (pod: PodInfo, isMeant?: (other: PodInfo) => boolean) =>
    queue.moveOn('Pod/Delete', { pod: { before: pod } }, isMeant)
  const unpromised = (pod: PodInfo) => freed(pod, (other) => other.priority <= pod.priority)
  /** It is going while it is on its way to a node: the place is free from now on. */
  const dropAssumed = (uid: string) => {
    const assumed = cache.pod(uid)
    if (assumed && cache.forget(uid)) freed(assumed)
  }

  pods.on({
    add(live) {
      const pod = new PodInfo(live)
      gangs.set(pod)
      if (pod.nodeName !== '') placed(pod)
      else if (isOurs(pod)) queue.add(pod)
      if (pod.gang) queue.moveOn('UnscheduledPod/Add', { pod: { after: pod } }, ({ uid }) => uid !== pod.uid)
    },
    update(liveBefore, liveAfter) {
      const after = new PodInfo(liveAfter)
      gangs.set(after)
      if (after.nodeName !== '') {
        const before = cache.isAssumed(after.uid) ? undefined : cache.pod(after.uid)
        if (!before) {
          placed(after)
          return
        }
        cache.setPod(after)
        for (const event of podChanges(before, after)) queue.moveOn(event, { pod: { before, after } })
        return
      }
      if (!isOurs(after)) return
      if (cache.isAssumed(after.uid)) {
        if (after.terminating) dropAssumed(after.uid)
        return
      }
      const before = new PodInfo(liveBefore)
      queue.update(before, after)
      const { nominatedNodeName } = before
      if (nominatedNodeName !== '' && nominatedNodeName !== after.nominatedNodeName) unpromised(before)
    },
    delete(live: Live<Pod>) {
      const pod = new PodInfo(live)
      const standing = cache.pod(pod.uid)
      gangs.delete(pod.uid)
      onGone?.(pod)
      queue.delete(pod.uid)
      if (cache.isAssumed(pod.uid)) dropAssumed(pod.uid)
      else if (standing) {
        cache.removePod(pod.uid)
        freed(standing)
      } else if (pod.nominatedNodeName !== '') unpromised(pod)
    },
  })
}
