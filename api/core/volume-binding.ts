import type {
  ObjectReference,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  TopologySelectorTerm,
} from '../generated/types.ts'
import { type Labels, labelSelectorMatcher } from '../machinery/labels.ts'
import type { Stored } from '../machinery/object.ts'
import { compareQuantity } from '../machinery/quantity.ts'
import { type NodeIdentity, nodeSelectorTest } from './node-choice.ts'

/** The storage class, before it was a field. */
export const classAnnotation = 'volume.beta.kubernetes.io/storage-class'

/** What controllers, scheduler and provisioners tell each other on claims and volumes. */
export const bindCompleted = 'pv.kubernetes.io/bind-completed'
export const boundByController = 'pv.kubernetes.io/bound-by-controller'
export const selectedNode = 'volume.kubernetes.io/selected-node'
/** The only node where what a claim's volume is to be a copy of can be copied; ours. */
export const sourceNode = 'gantry.dev/source-node'
export const provisionedBy = 'pv.kubernetes.io/provisioned-by'
export const storageProvisioner = 'volume.kubernetes.io/storage-provisioner'
export const betaStorageProvisioner = 'volume.beta.kubernetes.io/storage-provisioner'
/** The provisioner of classes whose volumes people make. */
export const noProvisioner = 'kubernetes.io/no-provisioner'

export type Claim = Stored<PersistentVolumeClaim>
export type PersistentVolumeLike = Stored<PersistentVolume>

/** The storage class of a claim or a volume; empty where it has none. */
export const classOf = ({ metadata, spec }: Stored<{ spec?: { storageClassName?: string } }>): string =>
  metadata.annotations?.[classAnnotation] ?? spec?.storageClassName ?? ''

/** Whether a class is named at all, be it the empty one. */
export const namesClass = ({ metadata, spec }: Claim): boolean =>
  metadata.annotations?.[classAnnotation] !== undefined || spec?.storageClassName !== undefined

/** What marks a storage class as the one for claims that name none. */
export const defaultClassAnnotations = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
] as const

/** Whether claims of the class are bound only when a pod is scheduled. */
export const bindsLate = (storageClass: Stored<StorageClass> | undefined): boolean =>
  storageClass?.volumeBindingMode === 'WaitForFirstConsumer'

export const isFullyBound = ({ metadata, spec }: Claim): boolean =>
  !!spec?.volumeName && metadata.annotations?.[bindCompleted] !== undefined

/** Whether the volume is bound to, or kept for, this very claim. */
export function isVolumeOf({ spec }: PersistentVolumeLike, { metadata }: Claim): boolean {
  const ref = spec?.claimRef
  if (!ref || ref.name !== metadata.name || ref.namespace !== metadata.namespace) return false
  return !ref.uid || ref.uid === metadata.uid
}

/** Why a volume does not do for a claim that names it, in upstream's words. */
export function volumeFault(volume: PersistentVolumeLike, claim: Claim): string | undefined {
  if (volume.metadata.deletionTimestamp)
    return `the volume is marked for deletion ${JSON.stringify(volume.metadata.name)}`
  if (compareQuantity(sizeOf(volume), requestOf(claim)) < 0) return 'requested PV is too small'
  if (classOf(volume) !== classOf(claim)) return 'storageClassName does not match'
  if (attributesClassOf(volume) !== attributesClassOf(claim)) return 'volumeAttributesClassName does not match'
  if (!sameMode(volume, claim)) return 'incompatible volumeMode'
  if (!hasModes(volume, claim)) return 'incompatible accessMode'
  return undefined
}

/** Where a volume is looked for: by the controller, which leaves late claims to the scheduler, or for a node. */
export interface Search {
  /** The claim binds late: only a volume that is kept for it will do. */
  late?: boolean
  node?: NodeIdentity
  isTaken?(volume: PersistentVolumeLike): boolean
}

/**
 * The volume that is kept for the claim, or else of the free ones that do the one with fewest access modes, and of these the
 * smallest. A volume kept for it that the node cannot reach means none.
 */
export function findVolume(
  volumes: readonly PersistentVolumeLike[],
  claim: Claim,
  { late = false, node, isTaken }: Search = {},
): PersistentVolumeLike | undefined {
  const matches = claim.spec?.selector ? labelSelectorMatcher(claim.spec.selector) : undefined
  let best: PersistentVolumeLike | undefined
  for (const volume of volumes) {
    const { metadata, spec, status } = volume
    const isKept = isVolumeOf(volume, claim)
    if ((spec?.claimRef && !isKept) || metadata.deletionTimestamp || isTaken?.(volume)) continue
    if (!sameMode(volume, claim) || attributesClassOf(volume) !== attributesClassOf(claim)) continue
    if (!hasModes(volume, claim) || compareQuantity(sizeOf(volume), requestOf(claim)) < 0) continue
    if (isKept) return !node || isReachedFrom(volume, node) ? volume : undefined
    if ((late && !node) || status?.phase !== 'Available' || classOf(volume) !== classOf(claim)) continue
    if (matches && !matches(metadata.labels ?? {})) continue
    if (node && !isReachedFrom(volume, node)) continue
    if (!best || isCloser(volume, best)) best = volume
  }
  return best
}

function isCloser(volume: PersistentVolumeLike, best: PersistentVolumeLike): boolean {
  const modes = ({ spec }: PersistentVolumeLike) => spec?.accessModes?.length ?? 0
  if (modes(volume) !== modes(best)) return modes(volume) < modes(best)
  return compareQuantity(sizeOf(volume), sizeOf(best)) < 0
}

/** Whether pods on the node can use the volume. */
export function isReachedFrom({ spec }: PersistentVolumeLike, node: NodeIdentity): boolean {
  const required = spec?.nodeAffinity?.required
  return !required || nodeSelectorTest(required)(node)
}

/** Whether one of the terms names the place of the node; no terms name every place. */
export const isInTopologies = (terms: readonly TopologySelectorTerm[] | undefined, labels: Labels): boolean =>
  !terms?.length ||
  terms.some(({ matchLabelExpressions = [] }) =>
    matchLabelExpressions.every(({ key, values }) => {
      const value = labels[key]
      return value !== undefined && values.includes(value)
    }),
  )

/** The volume bound to the claim, as it is to be written; undefined where nothing is to be changed. */
export function boundVolume(volume: PersistentVolumeLike, claim: Claim): PersistentVolumeLike | undefined {
  const ref = volume.spec?.claimRef
  const isOurs = isVolumeOf(volume, claim)
  if (isOurs && ref?.uid === claim.metadata.uid) return undefined
  const annotations = { ...volume.metadata.annotations, ...(isOurs ? {} : { [boundByController]: 'yes' }) }
  return {
    ...volume,
    metadata: { ...volume.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
    spec: { ...volume.spec, claimRef: referenceTo(claim) },
  }
}

/** A reference to a claim as volumes carry it. */
export const referenceTo = ({ metadata }: Claim): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
  ...(metadata.name ? { name: metadata.name } : {}),
  ...(metadata.uid ? { uid: metadata.uid } : {}),
  ...(metadata.resourceVersion ? { resourceVersion: metadata.resourceVersion } : {}),
})

/** File system unless it says block. */
export const sameMode = (volume: PersistentVolumeLike, claim: Claim): boolean =>
  (volume.spec?.volumeMode || 'Filesystem') === (claim.spec?.volumeMode || 'Filesystem')

const hasModes = (volume: PersistentVolumeLike, claim: Claim): boolean =>
  (claim.spec?.accessModes ?? []).every((mode) => volume.spec?.accessModes?.includes(mode))

const attributesClassOf = ({ spec }: { spec?: { volumeAttributesClassName?: string } }): string =>
  spec?.volumeAttributesClassName ?? ''

const sizeOf = ({ spec }: PersistentVolumeLike): string => spec?.capacity?.storage ?? '0'

/** How much the claim asks for. */
export const requestOf = ({ spec }: Claim): string => spec?.resources?.requests?.storage ?? '0'
