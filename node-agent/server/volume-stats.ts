import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { MeasuredVolume } from '../volumes/manager.ts'
import type { VolumeUsage } from '../volumes/usage.ts'
import { Exposition, iso } from './exposition.ts'
import type { ServerContext } from './types.ts'

/** A volume as the published Summary shows it. */
export function volumeStats({ name, claim, usage }: MeasuredVolume): object {
  const { timeMs, abnormal, ...numbers } = usage
  return {
    time: iso(timeMs),
    ...numbers,
    name,
    ...(claim ? { pvcRef: claim } : {}),
    ...(abnormal === undefined ? {} : { volumeHealthStats: { abnormal } }),
  }
}

/** What the pod's volumes take of the node's own disk. */
export function localBytes({ spec }: Live<Pod>, measured: readonly MeasuredVolume[]): number {
  const local = (spec?.volumes ?? []).filter(({ emptyDir, configMap }) => (emptyDir && !emptyDir.medium) || configMap)
  const names = new Set(local.map(({ name }) => name))
  return measured.reduce((sum, { name, usage }) => sum + (names.has(name) ? (usage.usedBytes ?? 0) : 0), 0)
}

const families: readonly [string, string, (usage: VolumeUsage) => number | undefined][] = [
  ['capacity_bytes', 'Capacity in bytes of the volume', ({ capacityBytes }) => capacityBytes],
  ['available_bytes', 'Number of available bytes in the volume', ({ availableBytes }) => availableBytes],
  ['used_bytes', 'Number of used bytes in the volume', ({ usedBytes }) => usedBytes],
  ['inodes', 'Maximum number of inodes in the volume', ({ inodes }) => inodes],
  ['inodes_free', 'Number of free inodes in the volume', ({ inodesFree }) => inodesFree],
  ['inodes_used', 'Number of used inodes in the volume', ({ inodesUsed }) => inodesUsed],
  [
    'health_status_abnormal',
    'Abnormal volume health status. The count is either 1 or 0. 1 indicates the volume is unhealthy, 0 indicates volume is healthy',
    ({ abnormal }) => (abnormal === undefined ? undefined : Number(abnormal)),
  ],
]

/** `kubelet_volume_stats_*`: of each claim that pods of this node use, once. */
export async function volumeMetrics({ pods, volumes }: ServerContext): Promise<string> {
  const lists = await Promise.all(pods.list().map(({ metadata }) => volumes.usage(metadata.uid ?? '')))
  const byClaim = new Map(
    lists.flat().flatMap(({ claim, usage }) => (claim ? [[`${claim.namespace}/${claim.name}`, { claim, usage }]] : [])),
  )
  if (byClaim.size === 0) return ''
  const out = new Exposition()
  for (const [name, help, numberOf] of families) {
    const samples = [...byClaim.values()].flatMap(({ claim, usage }) => {
      const value = numberOf(usage)
      return value === undefined ? [] : [{ claim, value }]
    })
    if (samples.length === 0) continue
    const sample = out.family(`kubelet_volume_stats_${name}`, 'gauge', help)
    for (const { claim, value } of samples) {
      sample({ namespace: claim.namespace, persistentvolumeclaim: claim.name }, value)
    }
  }
  return out.text
}
