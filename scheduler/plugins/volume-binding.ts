import type { PersistentVolume, PersistentVolumeClaim, Volume } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { stateKey } from '../framework/cycle-state.ts'
import { type NodeIdentity, nodeSelectorTest } from '../framework/node-affinity.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { type Refusal, refusal } from '../framework/refusal.ts'
import type { World } from '../framework/world.ts'

const name = 'VolumeBinding'
const hopeless = (reason: string) => refusal(name, 'UnschedulableAndUnresolvable', reason)
const unboundImmediate = hopeless('pod has unbound immediate PersistentVolumeClaims')
const noVolume = hopeless("node(s) didn't find available persistent volumes to bind")
const elsewhere = hopeless("node(s) didn't match PersistentVolume's node affinity")
const lost = hopeless('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)')

interface Claims {
  bound: readonly Live<PersistentVolumeClaim>[]
  /** Claims of a class that binds only when a pod is scheduled. */
  delayed: readonly Live<PersistentVolumeClaim>[]
}

const claimsOf = stateKey<Claims>(name)

/**
 * Pods go only where their volumes can be reached. Claims must be bound before: one that waits for its first pod is not
 * given a volume here, and its pod is refused as where no volume is available.
 */
export const newVolumeBinding = (world: World): Plugin => ({
  name,
  hints: [
    { on: ['Node/Add', 'Node/UpdateLabel', 'StorageClass/Add', 'PersistentVolume/Add', 'PersistentVolume/Update'] },
    {
      on: ['PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update'],
      worthATry: (pod, { object }) => {
        const metadata = object?.after?.metadata
        if (metadata?.namespace !== pod.namespace) return false
        return claimedVolumes(pod).some(({ claim }) => claim === metadata.name)
      },
    },
  ],
  preFilter(state, pod) {
    const volumes = claimedVolumes(pod)
    if (volumes.length === 0) return 'skip'
    const bound: Live<PersistentVolumeClaim>[] = []
    const delayed: Live<PersistentVolumeClaim>[] = []
    for (const volume of volumes) {
      const claim = world.claim(pod.namespace, volume.claim)
      const fault = claimFault(pod, volume, claim)
      if (fault || !claim) return fault
      if (claim.spec?.volumeName && claim.metadata.annotations?.['pv.kubernetes.io/bind-completed']) bound.push(claim)
      else if (isDelayed(world, claim)) delayed.push(claim)
      else return unboundImmediate
    }
    state.write(claimsOf, { bound, delayed })
    return undefined
  },
  filter(state, _pod, node) {
    const { bound, delayed } = state.read(claimsOf)
    for (const claim of bound) {
      const volume = world.volume(claim.spec?.volumeName ?? '')
      if (!volume) return lost
      if (!reaches(volume, node)) return elsewhere
    }
    return delayed.length > 0 ? noVolume : undefined
  },
})

interface ClaimedVolume {
  claim: string
  /** Made for this pod alone, by a controller. */
  ephemeral: boolean
}

function claimedVolumes({ name: podName, pod }: PodInfo): ClaimedVolume[] {
  return (pod.spec?.volumes ?? []).flatMap((volume: Volume): ClaimedVolume[] => {
    if (volume.persistentVolumeClaim) return [{ claim: volume.persistentVolumeClaim.claimName, ephemeral: false }]
    return volume.ephemeral ? [{ claim: `${podName}-${volume.name}`, ephemeral: true }] : []
  })
}

function claimFault(
  pod: PodInfo,
  { claim: wanted, ephemeral }: ClaimedVolume,
  claim: Live<PersistentVolumeClaim> | undefined,
): Refusal | undefined {
  const quoted = JSON.stringify(wanted)
  if (!claim) {
    return hopeless(
      ephemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
        : `persistentvolumeclaim ${quoted} not found`,
    )
  }
  if (claim.status?.phase === 'Lost') {
    const volume = JSON.stringify(claim.spec?.volumeName ?? '')
    return hopeless(`persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${volume}`)
  }
  if (claim.metadata.deletionTimestamp) return hopeless(`persistentvolumeclaim ${quoted} is being deleted`)
  const owner = claim.metadata.ownerReferences?.find(({ controller }) => controller)
  if (ephemeral && owner?.uid !== pod.uid) {
    return hopeless(`PVC ${pod.namespace}/${wanted} was not created for pod ${pod.key} (pod is not owner)`)
  }
  return undefined
}

function isDelayed(world: World, { spec }: Live<PersistentVolumeClaim>): boolean {
  const storageClass = spec?.storageClassName && world.storageClass(spec.storageClassName)
  return storageClass ? storageClass.volumeBindingMode === 'WaitForFirstConsumer' : false
}

function reaches(volume: Live<PersistentVolume>, node: NodeIdentity): boolean {
  const required = volume.spec?.nodeAffinity?.required
  return !required || nodeSelectorTest(required)(node)
}
