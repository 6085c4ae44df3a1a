import {
  betaStorageProvisioner,
  boundVolume,
  type Claim,
  classOf,
  defaultClassAnnotations,
  type PersistentVolumeLike,
  storageProvisioner,
} from '../../api/core/volume-binding.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/generated/types.ts'
import { newestDefault } from '../../api/machinery/newest-default.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { keyOf } from '../../client/key.ts'
import { Latest } from '../../client/latest.ts'
import { persistentVolumeClaims, persistentVolumes, storageClasses } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

import { claimKeys, claimPodInformer, podsOfClaim } from '../volumes/pods-of-claims.ts'
import { boundClaim, boundStatus, type ClaimPlan, type Notice, planClaim, unboundStatus } from './claim.ts'
import { planVolume, unboundVolume, type VolumePlan } from './volume.ts'

const unboundOfClass = 'unbound-of-class'

/**
 * Binds claims and volumes to each other, and says of both where they stand. Two loops over one set of caches, each with one
 * worker: two claims decided on side by side would choose the same volume.
 */
export function newPersistentVolumeController(deps: ControllerDeps): Controller[] {
  const { api, clock, events, informers, options } = deps
  const claimQueue = new WorkQueue({ clock, name: 'claims' })
  const volumeQueue = new WorkQueue({ clock, name: 'volumes' })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const volumes = informers.for<PersistentVolume>(persistentVolumes)
  const classes = informers.for<StorageClass>(storageClasses)
  const pods = claimPodInformer(informers)
  const newestClaim = new Latest<PersistentVolumeClaim>((key) => claims.lister.byKey(key))
  const newestVolume = new Latest<PersistentVolume>((key) => volumes.lister.byKey(key))
  claims.addIndexers({ [unboundOfClass]: (claim) => (claim.spec?.volumeName ? [] : [classOf(claim)]) })

  const wakeClass = (name: string) => {
    for (const claim of claims.lister.byIndex(unboundOfClass, name)) claimQueue.add(keyOf(claim))
  }
  const wakeClaimOf = ({ spec }: Live<PersistentVolume>) => {
    if (spec?.claimRef) claimQueue.add(`${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`)
  }
  const seeVolume = (volume: Live<PersistentVolume>) => {
    volumeQueue.add(volume.metadata.name)
    if (volume.spec?.claimRef) wakeClaimOf(volume)
    else if (volume.status?.phase === 'Available') wakeClass(classOf(volume))
    // One that is named in a claim is not found by its class.
    for (const claim of claims.lister.byIndex(namedVolume, volume.metadata.name)) claimQueue.add(keyOf(claim))
  }
  claims.addIndexers({ [namedVolume]: ({ spec }) => (spec?.volumeName ? [spec.volumeName] : []) })
  claims.on({
    add: (claim) => claimQueue.add(keyOf(claim)),
    update: (_, claim) => claimQueue.add(keyOf(claim)),
    delete(claim) {
      newestClaim.forget(keyOf(claim))
      if (claim.spec?.volumeName) volumeQueue.add(claim.spec.volumeName)
      // One that was chosen for it and not yet named in it.
      for (const { metadata, spec } of volumes.lister.list()) {
        if (spec?.claimRef?.uid === claim.metadata.uid) volumeQueue.add(metadata.name)
      }
    },
  })
  volumes.on({
    add: seeVolume,
    update: (_, volume) => seeVolume(volume),
    delete(volume) {
      newestVolume.forget(volume.metadata.name)
      wakeClaimOf(volume)
      for (const claim of claims.lister.byIndex(namedVolume, volume.metadata.name)) claimQueue.add(keyOf(claim))
    },
  })
  const seeClass = ({ metadata }: Live<StorageClass>) => {
    wakeClass(metadata.name)
    wakeClass('')
  }
  classes.on({ add: seeClass, update: (_, after) => seeClass(after) })
  const seePod = (pod: Live<Pod>) => {
    for (const key of claimKeys(pod)) if (!claims.lister.byKey(key)?.spec?.volumeName) claimQueue.add(key)
  }
  pods.on({ add: seePod, delete: seePod })

  async function syncClaim(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const claim = newestClaim.get(key)
    if (!claim) return
    const plan = planClaim(claim, {
      volumes: () => volumes.lister.list().map((volume) => newestVolume.newer(volume)),
      volume: (name) => newestVolume.get(name),
      storageClass: (name) => classes.lister.get(undefined, name),
      defaultClass: () => newestDefault(classes.lister.list(), defaultClassAnnotations),
      waitingPods: podsOfClaim(pods, key)
        .filter(isWaiting)
        .map(({ metadata }) => metadata.name)
        .sort(),
    })
    await executeClaim(claim, plan, signal)
    return plan.do === 'wait' || plan.do === 'ask' ? { requeueAfterMs: options.claimBinderSyncPeriodMs } : undefined
  }

  async function executeClaim(claim: Live<PersistentVolumeClaim>, plan: ClaimPlan, signal: AbortSignal): Promise<void> {
    switch (plan.do) {
      case 'bind':
        await bind(claim, plan.volume, signal)
        return
      case 'wait': {
        if (plan.notice) tell(claim, 'PersistentVolumeClaim', plan.notice)
        await writeClaimStatus(unboundStatus(claim, 'Pending'), signal)
        return
      }
      case 'lose':
        if (claim.status?.phase !== 'Lost') tell(claim, 'PersistentVolumeClaim', plan.notice)
        await writeClaimStatus(unboundStatus(claim, 'Lost'), signal)
        return
      case 'give-class':
        await writeClaim({ ...claim, spec: { ...claim.spec, storageClassName: plan.storageClass } }, signal)
        return
      case 'ask': {
        const asked = { [betaStorageProvisioner]: plan.provisioner, [storageProvisioner]: plan.provisioner }
        const annotations = { ...claim.metadata.annotations, ...asked }
        if (claim.metadata.annotations?.[storageProvisioner] !== plan.provisioner) {
          await writeClaim({ ...claim, metadata: { ...claim.metadata, annotations } }, signal)
        }
        tell(claim, 'PersistentVolumeClaim', plan.notice)
      }
    }
  }

  /** Four steps, each of which may have been taken before: a manager that was killed between two goes on with the next. */
  async function bind(claim: Live<PersistentVolumeClaim>, volume: PersistentVolumeLike, signal: AbortSignal) {
    let ours = volume as Live<PersistentVolume>
    const written = boundVolume(ours, claim)
    if (written) ours = newestVolume.wrote(await api.update(persistentVolumes, written, { signal }))
    ours = await writePhase(ours, 'Bound', undefined, signal)
    let bound = claim
    const named = boundClaim(bound, ours)
    if (named) bound = await writeClaim(named, signal)
    await writeClaimStatus(boundStatus(bound, ours), signal)
  }

  async function syncVolume(name: string, signal: AbortSignal): Promise<undefined> {
    const volume = newestVolume.get(name)
    if (!volume) return
    const claim = await claimOf(volume, signal)
    const plan = planVolume(volume, claim)
    await executeVolume(volume, claim, plan, signal)
    // What is released is looked at once more, for what becomes of it.
    if (plan.do === 'phase' && plan.phase === 'Released' && volume.status?.phase !== 'Released') volumeQueue.add(name)
  }

  /**
   * The very claim a volume is bound to. Before a volume is taken for released, the server is asked: a cache may not have
   * heard of the claim yet, and what is reclaimed is gone.
   */
  async function claimOf({ spec }: Live<PersistentVolume>, signal: AbortSignal): Promise<Claim | undefined> {
    const { namespace = '', name = '', uid } = spec?.claimRef ?? {}
    if (!uid) return undefined
    const known = newestClaim.get(`${namespace}/${name}`)
    if (known?.metadata.uid === uid) return known
    const found = await api.get(persistentVolumeClaims, { namespace, name }, { signal }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    return found?.metadata.uid === uid ? found : undefined
  }

  async function executeVolume(
    volume: Live<PersistentVolume>,
    claim: Claim | undefined,
    plan: VolumePlan,
    signal: AbortSignal,
  ): Promise<void> {
    switch (plan.do) {
      case 'phase':
        if (plan.notice && volume.status?.phase !== plan.phase) tell(volume, 'PersistentVolume', plan.notice)
        await writePhase(volume, plan.phase, plan.message, signal)
        return
      case 'unbind': {
        const freed = newestVolume.wrote(await api.update(persistentVolumes, unboundVolume(volume), { signal }))
        await writePhase(freed, 'Available', undefined, signal)
        return
      }
      case 'wake-claim':
        if (claim) claimQueue.add(keyOf(claim))
        return
      case 'tell':
        tell(volume, 'PersistentVolume', plan.volume)
        if (claim) tell(claim, 'PersistentVolumeClaim', plan.claim)
    }
  }

  async function writePhase(
    volume: Live<PersistentVolume>,
    phase: string,
    message: string | undefined,
    signal: AbortSignal,
  ): Promise<Live<PersistentVolume>> {
    const { message: _, ...status } = volume.status ?? {}
    if (status.phase === phase) return volume
    const next = { ...volume, status: { ...status, phase, ...(message ? { message } : {}) } }
    return newestVolume.wrote(await api.update(persistentVolumes, next, { subresource: 'status', signal }))
  }

  const writeClaim = async (claim: Claim, signal: AbortSignal) =>
    newestClaim.wrote(await api.update(persistentVolumeClaims, claim, { signal }))

  async function writeClaimStatus(claim: Claim | undefined, signal: AbortSignal): Promise<void> {
    if (!claim) return
    newestClaim.wrote(await api.update(persistentVolumeClaims, claim, { subresource: 'status', signal }))
  }

  const tell = (about: Claim | PersistentVolumeLike, kind: string, { type, reason, message }: Notice) =>
    events.event({ apiVersion: 'v1', kind, metadata: about.metadata }, type, reason, message)

  return [
    { name: 'persistentvolume-claims', workers: 1, queue: claimQueue, reconcile: unlessGone(syncClaim) },
    { name: 'persistentvolume-volumes', workers: 1, queue: volumeQueue, reconcile: unlessGone(syncVolume) },
  ]
}

const namedVolume = 'named-volume'

/** What has gone in between needs nothing any more: its going is told apart. */
function unlessGone(reconcile: Controller['reconcile']): Controller['reconcile'] {
  return async (key, signal) => {
    try {
      return await reconcile(key, signal)
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }
}

const isWaiting = ({ spec, status }: Live<Pod>): boolean =>
  !spec?.nodeName && status?.phase !== 'Succeeded' && status?.phase !== 'Failed'
