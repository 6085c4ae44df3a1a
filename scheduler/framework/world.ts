import type {
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  LabelSelector,
  PersistentVolume,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  StorageClass,
  VolumeAttachment,
} from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import type { DeviceWorld } from '../dra/device-world.ts'

/** What plugins may look up besides nodes and pods. All of it is in memory. */
export interface World {
  namespaceLabels(namespace: string): Labels
  /** Grows whenever the labels of a namespace change. */
  namespacesVersion(): number
  /** The selectors of the namespace's services. */
  serviceSelectors(namespace: string): Iterable<Labels>
  /** What a replica set, stateful set or replication controller selects; undefined for what is not there. */
  controllerSelector(apiVersion: string, kind: string, namespace: string, name: string): LabelSelector | undefined
  disruptionBudgets(): readonly Live<PodDisruptionBudget>[]
  claim(namespace: string, name: string): Live<PersistentVolumeClaim> | undefined
  volume(name: string): Live<PersistentVolume> | undefined
  volumesOfClass(name: string): readonly Live<PersistentVolume>[]
  storageClass(name: string): Live<StorageClass> | undefined
  csiDriver(name: string): Live<CSIDriver> | undefined
  /** Of the node of that name. */
  csiNode(name: string): Live<CSINode> | undefined
  storageCapacities(): readonly Live<CSIStorageCapacity>[]
  attachmentsOn(node: string): readonly Live<VolumeAttachment>[]
  readonly devices: DeviceWorld
  /** Called after each change of a claim or a volume. Answers what ends that. */
  onVolumeChange(listener: () => void): () => void
}
