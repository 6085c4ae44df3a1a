import { isReachedFrom } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, VolumeAttachment } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { persistentVolumes, volumeAttachments } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { capabilityOfVolume } from '../csi/capability.ts'
import { newDrivers } from '../csi/drivers.ts'
import { DriverError } from '../csi/relay.ts'
import { readSecret } from '../csi/secrets.ts'
import { withFinalizer } from '../pvc-protection/plan.ts'
import type { ControllerDeps } from '../types.ts'

const publishes = 'PUBLISH_UNPUBLISH_VOLUME'

/** What upstream's external-attacher does, for the drivers that ask for the built-in controllers. */
export function newCsiAttacher(deps: ControllerDeps): Controller {
  const { api, clock, informers } = deps
  const drivers = newDrivers(deps)
  const queue = new WorkQueue({ clock, name: 'csi_attacher', baseDelayMs: 1000, maxDelayMs: 300_000 })
  const attachments = informers.for<VolumeAttachment>(volumeAttachments)
  const volumes = informers.for<PersistentVolume>(persistentVolumes).lister
  const see = ({ metadata }: Live<VolumeAttachment>) => queue.add(metadata.name)
  attachments.on({
    add: see,
    update(before, after) {
      // The errors that are written here must not start the next try: that has its time.
      const isGoing = (of: Live<VolumeAttachment>) => of.metadata.deletionTimestamp !== undefined
      if (isGoing(before) !== isGoing(after) || before.status?.attached !== after.status?.attached) see(after)
    },
  })

  async function reconcile(name: string, signal: AbortSignal): Promise<undefined> {
    const attachment = attachments.lister.get(undefined, name)
    if (!attachment || !drivers.isOurs(attachment.spec.attacher)) return
    const { deletionTimestamp, finalizers = [] } = attachment.metadata
    const finalizer = `external-attacher/${attachment.spec.attacher.replaceAll('.', '-')}`
    try {
      if (deletionTimestamp) {
        if (!finalizers.includes(finalizer)) return
        await detach(attachment, signal)
        await api.update(volumeAttachments, withFinalizer(attachment, finalizer, false), { signal })
        return
      }
      if (attachment.status?.attached) return
      const kept = finalizers.includes(finalizer)
        ? attachment
        : await api.update(volumeAttachments, withFinalizer(attachment, finalizer, true), { signal })
      await attach(kept, signal)
    } catch (error) {
      if (!isNotFound(error) || attachments.lister.get(undefined, name)) throw error
    }
  }

  async function attach(attachment: Live<VolumeAttachment>, signal: AbortSignal): Promise<void> {
    try {
      const { volume, message, place } = callFor(attachment)
      const { readOnly = false, volumeAttributes = {} } = volume.spec?.csi ?? {}
      const secret = await readSecret(api, volume.spec?.csi?.controllerPublishSecretRef, signal)
      const more = { volumeCapability: capabilityOfVolume(volume), readonly: readOnly, volumeContext: volumeAttributes }
      const answer = await ask<{ publishContext?: Record<string, string> }>(
        attachment,
        place,
        'ControllerPublishVolume',
        { ...message, ...more, ...secret },
        signal,
      )
      const { publishContext = {} } = answer ?? {}
      const known = Object.keys(publishContext).length > 0 ? { attachmentMetadata: publishContext } : {}
      const next = { ...attachment, status: { attached: true, ...known } }
      await api.update(volumeAttachments, next, { subresource: 'status', signal })
    } catch (error) {
      await tell(attachment, 'attachError', error, signal)
      throw error
    }
  }

  async function detach(attachment: Live<VolumeAttachment>, signal: AbortSignal): Promise<void> {
    try {
      const { volume, message, place } = callFor(attachment)
      const secret = await readSecret(api, volume.spec?.csi?.controllerPublishSecretRef, signal)
      await ask(attachment, place, 'ControllerUnpublishVolume', { ...message, ...secret }, signal)
    } catch (error) {
      // Neither volume nor node need be known any more.
      if (error instanceof DriverError && error.code === 'NOT_FOUND') return
      await tell(attachment, 'detachError', error, signal)
      throw error
    }
  }

  /** Nothing is asked of a driver whose volumes need no attaching. */
  async function ask<A>(
    { spec }: Live<VolumeAttachment>,
    node: string,
    method: string,
    message: object,
    signal: AbortSignal,
  ): Promise<A | undefined> {
    if (!(await drivers.capabilities(node, spec.attacher, signal)).has(publishes)) return undefined
    return drivers.call<A>(node, spec.attacher, method, message, signal)
  }

  function callFor({ spec }: Live<VolumeAttachment>) {
    const { attacher, nodeName, source } = spec
    const volume = volumes.get(undefined, source.persistentVolumeName ?? '')
    if (!volume?.spec?.csi)
      throw new Error(`there is no volume ${JSON.stringify(source.persistentVolumeName)} of a driver`)
    const nodeId = drivers.nodeId(attacher, nodeName)
    if (nodeId === undefined) throw new Error(`the driver ${attacher} is not registered on the node ${nodeName}`)
    // The node itself may be the one that is lost: any other can tell the driver.
    const places = drivers.nodesOf(attacher).map(({ name, labels }) => ({ name, labels }))
    const place =
      places.find((node) => node.name === nodeName) ?? places.find((node) => isReachedFrom(volume, node)) ?? places[0]
    if (!place) throw new Error(`no ready node runs the driver ${attacher}`)
    return { volume, place: place.name, message: { volumeId: volume.spec.csi.volumeHandle, nodeId } }
  }

  async function tell(
    attachment: Live<VolumeAttachment>,
    field: 'attachError' | 'detachError',
    error: unknown,
    signal: AbortSignal,
  ): Promise<void> {
    const { message } = error as Error
    const before = attachment.status?.[field]
    if (before?.message === message) return
    const body = { status: { [field]: { message, time: formatTime(clock.now()) } } }
    const key = { name: attachment.metadata.name }
    await api.patch(volumeAttachments, key, { type: 'merge', body }, { subresource: 'status', signal })
  }

  return { name: 'csi-attacher', queue, reconcile }
}
