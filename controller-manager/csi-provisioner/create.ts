import {
  boundByController,
  type Claim,
  classOf,
  type PersistentVolumeLike,
  provisionedBy,
  referenceTo,
  requestOf,
} from '../../api/core/volume-binding.ts'
import type { PersistentVolume, SecretReference, StorageClass } from '../../api/generated/types.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { formatQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import { capabilitiesOf } from '../csi/capability.ts'
import { claimTokens, reservedPrefix, type SecretRole, secretParameters, secretReference } from '../csi/secrets.ts'

/** By it, a volume's object stays until the driver has deleted what it stands for. */
export const provisionerFinalizer = 'external-provisioner.volume.kubernetes.io/finalizer'

/** The secret that the driver needs again to delete the volume: its class may be gone by then. */
const deletionSecretName = 'volume.kubernetes.io/provisioner-deletion-secret-name'
const deletionSecretNamespace = 'volume.kubernetes.io/provisioner-deletion-secret-namespace'
const modifySecretName = 'volume.kubernetes.io/controller-modify-secret-name'
const modifySecretNamespace = 'volume.kubernetes.io/controller-modify-secret-namespace'

const fsTypeParameter = `${reservedPrefix}fstype`

/** The volume of a claim has its name, whoever makes it and how often: so it is made once. */
export const volumeNameFor = ({ metadata }: Claim): string => `pvc-${metadata.uid ?? ''}`

/** What else than its claim and its class decides what a volume is to be. */
export interface CreateFacts {
  /** Where it may be, the best first. */
  places: readonly Labels[]
  /** What it is to be a copy of. */
  volumeContentSource?: object | undefined
  /** Of its attributes class. */
  mutableParameters?: Readonly<Record<string, string>> | undefined
  secrets?: Readonly<Record<string, string>>
}

/** What is asked of the driver. Throws for a class with a reserved parameter that means nothing. */
export function createRequest(
  claim: Claim,
  { parameters = {}, mountOptions }: Stored<StorageClass>,
  { places, volumeContentSource, mutableParameters, secrets }: CreateFacts,
): object {
  const topologies = places.filter((place) => Object.keys(place).length > 0).map((segments) => ({ segments }))
  const reserved = Object.keys(parameters).filter((name) => name.startsWith(reservedPrefix))
  const unknown = reserved.find((name) => name !== fsTypeParameter && !secretParameters.has(name))
  if (unknown !== undefined) {
    throw new Error(`found unknown parameter key ${JSON.stringify(unknown)} with reserved namespace ${reservedPrefix}`)
  }
  const passed = Object.entries(parameters).filter(([name]) => !reserved.includes(name))
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
    ...(secrets ? { secrets } : {}),
    ...(volumeContentSource ? { volumeContentSource } : {}),
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

/** Why what was made is too small; a driver that does not say how large it is is believed. */
export function missingBytes(claim: Claim, { capacityBytes }: MadeVolume): string | undefined {
  const made = BigInt(capacityBytes || 0)
  const wanted = BigInt(quantityValue(requestOf(claim)))
  if (made === 0n || made >= wanted) return undefined
  return `created volume capacity ${made} less than requested capacity ${wanted}`
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
  const name = volumeNameFor(claim)
  const tokens = claimTokens(name, claim)
  const secretFor = (role: SecretRole) => secretReference(parameters, role, tokens)
  const deletion = secretFor('provisioner')
  const modify = secretFor('controller-modify')
  return {
    metadata: {
      name,
      annotations: {
        [provisionedBy]: provisioner,
        [boundByController]: 'yes',
        [deletionSecretName]: deletion?.name ?? '',
        [deletionSecretNamespace]: deletion?.namespace ?? '',
        ...(modify ? { [modifySecretName]: modify.name ?? '', [modifySecretNamespace]: modify.namespace ?? '' } : {}),
      },
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
        ...secretReferences(secretFor),
      },
    },
  }
}

function secretReferences(secretFor: (role: SecretRole) => SecretReference | undefined) {
  const named = {
    controllerPublishSecretRef: secretFor('controller-publish'),
    controllerExpandSecretRef: secretFor('controller-expand'),
    nodeStageSecretRef: secretFor('node-stage'),
    nodePublishSecretRef: secretFor('node-publish'),
    nodeExpandSecretRef: secretFor('node-expand'),
  }
  return Object.fromEntries(Object.entries(named).filter(([, reference]) => reference !== undefined))
}

/** The secret for deleting the volume, as it was written down when it was made. */
export const deletionSecret = ({ metadata }: PersistentVolumeLike): SecretReference => ({
  name: metadata.annotations?.[deletionSecretName] ?? '',
  namespace: metadata.annotations?.[deletionSecretNamespace] ?? '',
})

/** The secret for changing the volume's attributes: one of its own, or else that for letting it grow. */
export function modifySecret({ metadata, spec }: PersistentVolumeLike): SecretReference | undefined {
  const { [modifySecretName]: name, [modifySecretNamespace]: namespace } = metadata.annotations ?? {}
  return name && namespace ? { name, namespace } : spec?.csi?.controllerExpandSecretRef
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
