import type {
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  VolumeAttachment,
} from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNotFound } from '../../client/errors.ts'
import type { Informer } from '../../client/informer.ts'
import {
  csiDrivers,
  nodes as nodeResource,
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { claimKeys, claimPodInformer, podsOfClaim } from '../volumes/pods-of-claims.ts'
import { type AttachStep, attachmentName, type NodeState, planAttach, uniqueVolumeName } from './plan.ts'

const ofVolume = 'volume'
const onNode = 'node'

/** Asks for volumes to be attached to the nodes of the pods that use them, and to be detached again. */
export function newAttachDetachController(deps: ControllerDeps): Controller[] {
  const { api, clock, events, informers } = deps
  const queue = new WorkQueue({ clock, name: 'attach_detach' })
  const nodeQueue = new WorkQueue({ clock, name: 'attach_detach_nodes' })
  const volumes = informers.for<PersistentVolume>(persistentVolumes)
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const drivers = informers.for<CSIDriver>(csiDrivers)
  const nodes = informers.for<Node>(nodeResource)
  const pods = claimPodInformer(informers)
  const attachments = attachmentInformer(informers.for<VolumeAttachment>(volumeAttachments))
  /** Since when attachments have had no pod. One that is started anew waits anew. */
  const unwanted = new Map<string, number>()

  const seeClaim = ({ spec }: Live<PersistentVolumeClaim>) => {
    if (spec?.volumeName) queue.add(spec.volumeName)
  }
  const seePod = (pod: Live<Pod>) => {
    if (!pod.spec?.nodeName) return
    for (const key of claimKeys(pod)) {
      const claim = claims.lister.byKey(key)
      if (claim) seeClaim(claim)
    }
  }
  pods.on({ add: seePod, update: (_, after) => seePod(after), delete: seePod })
  claims.on({ add: seeClaim, update: (_, after) => seeClaim(after) })
  volumes.on({ add: ({ metadata }) => queue.add(metadata.name) })
  drivers.on({
    // Without a word of its driver, a volume is taken to need attaching.
    add({ metadata: { name } }) {
      for (const { metadata, spec } of volumes.lister.list()) if (spec?.csi?.driver === name) queue.add(metadata.name)
    },
  })
  const seeAttachment = ({ metadata, spec }: Live<VolumeAttachment>) => {
    queue.add(spec.source.persistentVolumeName ?? '')
    nodeQueue.add(spec.nodeName)
    if (metadata.deletionTimestamp) unwanted.delete(metadata.name)
  }
  attachments.on({
    add: seeAttachment,
    update(before, after) {
      seeAttachment(after)
      tellOutcome(before, after)
    },
    delete(attachment) {
      unwanted.delete(attachment.metadata.name)
      seeAttachment(attachment)
    },
  })
  const seeNode = ({ metadata: { name } }: Live<Node>) => {
    for (const { spec } of attachments.lister.byIndex(onNode, name)) queue.add(spec.source.persistentVolumeName ?? '')
  }
  nodes.on({ update: (_, after) => seeNode(after), delete: seeNode })

  async function reconcile(name: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const volume = volumes.lister.get(undefined, name)
    const csi = volume?.spec?.csi
    if (!csi || drivers.lister.get(undefined, csi.driver)?.spec.attachRequired === false) return
    const users = usersOf(volume)
    const wanted = new Map<string, string[]>()
    for (const { metadata, spec } of users) {
      const node = spec?.nodeName ?? ''
      wanted.set(node, [...(wanted.get(node) ?? []), metadata.name])
    }
    const standing = attachments.lister.byIndex(ofVolume, name)
    const now = clock.now()
    for (const { metadata, spec } of standing) {
      if (wanted.has(spec.nodeName)) unwanted.delete(metadata.name)
      else if (!unwanted.has(metadata.name)) unwanted.set(metadata.name, now)
    }
    const unique = uniqueVolumeName(csi.driver, csi.volumeHandle)
    const steps = planAttach(volume, {
      wanted,
      attachments: standing,
      node: (node) => stateOf(nodes.lister.get(undefined, node), unique),
      unwantedSince: (attachment) => unwanted.get(attachment) ?? now,
      nowMs: now,
    })
    for (const step of steps) await execute(volume, users, step, signal)
    const waits = steps.flatMap((step) => (step.do === 'wait' ? [step.ms] : []))
    return waits.length > 0 ? { requeueAfterMs: Math.min(...waits) } : undefined
  }

  /** The pods on nodes that use the volume, and have not ended. */
  function usersOf({ metadata, spec }: Live<PersistentVolume>): Live<Pod>[] {
    const { namespace = '', name = '' } = spec?.claimRef ?? {}
    if (claims.lister.get(namespace, name)?.spec?.volumeName !== metadata.name) return []
    return podsOfClaim(pods, `${namespace}/${name}`).filter((pod) => pod.spec?.nodeName && !hasEnded(pod))
  }

  async function execute(volume: Live<PersistentVolume>, users: Live<Pod>[], step: AttachStep, signal: AbortSignal) {
    const { driver = '', volumeHandle = '' } = volume.spec?.csi ?? {}
    switch (step.do) {
      case 'attach': {
        const metadata = { name: attachmentName(driver, volumeHandle, step.node) }
        const source = { persistentVolumeName: volume.metadata.name }
        const made = { metadata, spec: { attacher: driver, nodeName: step.node, source } }
        await api.create(volumeAttachments, made, { signal }).catch((error: unknown) => {
          if (!isAlreadyExists(error)) throw error
        })
        return
      }
      case 'detach':
        // The node is told first that it must not mount the volume any more.
        await report(step.node, step.attachment, signal)
        await api.delete(volumeAttachments, { name: step.attachment }, { signal }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
        return
      case 'refuse': {
        const why =
          step.usedBy.length > 0
            ? `Volume is already used by pod(s) ${step.usedBy.join(', ')}`
            : "Volume is already exclusively attached to one node and can't be attached to another"
        const message = `Multi-Attach error for volume ${JSON.stringify(volume.metadata.name)} ${why}`
        for (const pod of users)
          if (pod.spec?.nodeName === step.node) tell(pod, 'Warning', 'FailedAttachVolume', message)
        return
      }
      case 'wait':
    }
  }

  /** Writes what is attached to a node into its status. `except` is about to be detached. */
  async function report(name: string, except: string, signal: AbortSignal): Promise<undefined> {
    const node = nodes.lister.get(undefined, name)
    if (!node) return
    const names = attachments.lister.byIndex(onNode, name).flatMap(({ metadata, spec, status }) => {
      if (metadata.name === except || metadata.deletionTimestamp || !status?.attached) return []
      const csi = volumes.lister.get(undefined, spec.source.persistentVolumeName ?? '')?.spec?.csi
      return csi ? [uniqueVolumeName(csi.driver, csi.volumeHandle)] : []
    })
    const volumesAttached = names.sort().map((unique) => ({ name: unique, devicePath: '' }))
    const standing = (node.status?.volumesAttached ?? []).map((volume) => volume.name).sort()
    if (standing.join() === names.join()) return
    const body = { status: { volumesAttached: volumesAttached.length > 0 ? volumesAttached : null } }
    await api
      .patch(nodeResource, { name }, { type: 'merge', body }, { subresource: 'status', signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
  }

  function tellOutcome(before: Live<VolumeAttachment>, { spec, status }: Live<VolumeAttachment>): void {
    const volume = volumes.lister.get(undefined, spec.source.persistentVolumeName ?? '')
    if (!volume) return
    const quoted = JSON.stringify(volume.metadata.name)
    const fault = status?.attachError?.message
    const here = usersOf(volume).filter((pod) => pod.spec?.nodeName === spec.nodeName)
    for (const pod of here) {
      if (status?.attached && !before.status?.attached) {
        tell(pod, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume ${quoted} `)
      } else if (fault && fault !== before.status?.attachError?.message) {
        tell(pod, 'Warning', 'FailedAttachVolume', `AttachVolume.Attach failed for volume ${quoted} : ${fault}`)
      }
    }
  }

  const tell = ({ metadata }: Live<Pod>, type: 'Normal' | 'Warning', reason: string, message: string) =>
    events.event({ apiVersion: 'v1', kind: 'Pod', metadata }, type, reason, message)

  return [
    { name: 'attach-detach', queue, reconcile },
    { name: 'attach-detach-nodes', queue: nodeQueue, reconcile: (name, signal) => report(name, '', signal) },
  ]
}

function attachmentInformer(informer: Informer<VolumeAttachment>): Informer<VolumeAttachment> {
  informer.addIndexers({
    [ofVolume]: ({ spec }) => [spec.source.persistentVolumeName ?? ''],
    [onNode]: ({ spec }) => [spec.nodeName],
  })
  return informer
}

function stateOf(node: Live<Node> | undefined, unique: string): NodeState | undefined {
  if (!node) return undefined
  const { conditions, volumesInUse } = node.status ?? {}
  return {
    isHolding: volumesInUse?.includes(unique) ?? false,
    isHealthy: conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
    isOutOfService: node.spec?.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') ?? false,
  }
}

/** One that is going has ended when none of its containers runs. */
function hasEnded({ metadata, status }: Live<Pod>): boolean {
  const { phase, containerStatuses = [] } = status ?? {}
  if (phase === 'Succeeded' || phase === 'Failed') return true
  const runs = containerStatuses.some(({ state }) => !state?.terminated && !state?.waiting)
  return metadata.deletionTimestamp !== undefined && containerStatuses.length > 0 && !runs
}
