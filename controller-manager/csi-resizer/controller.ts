import { isReachedFrom, requestOf } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types.ts'
import { formatQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import type { Controller } from '../../client/controller.ts'
import { keyOf } from '../../client/key.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { capabilityOfVolume } from '../csi/capability.ts'
import { type Drivers, newDrivers } from '../csi/drivers.ts'
import { DriverError } from '../csi/relay.ts'
import { readSecret } from '../csi/secrets.ts'
import type { ControllerDeps } from '../types.ts'
import { newModifyController } from './modify.ts'
import { type Growth, sizeToGrowTo, withGrowth } from './plan.ts'

/** What no second try will change. */
const infeasible = new Set(['INVALID_ARGUMENT', 'OUT_OF_RANGE', 'NOT_FOUND'])

/** What upstream's external-resizer does, for the drivers that ask for the built-in controllers. */
export function newCsiResizer(deps: ControllerDeps): Controller[] {
  const drivers = newDrivers(deps)
  return [newGrowthController(deps, drivers), newModifyController(deps, drivers)]
}

function newGrowthController({ api, clock, events, informers }: ControllerDeps, drivers: Drivers): Controller {
  const queue = new WorkQueue({ clock, name: 'csi_resizer', baseDelayMs: 1000, maxDelayMs: 300_000 })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const volumes = informers.for<PersistentVolume>(persistentVolumes).lister
  const see = (claim: Live<PersistentVolumeClaim>) => {
    if (claim.spec?.volumeName && claim.status?.capacity?.storage !== requestOf(claim)) queue.add(keyOf(claim))
  }
  claims.on({
    add: see,
    update(before, after) {
      // What is written here of a growth that fails must not start the next try: that has its time.
      if (requestOf(before) !== requestOf(after) || before.status?.phase !== after.status?.phase) see(after)
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
    const volume = claim && volumes.get(undefined, claim.spec?.volumeName ?? '')
    const driver = volume?.spec?.csi?.driver ?? ''
    if (!volume || volume.spec?.claimRef?.uid !== claim.metadata.uid || !drivers.isOurs(driver)) return
    const size = sizeToGrowTo(claim, volume)
    if (size === undefined) return
    tell(claim, 'Normal', 'Resizing', `External resizer is resizing volume ${volume.metadata.name}`)
    const isTold = claim.status?.allocatedResourceStatuses?.storage?.startsWith('ControllerResize') ?? false
    const growing =
      isTold && claim.status?.allocatedResources?.storage === size
        ? claim
        : await write(claim, { state: 'ControllerResizeInProgress', size }, signal)
    try {
      await grow(growing, volume, size, signal)
    } catch (error) {
      const { message } = error as Error
      const quoted = JSON.stringify(volume.metadata.name)
      tell(
        claim,
        'Warning',
        'VolumeResizeFailed',
        `resize volume ${quoted} by resizer ${JSON.stringify(driver)} failed: ${message}`,
      )
      const isSaid = growing.status?.allocatedResourceStatuses?.storage === 'ControllerResizeInfeasible'
      if (!isSaid && error instanceof DriverError && infeasible.has(error.code)) {
        await write(growing, { state: 'ControllerResizeInfeasible', size, message }, signal)
      }
      throw error
    }
  }

  async function grow(
    claim: Live<PersistentVolumeClaim>,
    volume: Live<PersistentVolume>,
    size: string,
    signal: AbortSignal,
  ): Promise<void> {
    const { driver = '', volumeHandle = '' } = volume.spec?.csi ?? {}
    const place = drivers.nodesOf(driver).find((node) => isReachedFrom(volume, node))
    if (!place) throw new Error(`no ready node that has the volume runs the driver ${driver}`)
    const known = await drivers.capabilities(place.name, driver, signal)
    // A driver whose nodes alone can grow a volume has nothing to do before.
    const answer = known.has('EXPAND_VOLUME')
      ? await drivers.call<{ capacityBytes?: string; nodeExpansionRequired?: boolean }>(
          place.name,
          driver,
          'ControllerExpandVolume',
          {
            volumeId: volumeHandle,
            capacityRange: { requiredBytes: String(quantityValue(size)) },
            volumeCapability: capabilityOfVolume(volume),
            ...(await readSecret(api, volume.spec?.csi?.controllerExpandSecretRef, signal)),
          },
          signal,
        )
      : { nodeExpansionRequired: true }
    const bytes = BigInt(answer.capacityBytes || 0)
    const grown = bytes > 0n ? formatQuantity({ nanos: bytes * 1_000_000_000n, format: 'BinarySI' }) : size
    const capacity = { ...volume.spec?.capacity, storage: grown }
    if (volume.spec?.capacity?.storage !== grown) {
      await api.update(persistentVolumes, { ...volume, spec: { ...volume.spec, capacity } }, { signal })
    }
    if (answer.nodeExpansionRequired) {
      await write(claim, { state: 'NodeResizePending', size }, signal)
      tell(claim, 'Normal', 'FileSystemResizeRequired', 'Require file system resize of volume on node')
      return
    }
    await write(claim, { state: 'done', size: grown }, signal)
    tell(claim, 'Normal', 'VolumeResizeSuccessful', 'Resize volume succeeded')
  }

  const write = (claim: Live<PersistentVolumeClaim>, growth: Growth, signal: AbortSignal) =>
    api.update(persistentVolumeClaims, withGrowth(claim, growth, clock.now()), { subresource: 'status', signal })

  return { name: 'csi-resizer', queue, reconcile }
}
