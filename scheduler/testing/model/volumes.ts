import { bindCompleted } from '../../../api/core/volume-binding.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../api/generated/types.ts'
import { quantityValue } from '../../../api/machinery/quantity.ts'
import type { Live } from '../../../client/types.ts'
import { findNamed, type ModelCluster, podsOn } from './cluster.ts'
import { matchesTerm } from './selectors.ts'

const volumesOf = ({ spec }: Live<Pod>): readonly Volume[] => spec?.volumes ?? []

/** The names of the claims of a pod, without those that are made for it alone. */
const claimNames = (pod: Live<Pod>): string[] =>
  volumesOf(pod).flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : []))

const claimsOf = (pod: Live<Pod>, cluster: ModelCluster): (Live<PersistentVolumeClaim> | undefined)[] =>
  claimNames(pod).map((name) => findNamed(cluster.claims, name, pod.metadata.namespace))

/** No disk of one writer is there already, and no claim for one pod alone is used anywhere. */
export function fitsRestrictions(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const claims = claimsOf(pod, cluster)
  if (claims.some((claim) => claim === undefined)) return false
  const isUsed = (name: string) =>
    cluster.pods.some(
      (other) => other.metadata.namespace === pod.metadata.namespace && claimNames(other).includes(name),
    )
  if (claims.some((claim) => claim?.spec?.accessModes?.includes('ReadWriteOncePod') && isUsed(claim.metadata.name)))
    return false
  return volumesOf(pod).every((volume) =>
    podsOn(cluster, node).every((other) => volumesOf(other).every((used) => !isConflict(volume, used))),
  )
}

function isConflict(a: Volume, b: Volume): boolean {
  const [disk, otherDisk] = [a.gcePersistentDisk, b.gcePersistentDisk]
  if (disk && otherDisk) return disk.pdName === otherDisk.pdName && !(disk.readOnly && otherDisk.readOnly)
  const [block, otherBlock] = [a.awsElasticBlockStore, b.awsElasticBlockStore]
  if (block && otherBlock) return block.volumeID === otherBlock.volumeID
  return false
}

const zoneLabels = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

/** The zones that the labels of its volumes name are the node's. */
export function fitsZones(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const labels = node.metadata.labels ?? {}
  for (const claim of claimsOf(pod, cluster)) {
    if (!claim) return false
    const volumeName = claim.spec?.volumeName
    if (!volumeName) {
      const storageClass = findNamed(cluster.classes, claim.spec?.storageClassName ?? '')
      if (storageClass?.volumeBindingMode !== 'WaitForFirstConsumer') return false
      continue
    }
    const volume = findNamed(cluster.volumes, volumeName)
    if (!volume) return false
    if (!zoneLabels.some((label) => label in labels)) continue
    for (const label of zoneLabels) {
      const zones = volume.metadata.labels?.[label]
      if (zones !== undefined && !zones.split('__').includes(labels[label] ?? '')) return false
    }
  }
  return true
}

/** What counts against a driver's limit: every volume once. */
function attached(pods: readonly Live<Pod>[], cluster: ModelCluster): Map<string, string> {
  const found = new Map<string, string>()
  for (const pod of pods) {
    for (const claim of claimsOf(pod, cluster)) {
      const volume = claim && findNamed(cluster.volumes, claim.spec?.volumeName ?? '')
      const csi = volume?.spec?.csi
      if (csi) found.set(`${csi.driver} ${csi.volumeHandle}`, csi.driver)
      const storageClass = findNamed(cluster.classes, claim?.spec?.storageClassName ?? '')
      if (claim && !volume && storageClass) {
        found.set(`claim ${claim.metadata.namespace}/${claim.metadata.name}`, storageClass.provisioner)
      }
    }
  }
  return found
}

export function fitsLimits(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const drivers = findNamed(cluster.csiNodes, node.metadata.name)?.spec.drivers ?? []
  const there = attached(podsOn(cluster, node), cluster)
  const wanted = [...attached([pod], cluster)].filter(([key]) => !there.has(key))
  for (const { spec } of cluster.attachments) {
    const csi = findNamed(cluster.volumes, spec.source.persistentVolumeName ?? '')?.spec?.csi
    if (csi && spec.nodeName === node.metadata.name) there.set(`${csi.driver} ${csi.volumeHandle}`, csi.driver)
  }
  return drivers.every(({ name, allocatable }) => {
    const more = wanted.filter(([, driver]) => driver === name).length
    const now = [...there.values()].filter((driver) => driver === name).length
    return more === 0 || allocatable?.count === undefined || now + more <= allocatable.count
  })
}

const reaches = ({ spec }: Live<PersistentVolume>, node: Live<Node>): boolean => {
  const required = spec?.nodeAffinity?.required
  return !required || required.nodeSelectorTerms.some((term) => matchesTerm(term, node))
}

const size = (text = '0'): number => quantityValue(text)
const wantedSize = ({ spec }: Live<PersistentVolumeClaim>): number => size(spec?.resources?.requests?.storage)

/** Every volume can be reached from the node; each claim that waits finds one of its own there, or one can be made. */
export function fitsVolumes(pod: Live<Pod>, node: Live<Node>, cluster: ModelCluster): boolean {
  const late: Live<PersistentVolumeClaim>[] = []
  for (const claim of claimsOf(pod, cluster)) {
    if (!claim) return false
    if (claim.spec?.volumeName && claim.metadata.annotations?.[bindCompleted]) {
      const volume = findNamed(cluster.volumes, claim.spec.volumeName)
      if (!volume || !reaches(volume, node)) return false
      continue
    }
    const storageClass = findNamed(cluster.classes, claim.spec?.storageClassName ?? '')
    if (claim.spec?.volumeName || storageClass?.volumeBindingMode !== 'WaitForFirstConsumer') return false
    late.push(claim)
  }
  const taken = new Set<string>()
  // The sort keeps the order of claims that ask for the same.
  for (const claim of late.sort((a, b) => wantedSize(a) - wantedSize(b))) {
    const [smallest] = cluster.volumes
      .filter(
        ({ metadata, spec, status }) =>
          !taken.has(metadata.name) &&
          !spec?.claimRef &&
          status?.phase === 'Available' &&
          spec?.storageClassName === claim.spec?.storageClassName &&
          (claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode)) &&
          size(spec?.capacity?.storage) >= wantedSize(claim),
      )
      .filter((volume) => reaches(volume, node))
      .sort((a, b) => size(a.spec?.capacity?.storage) - size(b.spec?.capacity?.storage))
    if (smallest) {
      taken.add(smallest.metadata.name)
      continue
    }
    const storageClass = findNamed(cluster.classes, claim.spec?.storageClassName ?? '')
    if (!storageClass || storageClass.provisioner === 'kubernetes.io/no-provisioner') return false
  }
  return true
}
