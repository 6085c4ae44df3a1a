import { join } from 'node:path'
import { containerNameLabel, podUidLabel } from './containers/labels.ts'
import { podLogDirectory } from './containers/sandbox.ts'
import type { BoundPod } from './pods/types.ts'
import type { Cri } from './runtime/cri.ts'
import type { Volumes } from './volumes/manager.ts'
import { treeUsage } from './volumes/usage.ts'

/** Of one thing that a pod has written. */
export interface Written {
  bytes: number
  inodes: number
}

/** What a pod has written to the node's own disk. */
export interface LocalStorage {
  /** By the volume's name. */
  volumes: ReadonlyMap<string, Written>
  /** By the container's name: its own layer and its logs. */
  containers: ReadonlyMap<string, Written>
}

export interface LocalStorageDeps {
  cri: Pick<Cri, 'listContainerStats'>
  volumes: Pick<Volumes, 'usage'>
  logRoot: string
}

/** What these pods have written, by their uids. Walks their directories: not to be asked for nothing. */
export async function measureLocalStorage(
  { cri, volumes, logRoot }: LocalStorageDeps,
  pods: readonly BoundPod[],
): Promise<Map<string, LocalStorage>> {
  const measured = new Map<string, LocalStorage>()
  if (pods.length === 0) return measured
  const layers = await writtenLayers(cri)
  for (const pod of pods) {
    const { uid } = pod.metadata
    const found = await volumes.usage(uid)
    measured.set(uid, {
      volumes: new Map(
        found.map(({ name, usage }) => [name, { bytes: usage.usedBytes ?? 0, inodes: usage.inodesUsed ?? 0 }]),
      ),
      containers: await ofContainers(pod, layers, logRoot),
    })
  }
  return measured
}

/** The volumes of a pod that lie on the node's own disk. */
export const localVolumes = ({ spec }: BoundPod): string[] =>
  (spec.volumes ?? [])
    .filter(({ emptyDir, configMap }) => (emptyDir && !emptyDir.medium) || configMap)
    .map(({ name }) => name)

/** All of it that counts as the pod's: its containers', and its volumes' on the node's disk. */
export function localTotal(pod: BoundPod, { volumes, containers }: LocalStorage): Written {
  const all = [...localVolumes(pod).flatMap((name) => volumes.get(name) ?? []), ...containers.values()]
  return all.reduce(plus, { bytes: 0, inodes: 0 })
}

const plus = (a: Written, b: Written): Written => ({ bytes: a.bytes + b.bytes, inodes: a.inodes + b.inodes })

/** By `pod/container`, what containers have written to their own layers. */
async function writtenLayers(cri: Pick<Cri, 'listContainerStats'>): Promise<Map<string, Written>> {
  const layers = new Map<string, Written>()
  for (const { attributes, writableLayer } of await cri.listContainerStats()) {
    const { labels } = attributes
    const key = `${labels[podUidLabel]}/${labels[containerNameLabel]}`
    const layer = { bytes: writableLayer?.usedBytes?.value ?? 0, inodes: writableLayer?.inodesUsed?.value ?? 0 }
    layers.set(key, plus(layers.get(key) ?? { bytes: 0, inodes: 0 }, layer))
  }
  return layers
}

async function ofContainers(
  pod: BoundPod,
  layers: ReadonlyMap<string, Written>,
  logRoot: string,
): Promise<Map<string, Written>> {
  const containers = new Map<string, Written>()
  for (const { name } of [...pod.spec.containers, ...(pod.spec.initContainers ?? [])]) {
    const logs = await treeUsage(join(podLogDirectory(logRoot, pod), name))
    const layer = layers.get(`${pod.metadata.uid}/${name}`) ?? { bytes: 0, inodes: 0 }
    containers.set(name, plus(layer, { bytes: logs.usedBytes, inodes: logs.inodesUsed }))
  }
  return containers
}
