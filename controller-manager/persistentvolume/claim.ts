import {
  bindCompleted,
  bindsLate,
  boundByController,
  type Claim,
  classOf,
  findVolume,
  isVolumeOf,
  namesClass,
  noProvisioner,
  type PersistentVolumeLike,
  selectedNode,
  volumeFault,
} from '../../api/core/volume-binding.ts'
import type { StorageClass } from '../../api/generated/types.ts'
import type { Stored } from '../../api/machinery/object.ts'

/** What is told of a claim or a volume. */
export interface Notice {
  type: 'Normal' | 'Warning'
  reason: string
  message: string
}

/** What a claim is seen among. */
export interface ClaimSurroundings {
  volumes(): readonly PersistentVolumeLike[]
  volume(name: string): PersistentVolumeLike | undefined
  storageClass(name: string): Stored<StorageClass> | undefined
  defaultClass(): string | undefined
  /** The pods that use the claim, and have neither a node nor an end. */
  waitingPods: readonly string[]
}

export type ClaimPlan =
  /** Bind the two to each other, as far as they are not yet. */
  | { do: 'bind'; volume: PersistentVolumeLike }
  /** It has no volume; look again when something changes. */
  | { do: 'wait'; notice?: Notice }
  /** It had one and has lost it, for good. The notice is told once. */
  | { do: 'lose'; notice: Notice }
  /** It named no class, and since then there is a default. */
  | { do: 'give-class'; storageClass: string }
  /** Somebody else is to make a volume for it. */
  | { do: 'ask'; provisioner: string; notice: Notice }

/** What is to become of a claim: upstream's rules of binding. */
export function planClaim(claim: Claim, around: ClaimSurroundings): ClaimPlan {
  if (claim.metadata.annotations?.[bindCompleted] !== undefined) return planBound(claim, around)
  return claim.spec?.volumeName ? planNamed(claim, claim.spec.volumeName, around) : planFree(claim, around)
}

function planBound(claim: Claim, { volume: find }: ClaimSurroundings): ClaimPlan {
  const lose = (reason: string, message: string): ClaimPlan => ({
    do: 'lose',
    notice: { type: 'Warning', reason, message },
  })
  const { volumeName } = claim.spec ?? {}
  if (!volumeName) {
    return lose('ClaimLost', 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!')
  }
  const volume = find(volumeName)
  if (!volume) return lose('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  const ref = volume.spec?.claimRef
  // A volume without a claim may only be one whose last change has not come here yet: it is bound again.
  if (!ref || ref.uid === claim.metadata.uid) return { do: 'bind', volume }
  return lose('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly')
}

/** A claim for one certain volume. */
function planNamed(claim: Claim, name: string, { volume: find }: ClaimSurroundings): ClaimPlan {
  const volume = find(name)
  if (!volume) return { do: 'wait' }
  if (isVolumeOf(volume, claim)) return { do: 'bind', volume }
  if (volume.spec?.claimRef) {
    const message = `volume ${JSON.stringify(name)} already bound to a different claim.`
    return { do: 'wait', notice: { type: 'Warning', reason: 'FailedBinding', message } }
  }
  const fault = volumeFault(volume, claim)
  if (!fault) return { do: 'bind', volume }
  const message = `Cannot bind to requested volume ${JSON.stringify(name)}: ${fault}`
  return { do: 'wait', notice: { type: 'Warning', reason: 'VolumeMismatch', message } }
}

/** A claim for any volume that does. */
function planFree(claim: Claim, around: ClaimSurroundings): ClaimPlan {
  const className = classOf(claim)
  const storageClass = className === '' ? undefined : around.storageClass(className)
  const late = bindsLate(storageClass)
  const volume = findVolume(around.volumes(), claim, { late })
  if (volume) return { do: 'bind', volume }
  if (!namesClass(claim)) {
    const standard = around.defaultClass()
    if (standard !== undefined) return { do: 'give-class', storageClass: standard }
  }
  if (late && claim.metadata.annotations?.[selectedNode] === undefined) {
    return { do: 'wait', notice: waitsForPod(around.waitingPods) }
  }
  if (className === '') {
    const message = 'no persistent volumes available for this claim and no storage class is set'
    return { do: 'wait', notice: { type: 'Normal', reason: 'FailedBinding', message } }
  }
  return planProvision(className, storageClass)
}

function planProvision(className: string, storageClass: Stored<StorageClass> | undefined): ClaimPlan {
  const failed = (message: string): ClaimPlan => ({
    do: 'wait',
    notice: { type: 'Warning', reason: 'ProvisioningFailed', message },
  })
  if (!storageClass) return failed(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`)
  const { provisioner } = storageClass
  if (provisioner === noProvisioner || provisioner.startsWith('kubernetes.io/')) {
    return failed(`no volume plugin matched name: ${provisioner}`)
  }
  const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`
  return { do: 'ask', provisioner, notice: { type: 'Normal', reason: 'ExternalProvisioning', message } }
}

function waitsForPod(waiting: readonly string[]): Notice {
  if (waiting.length === 0) {
    const message = 'waiting for first consumer to be created before binding'
    return { type: 'Normal', reason: 'WaitForFirstConsumer', message }
  }
  const message = `waiting for pod${waiting.length > 1 ? 's' : ''} ${waiting.join(',')} to be scheduled`
  return { type: 'Normal', reason: 'WaitForPodScheduled', message }
}

/** The claim bound to the volume, as it is to be written; undefined where nothing is to be changed. */
export function boundClaim(claim: Claim, volume: PersistentVolumeLike): Claim | undefined {
  const isNamed = claim.spec?.volumeName === volume.metadata.name
  if (isNamed && claim.metadata.annotations?.[bindCompleted] !== undefined) return undefined
  const annotations = {
    ...claim.metadata.annotations,
    ...(isNamed ? {} : { [boundByController]: 'yes' }),
    [bindCompleted]: 'yes',
  }
  return {
    ...claim,
    metadata: { ...claim.metadata, annotations },
    spec: { ...claim.spec, volumeName: volume.metadata.name ?? '' },
  }
}

const preResizeCapacity = 'volume.alpha.kubernetes.io/pre-resize-capacity'

/** The status of a claim bound to the volume; undefined where it is so already. */
export function boundStatus(claim: Claim, volume: PersistentVolumeLike): Claim | undefined {
  const { status = {} } = claim
  const { accessModes = [], capacity, volumeAttributesClassName } = volume.spec ?? {}
  const sameModes = accessModes.join() === (status.accessModes ?? []).join()
  if (status.phase === 'Bound' && sameModes) return undefined
  const next = { ...status, phase: 'Bound', accessModes }
  if (status.phase !== 'Bound') {
    // Later, the claim's may differ for a reason: the file system has not grown yet.
    const before = volume.metadata.annotations?.[preResizeCapacity]
    const held = before === undefined ? capacity : { ...status.capacity, storage: before }
    if (held) next.capacity = held
    if (volumeAttributesClassName !== undefined) next.currentVolumeAttributesClassName = volumeAttributesClassName
  }
  return { ...claim, status: next }
}

/** The status of a claim without a volume; undefined where it is so already. */
export function unboundStatus(claim: Claim, phase: 'Pending' | 'Lost'): Claim | undefined {
  const { accessModes, capacity, currentVolumeAttributesClassName, ...status } = claim.status ?? {}
  const isClean = (accessModes ?? capacity ?? currentVolumeAttributesClassName) === undefined
  return isClean && status.phase === phase ? undefined : { ...claim, status: { ...status, phase } }
}
