import { isReachedFrom } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim, VolumeAttributesClass } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { keyOf } from '../../client/key.ts'
import { persistentVolumeClaims, persistentVolumes, volumeAttributesClasses } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { attributesFault } from '../csi/attributes.ts'
import type { Drivers } from '../csi/drivers.ts'
import { DriverError, isFinal } from '../csi/relay.ts'
import { readSecret } from '../csi/secrets.ts'
import { modifySecret } from '../csi-provisioner/create.ts'
import type { ControllerDeps } from '../types.ts'
import { type Modification, planModify, withModification } from './modify-plan.ts'

const maxDelayMs = 300_000

/** Has the attributes of volumes changed to those of the class that their claims ask for. */
export function newModifyController(deps: ControllerDeps, drivers: Drivers): Controller {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'csi_resizer_modify', baseDelayMs: 1000, maxDelayMs })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const volumes = informers.for<PersistentVolume>(persistentVolumes).lister
  const classes = informers.for<VolumeAttributesClass>(volumeAttributesClasses)
  /** Claims whose last call has failed for certain. Of all others in progress nobody knows, least of all after a restart. */
  const settled = new Set<string>()
  const see = (claim: Live<PersistentVolumeClaim>) => {
    if (planModify(claim, true).do !== 'nothing') queue.add(keyOf(claim))
  }
  claims.on({
    add: see,
    update(before, after) {
      // What is written here of a try that fails must not start the next: that has its time.
      const isNew = before.spec?.volumeAttributesClassName !== after.spec?.volumeAttributesClassName
      const isOver = before.status?.modifyVolumeStatus && !after.status?.modifyVolumeStatus
      if (isNew || isOver || before.status?.phase !== after.status?.phase) see(after)
    },
    delete: (claim) => settled.delete(keyOf(claim)),
  })
  classes.on({
    add({ metadata: { name } }) {
      for (const claim of claims.lister.list()) if (claim.spec?.volumeAttributesClassName === name) see(claim)
    },
  })
  const tell = (
    { metadata }: Live<PersistentVolumeClaim>,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ) => events.event({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata }, type, reason, message)
  const write = (claim: Live<PersistentVolumeClaim>, modification: Modification, signal: AbortSignal) =>
    api.update(persistentVolumeClaims, withModification(claim, modification, clock.now()), {
      subresource: 'status',
      signal,
    })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const claim = claims.lister.byKey(key)
    const volume = claim && volumes.get(undefined, claim.spec?.volumeName ?? '')
    const driver = volume?.spec?.csi?.driver ?? ''
    if (!volume || volume.spec?.claimRef?.uid !== claim.metadata.uid || !drivers.isOurs(driver)) return
    const plan = planModify(claim, settled.has(key))
    if (plan.do === 'nothing') return
    if (plan.do === 'cancel') {
      await write(claim, { state: 'cancelled' }, signal)
      tell(claim, 'Normal', 'VolumeModifyCanceled', 'Cancelled modify.')
      return
    }
    const { target } = plan
    const place = drivers.nodesOf(driver).find((node) => isReachedFrom(volume, node))
    if (!place) throw new Error(`no ready node that has the volume runs the driver ${driver}`)
    const attributes = classes.lister.get(undefined, target)
    const fault = faultOf(attributes, target, driver, await drivers.capabilities(place.name, driver, signal))
    if (!attributes || fault !== undefined) {
      tell(claim, 'Warning', 'VolumeModifyFailed', fault ?? '')
      if (plan.do === 'begin' && claim.status?.modifyVolumeStatus?.status !== 'Pending') {
        await write(claim, { state: 'Pending' }, signal)
      }
      return { requeueAfterMs: maxDelayMs }
    }
    const begun = plan.do === 'begin' ? await begin(claim, target, signal) : claim
    return modify({ claim: begun, volume, place: place.name, attributes }, signal)
  }

  async function begin(
    claim: Live<PersistentVolumeClaim>,
    target: string,
    signal: AbortSignal,
  ): Promise<Live<PersistentVolumeClaim>> {
    const begun = await write(claim, { state: 'InProgress', target }, signal)
    const { name } = claim.metadata
    tell(claim, 'Normal', 'VolumeModify', `external resizer is modifying volume ${name} with vac ${target}`)
    return begun
  }

  async function modify(job: Job, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { claim, volume, place, attributes } = job
    const { name: target } = attributes.metadata
    const key = keyOf(claim)
    const { driver = '', volumeHandle: volumeId = '' } = volume.spec?.csi ?? {}
    try {
      const secret = await readSecret(api, modifySecret(volume), signal)
      const message = { volumeId, mutableParameters: attributes.parameters ?? {}, ...secret }
      await drivers.call(place, driver, 'ControllerModifyVolume', message, signal)
    } catch (error) {
      if (isFinal(error)) settled.add(key)
      else settled.delete(key)
      const { message } = error as Error
      const more = isFinal(error) ? '' : `. Still modifying to VAC ${target}`
      tell(claim, 'Warning', 'VolumeModifyFailed', `${message}${more}`)
      if (!(error instanceof DriverError)) throw error
      const written = await write(claim, { state: 'failed', target, error }, signal)
      if (written.status?.modifyVolumeStatus?.status === 'Infeasible') return { requeueAfterMs: maxDelayMs }
      throw error
    }
    settled.delete(key)
    // The volume first: a claim that says so already would never be looked at again.
    await api.update(
      persistentVolumes,
      { ...volume, spec: { ...volume.spec, volumeAttributesClassName: target } },
      { signal },
    )
    await write(claim, { state: 'done', target }, signal)
    const { name } = claim.metadata
    tell(
      claim,
      'Normal',
      'VolumeModifySuccessful',
      `external resizer modified volume ${name} with vac ${target} successfully`,
    )
    return undefined
  }

  return { name: 'csi-resizer-modify', queue, reconcile }
}

interface Job {
  claim: Live<PersistentVolumeClaim>
  volume: Live<PersistentVolume>
  place: string
  attributes: Live<VolumeAttributesClass>
}

/** Why the volume cannot get the attributes of the class. */
function faultOf(
  attributes: Live<VolumeAttributesClass> | undefined,
  target: string,
  driver: string,
  capabilities: ReadonlySet<string>,
): string | undefined {
  return attributes
    ? attributesFault(attributes, driver, capabilities)
    : `VAC ${JSON.stringify(target)} does not exist.`
}
