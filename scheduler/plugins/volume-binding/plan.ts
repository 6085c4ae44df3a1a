import {
  type Claim,
  classOf,
  findVolume,
  isInTopologies,
  isReachedFrom,
  noProvisioner,
  requestOf,
  selectedNode,
  sourceNode,
} from '../../../api/core/volume-binding.ts'
import type {
  CSIDriver,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../api/generated/types.ts'
import { labelSelectorMatches } from '../../../api/machinery/labels.ts'
import { compareQuantity } from '../../../api/machinery/quantity.ts'
import type { Live } from '../../../client/types.ts'
import type { NodeIdentity } from '../../framework/node-affinity.ts'

export interface PodClaims {
  bound: readonly Live<PersistentVolumeClaim>[]
  /** Of a class that binds when a pod is scheduled, and not bound yet; the smallest first. */
  late: readonly Live<PersistentVolumeClaim>[]
}

/** What has to be done for the claims of a pod that goes to a node. */
export interface NodePlan {
  bindings: readonly { claim: Live<PersistentVolumeClaim>; volume: Live<PersistentVolume> }[]
  /** Claims for which a volume is to be made where the node can reach it. */
  provisions: readonly Live<PersistentVolumeClaim>[]
}

export interface VolumeSurroundings {
  volume(name: string): Live<PersistentVolume> | undefined
  volumesOfClass(name: string): readonly Live<PersistentVolume>[]
  storageClass(name: string): Live<StorageClass> | undefined
  csiDriver(name: string): Live<CSIDriver> | undefined
  storageCapacities(): readonly Live<CSIStorageCapacity>[]
}

/** Why a node will not do, in upstream's words. */
export type Fault = keyof typeof faults
export const faults = {
  elsewhere: "node(s) didn't match PersistentVolume's node affinity",
  noVolume: "node(s) didn't find available persistent volumes to bind",
  noSpace: 'node(s) did not have enough free storage',
  lost: 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)',
} as const

/** Where the claims of a pod get their volumes if it goes to the node; or why it cannot go there. */
export function planNode(claims: PodClaims, node: NodeIdentity, around: VolumeSurroundings): NodePlan | Fault {
  for (const { spec } of claims.bound) {
    const volume = around.volume(spec?.volumeName ?? '')
    if (!volume) return 'lost'
    if (!isReachedFrom(volume, node)) return 'elsewhere'
  }
  const bindings: { claim: Live<PersistentVolumeClaim>; volume: Live<PersistentVolume> }[] = []
  const provisions: Live<PersistentVolumeClaim>[] = []
  const taken = new Set<string | undefined>()
  for (const claim of claims.late) {
    // A volume is being made for it already, for one node; or what it is to be a copy of is on one.
    const chosen = claim.metadata.annotations?.[selectedNode] ?? claim.metadata.annotations?.[sourceNode]
    if (chosen !== undefined && chosen !== node.name) return 'noVolume'
    const isTaken = ({ metadata }: { metadata: { name?: string } }) => taken.has(metadata.name)
    const volumes = chosen === undefined ? around.volumesOfClass(classOf(claim)) : []
    const volume = findVolume(volumes, claim, { node, isTaken }) as Live<PersistentVolume> | undefined
    if (volume) {
      taken.add(volume.metadata.name)
      bindings.push({ claim, volume })
      continue
    }
    const fault = provisionFault(claim, node, around)
    if (fault) return fault
    provisions.push(claim)
  }
  return { bindings, provisions }
}

function provisionFault(claim: Claim, node: NodeIdentity, around: VolumeSurroundings): Fault | undefined {
  const storageClass = around.storageClass(classOf(claim))
  if (!storageClass || storageClass.provisioner === '' || storageClass.provisioner === noProvisioner) return 'noVolume'
  if (!isInTopologies(storageClass.allowedTopologies, node.labels)) return 'noVolume'
  return hasRoom(claim, storageClass, node, around) ? undefined : 'noSpace'
}

/** Drivers that report what is left say so in their CSIDriver; of the others, nothing is known. */
function hasRoom(
  claim: Claim,
  { metadata, provisioner }: Live<StorageClass>,
  node: NodeIdentity,
  { csiDriver, storageCapacities }: VolumeSurroundings,
): boolean {
  if (!csiDriver(provisioner)?.spec?.storageCapacity) return true
  return storageCapacities().some((report) => {
    const { storageClassName, nodeTopology } = report
    if (storageClassName !== metadata.name || !nodeTopology) return false
    const limit = limitOf(report)
    return (
      limit !== undefined &&
      compareQuantity(limit, requestOf(claim)) >= 0 &&
      labelSelectorMatches(nodeTopology, node.labels)
    )
  })
}

/** The largest volume that can be made there. */
export const limitOf = ({ maximumVolumeSize, capacity }: CSIStorageCapacity): string | undefined =>
  maximumVolumeSize ?? capacity
