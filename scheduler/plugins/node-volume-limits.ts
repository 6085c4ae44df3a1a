import { classOf } from '../../api/core/volume-binding.ts'
import type { CSINode, VolumeAttachment } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import { stateKey } from '../framework/cycle-state.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { refusal } from '../framework/refusal.ts'
import type { World } from '../framework/world.ts'

const name = 'NodeVolumeLimits'
const full = refusal(name, 'Unschedulable', 'node(s) exceed max volume count')

/** Drivers, by what identifies a volume in the whole cluster. */
type Volumes = Map<string, string>

const volumesOfPod = stateKey<Volumes>(name)

/** A node takes only as many volumes of a driver as its CSINode says. */
export const newNodeVolumeLimits = (world: World): Plugin => ({
  name,
  hints: [
    { on: ['CSINode/Add', 'PersistentVolume/Add', 'PersistentVolumeClaim/Add'] },
    { on: ['Pod/Delete'], worthATry: (_pod, { pod }) => (pod?.before?.claims.length ?? 0) > 0 },
    {
      on: ['CSINode/Update'],
      worthATry(_pod, { object }) {
        const { before, after } = (object ?? {}) as Record<'before' | 'after', Live<CSINode> | undefined>
        const old = limitsOf(before)
        return [...limitsOf(after)].some(([driver, limit]) => limit > (old.get(driver) ?? Number.POSITIVE_INFINITY))
      },
    },
    {
      on: ['VolumeAttachment/Delete'],
      worthATry(pod, { object }) {
        const gone = object?.before as Live<VolumeAttachment> | undefined
        return [...volumesOf(world, pod).values()].includes(gone?.spec.attacher ?? '')
      },
    },
  ],
  preFilter(state, pod) {
    if (pod.claims.length === 0) return 'skip'
    const volumes = volumesOf(world, pod)
    if (volumes.size === 0) return 'skip'
    state.write(volumesOfPod, volumes)
    return undefined
  },
  filter(state, _pod, node) {
    const limits = limitsOf(world.csiNode(node.name))
    if (limits.size === 0) return undefined
    const wanted = state.read(volumesOfPod)
    if (![...wanted.values()].some((driver) => limits.has(driver))) return undefined
    const used = volumesOfPods(world, node)
    const added = newOf(wanted, used)
    const counts = new Map<string, number>()
    for (const driver of [...used.values(), ...newOf(attachedTo(world, node), used), ...added]) {
      counts.set(driver, (counts.get(driver) ?? 0) + 1)
    }
    const exceeds = added.some((driver) => (counts.get(driver) ?? 0) > (limits.get(driver) ?? Number.POSITIVE_INFINITY))
    return exceeds ? full : undefined
  },
})

/** The drivers of the volumes that no pod there uses yet. */
const newOf = (volumes: Volumes, used: Volumes): string[] =>
  [...volumes].flatMap(([volume, driver]) => (used.has(volume) ? [] : [driver]))

function volumesOfPods(world: World, node: NodeInfo): Volumes {
  const volumes: Volumes = new Map()
  for (const pod of node.pods) for (const [volume, driver] of volumesOf(world, pod)) volumes.set(volume, driver)
  return volumes
}

/** Still, or already: one that the pod brings counts once more, as upstream has it, until a pod there uses it. */
function attachedTo(world: World, node: NodeInfo): Volumes {
  const volumes: Volumes = new Map()
  for (const { spec } of world.attachmentsOn(node.name)) {
    const csi = world.volume(spec.source.persistentVolumeName ?? '')?.spec?.csi
    if (csi) volumes.set(`${spec.attacher}/${csi.volumeHandle}`, spec.attacher)
  }
  return volumes
}

function volumesOf(world: World, pod: PodInfo): Volumes {
  const volumes: Volumes = new Map()
  for (const { claim: wanted } of pod.claims) {
    const claim = world.claim(pod.namespace, wanted)
    if (!claim) continue
    const volume = world.volume(claim.spec?.volumeName ?? '')
    const csi = volume?.spec?.csi
    if (csi) volumes.set(`${csi.driver}/${csi.volumeHandle}`, csi.driver)
    if (volume) continue
    // One that is to be made will be the driver's of its class.
    const driver = world.storageClass(classOf(claim))?.provisioner
    if (driver) volumes.set(`${driver}/unbound ${pod.namespace}/${wanted}`, driver)
  }
  return volumes
}

const limitsOf = (node: Live<CSINode> | undefined): Map<string, number> =>
  new Map(
    (node?.spec.drivers ?? []).flatMap(({ name: driver, allocatable }): [string, number][] =>
      allocatable?.count === undefined ? [] : [[driver, allocatable.count]],
    ),
  )
