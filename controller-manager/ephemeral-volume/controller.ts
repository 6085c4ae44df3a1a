import { claimedVolumes, isMadeFor, notMadeFor } from '../../api/core/volume-claims.ts'
import type { PersistentVolumeClaim, Pod } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { keyOf } from '../../client/key.ts'
import { persistentVolumeClaims, pods as podResource } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { controllerReference } from '../pods/ownership.ts'
import type { ControllerDeps } from '../types.ts'

/** Makes the claims of pods that bring the description of a volume of their own. They go with the pod, which owns them. */
export function newEphemeralVolumeController({ api, clock, events, informers, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'ephemeral_volume' })
  const pods = informers.for<Pod>(podResource)
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const see = (pod: Live<Pod>) => {
    if (!pod.metadata.deletionTimestamp && pod.spec?.volumes?.some(({ ephemeral }) => ephemeral)) queue.add(keyOf(pod))
  }
  pods.on({ add: see })
  // One that somebody has deleted is made again; one that bore its name may have been in the way.
  claims.on({
    delete({ metadata }) {
      const owner = metadata.ownerReferences?.find(({ controller, kind }) => controller && kind === 'Pod')
      const pod = owner && pods.lister.get(metadata.namespace, owner.name)
      if (pod) see(pod)
    },
  })

  /** Why the volume has no claim; undefined when it has one now. */
  async function make(pod: Live<Pod>, volume: string, name: string, signal: AbortSignal): Promise<string | undefined> {
    const standing = claims.lister.get(pod.metadata.namespace, name)
    if (standing) return isMadeFor(standing, pod) ? undefined : notMadeFor(standing, pod)
    const template = pod.spec?.volumes?.find((each) => each.name === volume)?.ephemeral?.volumeClaimTemplate
    const { annotations, labels } = template?.metadata ?? {}
    const { namespace } = pod.metadata
    const metadata = {
      name,
      ...(namespace ? { namespace } : {}),
      ...(annotations ? { annotations } : {}),
      ...(labels ? { labels } : {}),
      ownerReferences: [controllerReference({ apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata })],
    }
    try {
      await api.create(persistentVolumeClaims, { metadata, spec: template?.spec ?? {} }, { signal })
      return undefined
    } catch (error) {
      return `create PVC ${name}: ${(error as Error).message}`
    }
  }

  return {
    name: 'ephemeral-volume',
    workers: options.workers['ephemeral-volume'] ?? 5,
    queue,
    async reconcile(key, signal) {
      const pod = pods.lister.byKey(key)
      if (!pod || pod.metadata.deletionTimestamp) return
      for (const { volume, claim, ephemeral } of claimedVolumes(pod)) {
        const fault = ephemeral ? await make(pod, volume, claim, signal) : undefined
        if (fault === undefined) continue
        const message = `ephemeral volume ${volume}: ${fault}`
        events.event({ apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata }, 'Warning', 'FailedBinding', message)
        throw new Error(`pod ${key}, ${message}`)
      }
      return
    },
  }
}
