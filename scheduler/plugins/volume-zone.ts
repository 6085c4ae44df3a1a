import { bindsLate, classOf } from '../../api/core/volume-binding.ts'
import type { PersistentVolume, StorageClass } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { same } from '../framework/cluster-events.ts'
import { stateKey } from '../framework/cycle-state.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { refusal } from '../framework/refusal.ts'
import type { World } from '../framework/world.ts'

const name = 'VolumeZone'
const hopeless = (reason: string) => refusal(name, 'UnschedulableAndUnresolvable', reason)
const elsewhere = hopeless('node(s) had no available volume zone')

/** Labels of places, and the names that older ones have now. */
const placeLabels: Readonly<Record<string, string>> = {
  'failure-domain.beta.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region': 'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone': 'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region': 'topology.kubernetes.io/region',
}

interface Place {
  label: string
  values: readonly string[]
}

const placesOfPod = stateKey<readonly Place[]>(name)

/** Pods go into the zone and region that the labels of their volumes name. */
export const newVolumeZone = (world: World): Plugin => ({
  name,
  hints: [
    { on: ['Node/Add', 'Node/UpdateLabel', 'PersistentVolume/Add'] },
    {
      on: ['StorageClass/Add'],
      worthATry: (_pod, { object }) => bindsLate(object?.after as Live<StorageClass> | undefined),
    },
    {
      on: ['PersistentVolume/Update'],
      worthATry(_pod, { object }) {
        const { before, after } = (object ?? {}) as Record<'before' | 'after', Live<PersistentVolume> | undefined>
        return !same(before && placesOf(before), after && placesOf(after))
      },
    },
    {
      on: ['PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update'],
      worthATry: (pod, { object }) => {
        const metadata = object?.after?.metadata
        return metadata?.namespace === pod.namespace && plainClaims(pod).includes(metadata.name)
      },
    },
  ],
  preFilter(state, pod) {
    if (pod.claims.length === 0) return 'skip'
    const places: Place[] = []
    for (const wanted of plainClaims(pod)) {
      const found = placesOfClaim(world, pod, wanted)
      if ('code' in found) return found
      places.push(...found.places)
    }
    if (places.length === 0) return 'skip'
    state.write(placesOfPod, places)
    return undefined
  },
  filter(state, _pod, { labels }) {
    // Where nodes have no places, there is only one.
    if (!Object.keys(placeLabels).some((label) => label in labels)) return undefined
    const fits = state.read(placesOfPod).every(({ label, values }) => {
      const value = labels[label] ?? labels[placeLabels[label] ?? '']
      return value !== undefined && values.includes(value)
    })
    return fits ? undefined : elsewhere
  },
})

function placesOfClaim(world: World, pod: PodInfo, wanted: string) {
  const claim = world.claim(pod.namespace, wanted)
  if (!claim) return hopeless(`persistentvolumeclaim ${JSON.stringify(wanted)} not found`)
  const volumeName = claim.spec?.volumeName
  if (!volumeName) {
    const className = classOf(claim)
    if (className === '') return hopeless('PersistentVolumeClaim had no pv name and storageClass name')
    const storageClass = world.storageClass(className)
    if (!storageClass) return hopeless(`storageclass.storage.k8s.io ${JSON.stringify(className)} not found`)
    return bindsLate(storageClass) ? { places: [] } : hopeless('PersistentVolume had no name')
  }
  const volume = world.volume(volumeName)
  return volume ? { places: placesOf(volume) } : hopeless(`persistentvolume ${JSON.stringify(volumeName)} not found`)
}

/** Several zones are written one after the other. */
const placesOf = ({ metadata }: Live<PersistentVolume>): Place[] =>
  Object.keys(placeLabels).flatMap((label) => {
    const value = metadata.labels?.[label]
    return value === undefined ? [] : [{ label, values: value.split('__').map((zone) => zone.trim()) }]
  })

const plainClaims = ({ claims }: PodInfo): string[] =>
  claims.flatMap(({ claim, ephemeral }) => (ephemeral ? [] : [claim]))
