import {
  bindsLate,
  boundVolume,
  classOf,
  isFullyBound,
  requestOf,
  selectedNode,
} from '../../../api/core/volume-binding.ts'
import { type ClaimedVolume, isMadeFor, notMadeFor } from '../../../api/core/volume-claims.ts'
import type {
  CSIDriver,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '../../../api/generated/types.ts'
import { compareQuantity } from '../../../api/machinery/quantity.ts'
import { keyOf, splitKey } from '../../../client/key.ts'
import { Latest } from '../../../client/latest.ts'
import type { Api, Clock, Live } from '../../../client/types.ts'
import type { Cache } from '../../cache/cache.ts'
import { same } from '../../framework/cluster-events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import type { Hint, Plugin } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { type Refusal, refusal } from '../../framework/refusal.ts'
import type { World } from '../../framework/world.ts'
import { defaultArgs } from '../args.ts'
import { type Assumed, bindVolumes } from './bind.ts'
import {
  type Fault,
  faults,
  limitOf,
  type NodePlan,
  type PodClaims,
  planNode,
  type VolumeSurroundings,
} from './plan.ts'

const name = 'VolumeBinding'
const hopeless = (reason: string) => refusal(name, 'UnschedulableAndUnresolvable', reason)
const unboundImmediate = hopeless('pod has unbound immediate PersistentVolumeClaims')
const refusals = Object.fromEntries(
  Object.entries(faults).map(([fault, reason]) => [fault, hopeless(reason)]),
) as Record<Fault, Refusal>

export interface VolumeBindingContext {
  api: Api
  cache: Cache
  clock: Clock
  world: World
  stopping: AbortSignal
}

interface State extends PodClaims {
  /** By the name of the node. */
  readonly plans: Map<string, NodePlan>
  assumed?: Assumed
}

const stateOf = stateKey<State>(name)

/**
 * Pods go only where their volumes can be reached. Claims that wait for their first pod are given volumes of the node it is
 * to go to, or one is asked for there; the pod is bound when they are.
 */
export function newVolumeBinding(
  { api, cache, clock, world, stopping }: VolumeBindingContext,
  args = defaultArgs.VolumeBinding,
): Plugin {
  const claims = new Latest<PersistentVolumeClaim>((key) => {
    const { namespace, name: claim } = splitKey(key)
    return world.claim(namespace, claim)
  })
  const volumes = new Latest<PersistentVolume>((key) => world.volume(key))
  const around: VolumeSurroundings = {
    ...world,
    volume: (key) => volumes.get(key),
    volumesOfClass: (storageClass) => world.volumesOfClass(storageClass).map((volume) => volumes.newer(volume)),
  }
  return {
    name,
    hints,
    preFilter(state, pod) {
      if (pod.claims.length === 0) return 'skip'
      const bound: Live<PersistentVolumeClaim>[] = []
      const late: Live<PersistentVolumeClaim>[] = []
      for (const volume of pod.claims) {
        const claim = claims.get(`${pod.namespace}/${volume.claim}`)
        const fault = claimFault(pod, volume, claim)
        if (fault || !claim) return fault
        if (isFullyBound(claim)) bound.push(claim)
        else if (!claim.spec?.volumeName && bindsLate(world.storageClass(classOf(claim)))) late.push(claim)
        else return unboundImmediate
      }
      late.sort((a, b) => compareQuantity(requestOf(a), requestOf(b)))
      state.write(stateOf, { bound, late, plans: new Map() })
      return undefined
    },
    filter(state, _pod, node) {
      const podClaims = state.read(stateOf)
      const plan = planNode(podClaims, node, around)
      if (typeof plan === 'string') return refusals[plan]
      podClaims.plans.set(node.name, plan)
      return undefined
    },
    reserve(state, pod, nodeName) {
      if (pod.claims.length === 0) return undefined
      const podClaims = state.read(stateOf)
      const plan = podClaims.plans.get(nodeName)
      if (!plan) return undefined
      podClaims.assumed = assumedOf(plan, nodeName)
      for (const { volume } of podClaims.assumed.bindings) volumes.assume(volume)
      for (const { claim } of podClaims.assumed.provisions) claims.assume(claim)
      return undefined
    },
    unreserve(state, pod) {
      if (pod.claims.length > 0) forget(state.read(stateOf).assumed)
    },
    preBindPreFlight(state, pod) {
      const { bindings = [], provisions = [] } = (pod.claims.length > 0 && state.read(stateOf).assumed) || {}
      return bindings.length + provisions.length > 0 ? undefined : 'skip'
    },
    async preBind(state, pod, nodeName) {
      const { assumed } = state.read(stateOf)
      if (!assumed) return
      await bindVolumes(
        {
          api,
          clock,
          stopping,
          timeoutMs: args.bindTimeoutSeconds * 1000,
          claims,
          volumes,
          node: () => cache.node(nodeName),
          isWanted: () => cache.pod(pod.uid)?.nodeName === nodeName,
          onVolumeChange: world.onVolumeChange,
        },
        assumed,
      )
      forget(assumed)
    },
  }

  /** From now on the caches have the last word. */
  function forget(assumed: Assumed | undefined): void {
    for (const { volume } of assumed?.bindings ?? []) volumes.forget(volume.metadata.name)
    for (const { claim } of assumed?.provisions ?? []) claims.forget(keyOf(claim))
  }
}

function assumedOf({ bindings, provisions }: NodePlan, nodeName: string): Assumed {
  return {
    bindings: bindings.map(({ claim, volume }) => {
      const bound = boundVolume(volume, claim) as Live<PersistentVolume> | undefined
      return { claim, volume: bound ?? volume, isNew: bound !== undefined }
    }),
    provisions: provisions.map((claim) => {
      const annotations = { ...claim.metadata.annotations, [selectedNode]: nodeName }
      const isNew = claim.metadata.annotations?.[selectedNode] !== nodeName
      return { claim: { ...claim, metadata: { ...claim.metadata, annotations } }, isNew }
    }),
  }
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
  if (ephemeral && !isMadeFor(claim, pod.pod)) return hopeless(notMadeFor(claim, pod.pod))
  return undefined
}

const hints: readonly Hint[] = [
  {
    on: [
      'Node/Add',
      'Node/UpdateLabel',
      'StorageClass/Add',
      'PersistentVolume/Add',
      'PersistentVolume/Update',
      'CSINode/Add',
      'CSIStorageCapacity/Add',
    ],
  },
  {
    on: ['StorageClass/Update'],
    worthATry(_pod, { object }) {
      const { before, after } = (object ?? {}) as { before?: Live<StorageClass>; after?: Live<StorageClass> }
      return !same(before?.allowedTopologies, after?.allowedTopologies)
    },
  },
  {
    on: ['CSIStorageCapacity/Update'],
    worthATry(_pod, { object }) {
      const { before, after } = (object ?? {}) as Record<'before' | 'after', Live<CSIStorageCapacity> | undefined>
      const limit = after && limitOf(after)
      return limit !== undefined && compareQuantity(limit, (before && limitOf(before)) ?? '0') > 0
    },
  },
  {
    // Of a driver that reports no longer, any amount is taken to be there.
    on: ['CSIDriver/Update'],
    worthATry(_pod, { object }) {
      const { before, after } = (object ?? {}) as Record<'before' | 'after', Live<CSIDriver> | undefined>
      return before?.spec?.storageCapacity === true && !after?.spec?.storageCapacity
    },
  },
  {
    on: ['PersistentVolumeClaim/Add', 'PersistentVolumeClaim/Update'],
    worthATry: (pod, { object }) => {
      const metadata = object?.after?.metadata
      if (metadata?.namespace !== pod.namespace) return false
      return pod.claims.some(({ claim }) => claim === metadata.name)
    },
  },
]
