import { classOf } from '../api/core/volume-binding.ts'
import type { LabelSelector } from '../api/generated/types.ts'
import type { Labels } from '../api/machinery/labels.ts'
import type { InformerFactory } from '../client/informer.ts'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  namespaces,
  persistentVolumeClaims,
  persistentVolumes,
  podDisruptionBudgets,
  replicaSets,
  replicationControllers,
  services,
  statefulSets,
  storageClasses,
  volumeAttachments,
} from '../client/resources.ts'
import type { Live } from '../client/types.ts'
import { newDeviceWorld } from './dra/device-world.ts'
import { same } from './framework/cluster-events.ts'
import type { World } from './framework/world.ts'

const noLabels: Labels = {}
const byClass = 'class'
const byNode = 'node'

/** Keeps of the metadata what finds an object again, and of the rest only what is said. */
const only =
  <T>(pick: (object: Live<T>) => object) =>
  (object: Live<T>): Live<T> => {
    const { name, namespace, uid, resourceVersion } = object.metadata
    const metadata = { name, ...(namespace ? { namespace } : {}), ...(uid ? { uid } : {}) }
    return { metadata: { ...metadata, ...(resourceVersion ? { resourceVersion } : {}) }, ...pick(object) } as Live<T>
  }

const selectorOnly = <S>(object: { spec?: S & { selector?: unknown } }) => ({
  spec: { selector: object.spec?.selector },
})

/** What plugins look up, followed by informers. Ask for it before they are started. */
export function newInformerWorld(informers: InformerFactory): World {
  let namespacesVersion = 0
  const namespaceInformer = informers.for(namespaces, {
    transform: ({ metadata: { name, labels, resourceVersion } }) => ({
      metadata: { name, ...(labels ? { labels } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    }),
  })
  const namespace = namespaceInformer.lister
  namespaceInformer.on({
    add: () => namespacesVersion++,
    update: (before, after) => {
      if (!same(before.metadata.labels, after.metadata.labels)) namespacesVersion++
    },
    delete: () => namespacesVersion++,
  })
  const service = informers.for(services, { transform: only(selectorOnly) }).lister
  const replicaSet = informers.for(replicaSets, { transform: only(selectorOnly) }).lister
  const statefulSet = informers.for(statefulSets, { transform: only(selectorOnly) }).lister
  const replicationController = informers.for(replicationControllers, { transform: only(selectorOnly) }).lister
  const budget = informers.for(podDisruptionBudgets).lister
  const claims = informers.for(persistentVolumeClaims)
  const volumes = informers.for(persistentVolumes, { indexers: { [byClass]: (volume) => [classOf(volume)] } })
  const claim = claims.lister
  const volume = volumes.lister
  const storageClass = informers.for(storageClasses).lister
  const csiDriver = informers.for(csiDrivers).lister
  const csiNode = informers.for(csiNodes).lister
  const capacity = informers.for(csiStorageCapacities).lister
  const attachment = informers.for(volumeAttachments, { indexers: { [byNode]: ({ spec }) => [spec.nodeName] } }).lister
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of [...listeners]) listener()
  }
  const changes = { add: changed, update: changed, delete: changed }
  claims.on(changes)
  volumes.on(changes)

  const selectors: Record<string, (namespace: string, name: string) => LabelSelector | undefined> = {
    'apps/v1 ReplicaSet': (space, name) => replicaSet.get(space, name)?.spec?.selector,
    'apps/v1 StatefulSet': (space, name) => statefulSet.get(space, name)?.spec?.selector,
    'v1 ReplicationController': (space, name) => {
      const matchLabels = replicationController.get(space, name)?.spec?.selector
      return matchLabels && { matchLabels }
    },
  }
  return {
    namespaceLabels: (name) => namespace.get(undefined, name)?.metadata.labels ?? noLabels,
    namespacesVersion: () => namespacesVersion,
    serviceSelectors: (space) => service.list(space).flatMap(({ spec }) => (spec?.selector ? [spec.selector] : [])),
    controllerSelector: (apiVersion, kind, space, name) => selectors[`${apiVersion} ${kind}`]?.(space, name),
    disruptionBudgets: () => budget.list(),
    claim: (space, name) => claim.get(space, name),
    volume: (name) => volume.get(undefined, name),
    volumesOfClass: (name) => volume.byIndex(byClass, name),
    storageClass: (name) => storageClass.get(undefined, name),
    csiDriver: (name) => csiDriver.get(undefined, name),
    csiNode: (name) => csiNode.get(undefined, name),
    storageCapacities: () => capacity.list(),
    attachmentsOn: (node) => attachment.byIndex(byNode, node),
    devices: newDeviceWorld(informers),
    onVolumeChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}
