import {
  boundByController,
  type Claim,
  classOf,
  provisionedBy,
  referenceTo,
  requestOf,
} from '../../api/core/volume-binding.ts'
import type { PersistentVolume, StorageClass } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { formatQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import { capabilitiesOf } from '../csi/capability.ts'

/** By it, a volume's object stays until the driver has deleted what it stands for. */
export const provisionerFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer'

/** Parameters of a class that are for whoever calls the driver. */
const reservedPrefix = 'csi.storage.k8s.io/'
const fsTypeParameter = `${reservedPrefix}fstype`

/** The volume of a claim has its name, whoever makes it and how often: so it is made once. */
export const volumeNameFor = ({ metadata }: Claim): string => `pvc-${metadata.uid ?? ''}`

/** What else than its claim and its class decides what a volume is to be. */
export interface CreateFacts {
  /** Where it may be, the best first. */
  places: readonly Labels[]
  /** The driver's id of the volume to copy. */
  sourceVolume?: string | undefined
  /** Of its attributes class. */
  mutableParameters?: Readonly<Record<string, string>> | undefined
}

/** What is asked of the driver. */
export function createRequest(
  claim: Claim,
  { parameters = {}, mountOptions }: Stored<StorageClass>,
  { places, sourceVolume, mutableParameters }: CreateFacts,
): object {
  const topologies = places.filter((place) => Object.keys(place).length > 0).map((segments) => ({ segments }))
  const passed = Object.entries(parameters).filter(([name]) => !name.startsWith(reservedPrefix))
  return {
    name: volumeNameFor(claim),
    capacityRange: { requiredBytes: String(quantityValue(requestOf(claim))) },
    volumeCapabilities: capabilitiesOf({
      accessModes: claim.spec?.accessModes ?? [],
      volumeMode: claim.spec?.volumeMode,
      fsType: parameters[fsTypeParameter],
      mountFlags: mountOptions,
    }),
    parameters: Object.fromEntries(passed),
    ...(mutableParameters ? { mutableParameters } : {}),
    ...(sourceVolume === undefined ? {} : { volumeContentSource: { volume: { volumeId: sourceVolume } } }),
    ...(topologies.length > 0 ? { accessibilityRequirements: { requisite: topologies, preferred: topologies } } : {}),
  }
}

/** What a driver answers of a volume it has made. */
export interface MadeVolume {
  volumeId: string
  capacityBytes?: string
  volumeContext?: Record<string, string>
  accessibleTopology?: { segments?: Record<string, string> }[]
}

/** The object of a volume that was made for a claim. */
export function volumeObject(
  claim: Claim,
  storageClass: Stored<StorageClass>,
  { volumeId, capacityBytes, volumeContext = {}, accessibleTopology = [] }: MadeVolume,
): Stored<PersistentVolume> {
  const { provisioner, parameters = {}, reclaimPolicy = 'Delete', mountOptions } = storageClass
  const { accessModes = [], volumeMode, volumeAttributesClassName } = claim.spec ?? {}
  const fsType = parameters[fsTypeParameter]
  const bytes = BigInt(capacityBytes || 0)
  const storage = bytes > 0n ? formatQuantity({ nanos: bytes * 1_000_000_000n, format: 'BinarySI' }) : requestOf(claim)
  return {
    metadata: {
      name: volumeNameFor(claim),
      annotations: { [provisionedBy]: provisioner, [boundByController]: 'yes' },
      ...(reclaimPolicy === 'Delete' ? { finalizers: [provisionerFinalizer] } : {}),
    },
    spec: {
      accessModes,
      capacity: { storage },
      claimRef: referenceTo(claim),
      storageClassName: classOf(claim),
      persistentVolumeReclaimPolicy: reclaimPolicy,
      ...(volumeMode ? { volumeMode } : {}),
      ...(volumeAttributesClassName ? { volumeAttributesClassName } : {}),
      ...(mountOptions?.length ? { mountOptions } : {}),
      ...affinityTo(accessibleTopology.map(({ segments }) => segments ?? {})),
      csi: {
        driver: provisioner,
        volumeHandle: volumeId,
        ...(fsType ? { fsType } : {}),
        ...(Object.keys(volumeContext).length > 0 ? { volumeAttributes: volumeContext } : {}),
      },
    },
  }
}

function affinityTo(places: readonly Labels[]): Pick<NonNullable<PersistentVolume['spec']>, 'nodeAffinity'> {
  const nodeSelectorTerms = places
    .map((place) =>
      Object.entries(place)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    )
    .filter((matchExpressions) => matchExpressions.length > 0)
    .map((matchExpressions) => ({ matchExpressions }))
  return nodeSelectorTerms.length > 0 ? { nodeAffinity: { required: { nodeSelectorTerms } } } : {}
}
