import type { Volume } from '../../api/generated/types.ts'
import type { Cache } from '../cache/cache.ts'
import { stateKey } from '../framework/cycle-state.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { refusal } from '../framework/refusal.ts'
import type { World } from '../framework/world.ts'

const name = 'VolumeRestrictions'
const diskTaken = refusal(name, 'Unschedulable', 'node(s) had no available disk')
const claimTaken = refusal(
  name,
  'Unschedulable',
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
)

/** The claims that only one pod may use, and how many others do now. Changes while removing pods is tried out. */
interface Exclusive {
  readonly claims: ReadonlySet<string>
  users: number
  copy(): Exclusive
}

const exclusiveOf = stateKey<Exclusive>(name)

function exclusive(claims: ReadonlySet<string>, users: number): Exclusive {
  return {
    claims,
    users,
    copy() {
      return exclusive(claims, this.users)
    },
  }
}

/** A claim for one pod alone is used by one only, and a disk that takes one writer by one. */
export const newVolumeRestrictions = (cache: Cache, world: World): Plugin => ({
  name,
  hints: [
    { on: ['Node/Add'] },
    {
      on: ['Pod/Delete'],
      worthATry: (pod, { pod: changed }) => {
        const gone = changed?.before
        if (gone?.namespace !== pod.namespace) return false
        if (disksOf(pod).some((disk) => conflictsWith(disk, gone))) return true
        return plainClaims(pod).some((claim) => gone.claims.some((used) => used.claim === claim))
      },
    },
    {
      on: ['PersistentVolumeClaim/Add'],
      worthATry: (pod, { object }) => {
        const metadata = object?.after?.metadata
        return metadata?.namespace === pod.namespace && plainClaims(pod).includes(metadata.name)
      },
    },
  ],
  preFilter(state, pod) {
    if (pod.pod.spec?.volumes === undefined) return 'skip'
    const claims = new Set<string>()
    let users = 0
    for (const wanted of plainClaims(pod)) {
      const claim = world.claim(pod.namespace, wanted)
      if (!claim) {
        const reason = `persistentvolumeclaim ${JSON.stringify(wanted)} not found`
        return refusal(name, 'UnschedulableAndUnresolvable', reason)
      }
      if (!claim.spec?.accessModes?.includes('ReadWriteOncePod') || claims.has(wanted)) continue
      claims.add(wanted)
      if (cache.usersOfClaim(pod.namespace, wanted) > 0) users++
    }
    if (users === 0 && disksOf(pod).length === 0) return 'skip'
    state.write(exclusiveOf, exclusive(claims, users))
    return undefined
  },
  addPod(state, pod, other) {
    count(state.read(exclusiveOf), pod, other, 1)
  },
  removePod(state, pod, other) {
    count(state.read(exclusiveOf), pod, other, -1)
  },
  filter(state, pod, node) {
    for (const disk of disksOf(pod)) if (node.pods.some((other) => conflictsWith(disk, other))) return diskTaken
    return state.read(exclusiveOf).users > 0 ? claimTaken : undefined
  },
})

function count(taken: Exclusive, pod: PodInfo, other: PodInfo, change: number): void {
  if (other.namespace !== pod.namespace) return
  for (const claim of plainClaims(other)) if (taken.claims.has(claim)) taken.users += change
}

const plainClaims = ({ claims }: PodInfo): string[] =>
  claims.flatMap(({ claim, ephemeral }) => (ephemeral ? [] : [claim]))

const disksOf = ({ pod }: PodInfo): Volume[] =>
  (pod.spec?.volumes ?? []).filter(
    ({ gcePersistentDisk, awsElasticBlockStore, iscsi, rbd }) =>
      (gcePersistentDisk ?? awsElasticBlockStore ?? iscsi ?? rbd) !== undefined,
  )

const conflictsWith = (disk: Volume, other: PodInfo): boolean => disksOf(other).some((used) => isSameDisk(disk, used))

/** Whether both are one disk, and not both only read it. */
function isSameDisk(a: Volume, b: Volume): boolean {
  if (a.gcePersistentDisk && b.gcePersistentDisk) {
    if (a.gcePersistentDisk.readOnly && b.gcePersistentDisk.readOnly) return false
    return a.gcePersistentDisk.pdName === b.gcePersistentDisk.pdName
  }
  if (a.awsElasticBlockStore && b.awsElasticBlockStore) {
    return a.awsElasticBlockStore.volumeID === b.awsElasticBlockStore.volumeID
  }
  if (a.iscsi && b.iscsi) return a.iscsi.iqn === b.iscsi.iqn && !(a.iscsi.readOnly && b.iscsi.readOnly)
  if (a.rbd && b.rbd) {
    const { monitors, pool, image, readOnly } = a.rbd
    if (readOnly && b.rbd.readOnly) return false
    return pool === b.rbd.pool && image === b.rbd.image && monitors.some((each) => b.rbd?.monitors.includes(each))
  }
  return false
}
