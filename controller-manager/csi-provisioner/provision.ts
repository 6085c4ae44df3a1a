import {
  bindsLate,
  type Claim,
  classOf,
  isInTopologies,
  selectedNode,
  sourceNode,
  storageProvisioner,
} from '../../api/core/volume-binding.ts'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
  VolumeAttributesClass,
} from '../../api/generated/types.ts'
import type { VolumeSnapshot, VolumeSnapshotContent } from '../../api/snapshots/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import { keyOf } from '../../client/key.ts'
import {
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttributesClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { attributesFault } from '../csi/attributes.ts'
import type { DriverNode, Drivers } from '../csi/drivers.ts'
import { DriverError } from '../csi/relay.ts'
import { claimTokens, readSecret, secretReference } from '../csi/secrets.ts'
import type { ControllerDeps } from '../types.ts'
import { createRequest, type MadeVolume, missingBytes, volumeNameFor, volumeObject } from './create.ts'
import { type CopySource, type SourceListers, sourceFor } from './source.ts'

/** Upstream's provisioner: a second after the first failure, five minutes at most. */
export const retryDelays = { baseDelayMs: 1000, maxDelayMs: 300_000 }

/** Whether a claim waits for a volume of this class to be made, and by whom. */
export function awaitsVolume(claim: Claim, storageClass: Live<StorageClass> | undefined): boolean {
  const { annotations, deletionTimestamp } = claim.metadata
  if (!storageClass || deletionTimestamp || claim.spec?.volumeName) return false
  if (annotations?.[storageProvisioner] !== storageClass.provisioner) return false
  return !bindsLate(storageClass) || annotations[selectedNode] !== undefined
}

/** The nodes where a driver can be asked for a volume of the claim. */
export function placesFor(
  claim: Claim,
  { allowedTopologies }: Live<StorageClass>,
  nodes: readonly DriverNode[],
  source: CopySource | undefined,
): DriverNode[] {
  const chosen = claim.metadata.annotations?.[selectedNode]
  return nodes.filter((node) => {
    if (chosen !== undefined && node.name !== chosen) return false
    return isInTopologies(allowedTopologies, node.labels) && (!source || source.isAt(node))
  })
}

/** Has volumes made for the claims that ask for one of our drivers. */
export function newProvisionController(deps: ControllerDeps, drivers: Drivers): Controller {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'csi_provisioner_claims', ...retryDelays })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const snapshots = informers.for<VolumeSnapshot>(volumeSnapshots)
  const listers: SourceListers = {
    claims: claims.lister,
    volumes: informers.for<PersistentVolume>(persistentVolumes).lister,
    snapshots: snapshots.lister,
    contents: informers.for<VolumeSnapshotContent>(volumeSnapshotContents).lister,
  }
  const classes = informers.for<StorageClass>(storageClasses).lister
  const attributesClasses = informers.for<VolumeAttributesClass>(volumeAttributesClasses).lister
  const see = (claim: Live<PersistentVolumeClaim>) => {
    if (claim.metadata.annotations?.[storageProvisioner] && !claim.spec?.volumeName) queue.add(keyOf(claim))
  }
  claims.on({ add: see, update: (_, after) => see(after) })
  snapshots.on({
    update(_, { metadata, status }) {
      if (!status?.readyToUse) return
      for (const claim of claims.lister.list(metadata.namespace)) {
        if (claim.spec?.dataSource?.name === metadata.name) see(claim)
      }
    },
  })
  const tell = (
    { metadata }: Live<PersistentVolumeClaim>,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ) => events.event({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata }, type, reason, message)

  async function reconcile(key: string, signal: AbortSignal): Promise<undefined> {
    const claim = claims.lister.byKey(key)
    const storageClass = claim && classes.get(undefined, classOf(claim))
    if (!storageClass || !awaitsVolume(claim, storageClass) || !drivers.isOurs(storageClass.provisioner)) return
    tell(
      claim,
      'Normal',
      'Provisioning',
      `External provisioner is provisioning volume for claim ${JSON.stringify(key)}`,
    )
    try {
      await provision(claim, storageClass, queue.retries(key), signal)
    } catch (error) {
      const name = JSON.stringify(storageClass.metadata.name)
      const message = `failed to provision volume with StorageClass ${name}: ${(error as Error).message}`
      tell(claim, 'Warning', 'ProvisioningFailed', message)
      if (error instanceof DriverError && error.code === 'RESOURCE_EXHAUSTED') await reschedule(claim, signal)
      throw error
    }
    tell(claim, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeNameFor(claim)}`)
  }

  async function provision(
    claim: Live<PersistentVolumeClaim>,
    storageClass: Live<StorageClass>,
    retries: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { provisioner } = storageClass
    const source = sourceFor(claim, provisioner, listers)
    const places = placesFor(claim, storageClass, drivers.nodesOf(provisioner), source)
    // One after the other, where no node is chosen: each may be full.
    const place = places[retries % places.length]
    if (!place) {
      if (source) await placeAtSource(claim, source, provisioner, signal)
      throw new Error(`no ready node that may have the volume runs the driver ${provisioner}`)
    }
    const tokens = claimTokens(volumeNameFor(claim), claim)
    const secret = await readSecret(api, secretReference(storageClass.parameters, 'provisioner', tokens), signal)
    const request = createRequest(claim, storageClass, {
      places: [place.segments],
      volumeContentSource: source?.volumeContentSource,
      mutableParameters: await attributesOf(claim, provisioner, place.name, signal),
      ...secret,
    })
    const { volume } = await drivers.call<{ volume: MadeVolume }>(
      place.name,
      provisioner,
      'CreateVolume',
      request,
      signal,
    )
    const less = missingBytes(claim, volume)
    if (less !== undefined) {
      // Nobody could bind it, and nobody else knows of it.
      await drivers.call(place.name, provisioner, 'DeleteVolume', { volumeId: volume.volumeId, ...secret }, signal)
      throw new Error(less)
    }
    await api
      .create(persistentVolumes, volumeObject(claim, storageClass, volume), { signal })
      .catch((error: unknown) => {
        // Made in an earlier try, of which nobody heard.
        if (!isAlreadyExists(error)) throw error
      })
  }

  /** The parameters of the attributes class that the claim names. */
  async function attributesOf(
    { spec }: Live<PersistentVolumeClaim>,
    driver: string,
    node: string,
    signal: AbortSignal,
  ): Promise<Record<string, string> | undefined> {
    const name = spec?.volumeAttributesClassName
    if (!name) return undefined
    const attributes = attributesClasses.get(undefined, name)
    if (!attributes) throw new Error(`VAC ${JSON.stringify(name)} does not exist.`)
    const fault = attributesFault(attributes, driver, await drivers.capabilities(node, driver, signal))
    if (fault !== undefined) throw new Error(fault)
    return attributes.parameters
  }

  /** Tells the scheduler where the volume can be copied, if that is one node; and to choose anew. */
  async function placeAtSource(
    claim: Live<PersistentVolumeClaim>,
    source: CopySource,
    driver: string,
    signal: AbortSignal,
  ): Promise<void> {
    const [only, ...more] = drivers.nodesOf(driver).filter((node) => source.isAt(node))
    if (!only || more.length > 0) return
    const { [selectedNode]: _, ...annotations } = claim.metadata.annotations ?? {}
    const next = { ...claim.metadata, annotations: { ...annotations, [sourceNode]: only.name } }
    await api.update(persistentVolumeClaims, { ...claim, metadata: next }, { signal })
  }

  /** Tells the scheduler that the node it has chosen has no room. */
  async function reschedule(claim: Live<PersistentVolumeClaim>, signal: AbortSignal): Promise<void> {
    const { [selectedNode]: chosen, ...annotations } = claim.metadata.annotations ?? {}
    if (chosen === undefined) return
    const next = { ...claim, metadata: { ...claim.metadata, annotations } }
    await api.update(persistentVolumeClaims, next, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }

  return { name: 'csi-provisioner-claims', queue, reconcile }
}
