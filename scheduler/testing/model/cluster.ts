import type {
  CSINode,
  LabelSelector,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  StorageClass,
  VolumeAttachment,
} from '../../../api/generated/types.ts'
import type { Labels } from '../../../api/machinery/labels.ts'
import type { Live } from '../../../client/types.ts'
import type { World } from '../../framework/world.ts'
import { emptyWorld } from '../builders.ts'

/** A cluster as plain objects. Nothing is indexed, and nothing is remembered from one decision to the next. */
export interface ModelCluster {
  nodes: Live<Node>[]
  /** Those that have a node. */
  pods: Live<Pod>[]
  namespaces: Readonly<Record<string, Labels>>
  services: readonly { namespace: string; selector: Labels }[]
  controllers: readonly {
    apiVersion: string
    kind: string
    namespace: string
    name: string
    selector: LabelSelector
  }[]
  claims: Live<PersistentVolumeClaim>[]
  volumes: Live<PersistentVolume>[]
  classes: Live<StorageClass>[]
  csiNodes: Live<CSINode>[]
  attachments: Live<VolumeAttachment>[]
}

export const podsOn = ({ pods }: ModelCluster, { metadata }: Live<Node>): Live<Pod>[] =>
  pods.filter(({ spec }) => spec?.nodeName === metadata.name)

export const findNamed = <T extends { metadata: { name: string; namespace?: string } }>(
  objects: readonly T[],
  name: string,
  namespace?: string,
): T | undefined =>
  objects.find(({ metadata }) => metadata.name === name && (namespace ?? '') === (metadata.namespace ?? ''))

/** The same cluster as plugins look it up, with what changes in it. */
export const worldOf = (cluster: ModelCluster): World =>
  emptyWorld({
    namespaceLabels: (name) => cluster.namespaces[name] ?? {},
    serviceSelectors: (namespace) =>
      cluster.services.flatMap((service) => (service.namespace === namespace ? [service.selector] : [])),
    controllerSelector: (apiVersion, kind, namespace, name) =>
      cluster.controllers.find(
        (one) => one.apiVersion === apiVersion && one.kind === kind && one.namespace === namespace && one.name === name,
      )?.selector,
    claim: (namespace, name) => findNamed(cluster.claims, name, namespace),
    volume: (name) => findNamed(cluster.volumes, name),
    volumesOfClass: (name) => cluster.volumes.filter(({ spec }) => (spec?.storageClassName ?? '') === name),
    storageClass: (name) => findNamed(cluster.classes, name),
    csiNode: (name) => findNamed(cluster.csiNodes, name),
    attachmentsOn: (node) => cluster.attachments.filter(({ spec }) => spec.nodeName === node),
  })
