import { mkdir, realpath } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CSIDriverSpec, SecretReference } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { isNotFound } from '../../client/errors.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Logger } from '../../client/logger.ts'
import { csiDrivers } from '../../client/resources.ts'
import type { Api, Clock } from '../../client/types.ts'
import type { CsiDrivers } from '../csi/drivers.ts'
import { CsiError } from '../csi/errors.ts'
import type { NodeExpandVolumeRequest, NodePublishVolumeRequest, VolumeCapability } from '../csi/messages.ts'
import { attachment } from './csi-attachment.ts'
import { failedStatus, grownStatus, patchClaimStatus, wantedBytes } from './csi-expansion.ts'
import {
  allData,
  csiPluginName,
  readData,
  removeData,
  removeStaging,
  stagingPath,
  targetPath,
  usedByOthers,
  type VolumeData,
  writeData,
} from './csi-places.ts'
import { asUsage, type VolumeStats } from './csi-usage.ts'
import {
  attachmentNameOf,
  type CsiVolume,
  capabilityFor,
  checkLifecycle,
  csiVolumeOf,
  ownedByGroup,
  podAttributes,
  tokensKey,
  uniqueNameOf,
} from './csi-volume.ts'
import { fsGroupOf, giveToGroup } from './fs-group.ts'
import { unmountAll } from './mounting.ts'
import { Turns } from './turns.ts'
import {
  type Mounted,
  MountFailure,
  type VolumeContext,
  type VolumePlace,
  type VolumePlugin,
  type VolumeSpec,
} from './types.ts'
import type { VolumeUsage } from './usage.ts'

export interface CsiVolumeOptions {
  api: Api
  clock: Clock
  log: Logger
  events: Pick<EventRecorder, 'event'>
  drivers: CsiDrivers
  nodeName: string
  podsDirectory: string
  /** `ROOT/plugins`. */
  pluginsDirectory: string
  /** Which volumes are in use has changed: the node's status says it. */
  inUseChanged(): void
  /** Brings a pod's volumes up to date. */
  refresh(podUid: string): void
  /** The agent ends. */
  signal: AbortSignal
}

/** Upstream's: what a driver has not done by then has failed, whatever becomes of it. */
const callTimeoutMs = 120_000
const statsTimeoutMs = 10_000
const rememberMs = 5000
/** How often tokens are handed to drivers anew that ask for it, and claims looked at that may have grown. */
const republishMs = 60_000
const lookMs = 60_000
/** After a volume has grown: its claim takes a moment to say so. */
const grownLooksMs = [500, 1500, 4000, 10_000]

/** All that mounting one volume needs to know. */
interface Job {
  spec: VolumeSpec
  context: VolumeContext
  volume: CsiVolume
  driver: CSIDriverSpec
  data: VolumeData
  nodeCapabilities: ReadonlySet<string>
  capability: VolumeCapability
  staging: string
  target: string
  publishContext: Record<string, string>
}

/**
 * Volumes of storage drivers. What is about to be done is written down in the pod's directory first, so any agent can take
 * it back; every rpc can be repeated, and is repeated by an agent that has been killed before it knew the outcome.
 */
export class CsiVolumes implements VolumePlugin {
  readonly name = csiPluginName
  readonly #options: CsiVolumeOptions
  /** By driver and handle: pods that share a volume wait for each other, others do not. */
  readonly #lock = new Turns()
  readonly #staged = new Set<string>()
  /** By its name in the node's status: the pods that use an attached volume. */
  readonly #inUse = new Map<string, Set<string>>()
  readonly #known = new Map<string, { spec: CSIDriverSpec | undefined; until: number }>()

  constructor(options: CsiVolumeOptions) {
    this.#options = options
  }

  /** Learns what an earlier agent has left in use. */
  async recall(): Promise<void> {
    for (const { podUid, data } of await allData(this.#options.podsDirectory)) this.#use(podUid, data)
  }

  /** Attached volumes that must not be detached now, as the node's status names them. */
  volumesInUse(): string[] {
    return [...this.#inUse.keys()].sort()
  }

  handles({ volume, persistent }: VolumeSpec): boolean {
    return (persistent ? persistent.volume.spec?.csi : volume.csi) !== undefined
  }

  async mount(spec: VolumeSpec, context: VolumeContext): Promise<Mounted> {
    const job = await this.#prepare(spec, context)
    const { volume, target } = job
    const key = uniqueNameOf(volume)
    const ownedByPod = await this.#lock.take(key, async () => {
      context.signal.throwIfAborted()
      await writeData(context.directory, job.data)
      this.#use(context.podUid, job.data)
      await this.#stage(job)
      await this.#publish(job)
      return this.#giveToGroup(job)
    })
    await this.#expand(job)
    const due = this.#due(job)
    return {
      // Where nothing may be mounted, the driver has put a link there.
      hostPath: volume.block ? target : await realpath(target),
      readOnly: volume.readOnly,
      ownedByPod,
      ...(due === undefined ? {} : { refreshAt: due }),
    }
  }

  async refresh(spec: VolumeSpec, context: VolumeContext): Promise<number | undefined> {
    const job = await this.#prepare(spec, context)
    if (job.driver.requiresRepublish) {
      await this.#lock.take(uniqueNameOf(job.volume), () => this.#publish(job))
    }
    await this.#expand(job)
    return this.#due(job)
  }

  /** As the driver measures it; undefined where it does not. */
  async usage(spec: VolumeSpec, context: VolumeContext): Promise<VolumeUsage | undefined> {
    const { drivers, clock, pluginsDirectory } = this.#options
    const volume = csiVolumeOf(spec, context.pod)
    if (!volume) return undefined
    const capabilities = await drivers.nodeCapabilities(volume.driver)
    if (!capabilities.has('GET_VOLUME_STATS')) return undefined
    const request = { volumeId: volume.handle, volumePath: targetPath(pluginsDirectory, context) }
    const options = { timeoutMs: statsTimeoutMs, signal: context.signal }
    return asUsage(await drivers.call<VolumeStats>(volume.driver, 'NodeGetVolumeStats', request, options), clock.now())
  }

  async unmount(place: VolumePlace): Promise<void> {
    const data = await readData(place.directory)
    // No driver was asked for anything.
    if (!data) return
    await this.#lock.take(uniqueNameOf({ driver: data.driverName, handle: data.volumeHandle }), async () => {
      const target = targetPath(this.#options.pluginsDirectory, place)
      const { driverName, volumeHandle: volumeId } = data
      await this.#call(driverName, 'NodeUnpublishVolume', { volumeId, targetPath: target })
      // Whatever the driver says: what is left there would be taken for the pod's own files.
      await unmountAll(target)
      await this.#unstageUnlessUsed(place, data)
      await removeData(place.directory)
      this.#letGo(place.podUid, data)
    })
  }

  /** A controller has made a volume larger, through this agent: pods that have it follow soon. */
  async expanded(driver: string, volumeId: string): Promise<void> {
    const { podsDirectory, clock, refresh, signal } = this.#options
    for (const waitMs of grownLooksMs) {
      await clock.sleep(waitMs, signal)
      for (const { podUid, data } of await allData(podsDirectory)) {
        if (data.driverName === driver && data.volumeHandle === volumeId) refresh(podUid)
      }
    }
  }

  /** Reads what must be known before a driver is asked for anything, and waits for the volume to be attached. */
  async #prepare(spec: VolumeSpec, context: VolumeContext): Promise<Job> {
    const { api, clock, drivers, nodeName, pluginsDirectory } = this.#options
    const { signal } = context
    const volume = csiVolumeOf(spec, context.pod)
    if (!volume) throw new Error('this is no volume of a storage driver')
    const known = await this.#driverSpec(volume.driver)
    const driver = known ?? {}
    checkLifecycle(volume, driver)
    const attached = volume.lifecycle === 'Persistent' && (driver.attachRequired ?? true)
    const attachmentID = attached ? attachmentNameOf(volume, nodeName) : ''
    const publishContext = attached ? await attachment({ api, clock, signal }, attachmentID) : {}
    if (!drivers.has(volume.driver)) await drivers.settled(signal)
    const nodeCapabilities = await drivers.nodeCapabilities(volume.driver).catch((error: Error) => {
      throw new MountFailure(deviceStep(spec), error.message)
    })
    const data: VolumeData = {
      driverName: volume.driver,
      volumeHandle: volume.handle,
      specVolID: spec.name,
      nodeName,
      attachmentID,
      volumeLifecycleMode: volume.lifecycle,
    }
    return {
      spec,
      context,
      volume,
      driver,
      data,
      nodeCapabilities,
      capability: capabilityFor(volume, nodeCapabilities, fsGroupOf(context.pod)),
      staging: staged(volume, nodeCapabilities) ? stagingPath(pluginsDirectory, data, spec.mode) : '',
      target: targetPath(pluginsDirectory, context),
      publishContext,
    }
  }

  async #stage({ volume, staging, capability, publishContext, context, spec }: Job): Promise<void> {
    if (staging === '' || this.#staged.has(staging)) return
    await mkdir(staging, { recursive: true, mode: 0o750 })
    const request = {
      volumeId: volume.handle,
      publishContext,
      stagingTargetPath: staging,
      volumeCapability: capability,
      secrets: await this.#secret(volume.stageSecret, context),
      volumeContext: volume.attributes,
    }
    await this.#call(volume.driver, 'NodeStageVolume', request, context.signal).catch((error: Error) => {
      throw new MountFailure(deviceStep(spec), error.message)
    })
    this.#staged.add(staging)
  }

  async #publish(job: Job): Promise<void> {
    const { volume, driver, context, staging, target, capability, publishContext, spec } = job
    const tokens = await tokensFor(driver, context)
    const inSecrets = driver.serviceAccountTokenInSecrets ?? false
    const request: NodePublishVolumeRequest = {
      volumeId: volume.handle,
      publishContext,
      stagingTargetPath: staging,
      targetPath: target,
      volumeCapability: capability,
      readonly: volume.readOnly,
      secrets: { ...(await this.#secret(volume.publishSecret, context)), ...(inSecrets ? tokens : {}) },
      volumeContext: {
        ...volume.attributes,
        ...(driver.podInfoOnMount ? podAttributes(context.pod, volume.lifecycle) : {}),
        ...(inSecrets ? {} : tokens),
      },
    }
    await mkdir(dirname(target), { recursive: true, mode: 0o750 })
    await this.#call(volume.driver, 'NodePublishVolume', request, context.signal).catch((error: Error) => {
      throw new MountFailure(spec.mode === 'Block' ? 'MapVolume.MapBlockVolume' : 'MountVolume.SetUp', error.message)
    })
  }

  async #giveToGroup({ volume, driver, nodeCapabilities, context, target }: Job): Promise<boolean> {
    const group = fsGroupOf(context.pod)
    if (group === undefined) return false
    if (nodeCapabilities.has('VOLUME_MOUNT_GROUP')) return !volume.block
    if (!ownedByGroup(volume, driver)) return false
    await giveToGroup(await realpath(target), group, context.pod.spec.securityContext?.fsGroupChangePolicy)
    return true
  }

  /** The node's part of growing. A pod does not wait for it: what fails is told, and tried again. */
  async #expand({ spec, volume, nodeCapabilities, context, staging, target, capability }: Job): Promise<void> {
    const { api, events, log } = this.#options
    const { persistent } = spec
    const bytes = persistent && wantedBytes(persistent)
    if (!persistent || bytes === undefined || !nodeCapabilities.has('EXPAND_VOLUME') || volume.readOnly) return
    const { claim } = persistent
    const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', ...claim.metadata }
    const request: NodeExpandVolumeRequest = {
      volumeId: volume.handle,
      volumePath: target,
      capacityRange: { requiredBytes: String(bytes) },
      stagingTargetPath: staging,
      volumeCapability: capability,
      secrets: await this.#secret(volume.expandSecret, context),
    }
    try {
      await this.#lock.take(uniqueNameOf(volume), () =>
        this.#call(volume.driver, 'NodeExpandVolume', request, context.signal),
      )
      await patchClaimStatus(api, claim, grownStatus(persistent))
      const message = `MountVolume.NodeExpandVolume succeeded for volume "${spec.name}"`
      events.event(about, 'Normal', 'FileSystemResizeSuccessful', message)
    } catch (error) {
      if (context.signal.aborted) return
      log.warn({ err: error, volume: spec.name }, 'a volume cannot grow on this node yet')
      if (!(error instanceof CsiError)) return
      const message = `NodeExpandVolume.NodeExpandVolume failed for volume "${spec.name}" : ${error.message}`
      events.event(about, 'Warning', 'VolumeResizeFailed', message)
      const status = failedStatus(error.code, claim.status)
      if (status) await patchClaimStatus(api, claim, status).catch((cause) => log.warn({ err: cause }, message))
    }
  }

  async #unstageUnlessUsed(place: VolumePlace, data: VolumeData): Promise<void> {
    const { drivers, podsDirectory, pluginsDirectory, log } = this.#options
    const { driverName, volumeHandle: volumeId, volumeLifecycleMode } = data
    if (volumeLifecycleMode === 'Ephemeral' || (await usedByOthers(podsDirectory, place.podUid, data))) return
    const capabilities = await drivers.nodeCapabilities(driverName)
    if (!capabilities.has('STAGE_UNSTAGE_VOLUME')) return
    const staging = stagingPath(pluginsDirectory, data, place.mode)
    this.#staged.delete(staging)
    await this.#call(driverName, 'NodeUnstageVolume', { volumeId, stagingTargetPath: staging })
    await unmountAll(staging)
    await removeStaging(staging, place.mode).catch((error) => {
      log.warn({ err: error, driver: driverName, staging }, 'a staging directory of a driver is left behind')
    })
  }

  #call(driver: string, method: string, request: object, signal?: AbortSignal): Promise<object> {
    return this.#options.drivers.call(driver, method, request, {
      timeoutMs: callTimeoutMs,
      ...(signal ? { signal } : {}),
    })
  }

  /** When the pod's volume is looked at again; undefined: nothing of it grows old. */
  #due({ driver, spec, nodeCapabilities }: Job): number | undefined {
    const now = this.#options.clock.now()
    if (driver.requiresRepublish) return now + republishMs
    // Side by side with others, but not all at one moment.
    if (spec.persistent && nodeCapabilities.has('EXPAND_VOLUME')) return now + lookMs * (1 + Math.random() / 2)
    return undefined
  }

  /** What the driver's object says; undefined: there is none, and upstream's defaults count. */
  async #driverSpec(name: string): Promise<CSIDriverSpec | undefined> {
    const { api, clock } = this.#options
    const known = this.#known.get(name)
    if (known && known.until > clock.now()) return known.spec
    const found = await api.get(csiDrivers, { name }).catch((error) => {
      if (!isNotFound(error)) throw error
    })
    this.#known.set(name, { spec: found?.spec, until: clock.now() + rememberMs })
    return found?.spec
  }

  async #secret(reference: SecretReference | undefined, { objects }: VolumeContext): Promise<Record<string, string>> {
    if (!reference) return {}
    const { namespace = '', name = '' } = reference
    const found = await objects.secret(namespace, name)
    if (!found) throw new Error(`failed to get secret ${namespace}/${name}: it is not there`)
    return Object.fromEntries(
      Object.entries(found.data ?? {}).map(([key, base64]) => [key, Buffer.from(base64, 'base64').toString()]),
    )
  }

  #use(podUid: string, data: VolumeData): void {
    if (data.attachmentID === '') return
    const name = uniqueNameOf({ driver: data.driverName, handle: data.volumeHandle })
    const pods = this.#inUse.get(name) ?? new Set()
    if (pods.has(podUid)) return
    this.#inUse.set(name, pods.add(podUid))
    this.#options.inUseChanged()
  }

  #letGo(podUid: string, data: VolumeData): void {
    const name = uniqueNameOf({ driver: data.driverName, handle: data.volumeHandle })
    const pods = this.#inUse.get(name)
    if (!pods?.delete(podUid) || pods.size > 0) return
    this.#inUse.delete(name)
    this.#options.inUseChanged()
  }
}

const deviceStep = ({ mode }: VolumeSpec): string =>
  mode === 'Block' ? 'MapVolume.SetUpDevice' : 'MountVolume.MountDevice'

const staged = (volume: CsiVolume, nodeCapabilities: ReadonlySet<string>): boolean =>
  volume.lifecycle === 'Persistent' && nodeCapabilities.has('STAGE_UNSTAGE_VOLUME')

/** Tokens of the pod's service account for the audiences that the driver asks for. */
async function tokensFor(
  { tokenRequests = [] }: CSIDriverSpec,
  { pod, tokens }: VolumeContext,
): Promise<Record<string, string>> {
  if (tokenRequests.length === 0) return {}
  const entries = await Promise.all(
    tokenRequests.map(async ({ audience, expirationSeconds = 3600 }) => {
      const { token, expiresAt } = await tokens.token(pod, audience, expirationSeconds)
      return [audience, { token, expirationTimestamp: formatTime(expiresAt) }]
    }),
  )
  return { [tokensKey]: JSON.stringify(Object.fromEntries(entries)) }
}
