import { type NodeTest, nodeSelectorTest } from '../../../api/core/node-choice.ts'
import type { AllocationResult } from '../../../api/generated/types.ts'
import { parseDuration } from '../../../api/machinery/duration.ts'
import { isReservedFor } from '../../../api/resource/pod-claims.ts'
import type { Live } from '../../../client/types.ts'
import { type AllocationFault, allocate } from '../../dra/allocate.ts'
import type { Claim, DeviceWorld } from '../../dra/device-world.ts'
import { same } from '../../framework/cluster-events.ts'
import { stateKey } from '../../framework/cycle-state.ts'
import type { EventObjects, Hint, Plugin } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { type Refusal, refusal } from '../../framework/refusal.ts'
import type { World } from '../../framework/world.ts'
import { defaultArgs } from '../args.ts'
import { normalizeByLargest } from '../normalize.ts'
import { bindClaim, type ClaimWriter, deallocate, unbindClaim } from './bind-claim.ts'
import { claimsOf } from './pod-claims.ts'
import { preferenceOf } from './preference.ts'

const name = 'DynamicResources'
const hopeless = (reason: string) => refusal(name, 'UnschedulableAndUnresolvable', reason)
const elsewhere = hopeless('resourceclaim not available on the node')
const faults: Readonly<Record<AllocationFault, Refusal>> = {
  'cannot allocate all claims': hopeless('cannot allocate all claims'),
  'invalid resource pools were encountered': hopeless('invalid resource pools were encountered'),
}

export interface DynamicResourcesContext extends ClaimWriter {
  world: World
  onError: (error: unknown, doing: string) => void
}

interface State {
  /** Replaced by what was written into them. */
  claims: Claim[]
  /** By the names of the claims that have devices on some nodes only. */
  readonly reach: ReadonlyMap<string, NodeTest>
  /** Those without devices. */
  readonly unallocated: readonly Claim[]
  /** By the name of the node: devices for each of those, in their order. */
  readonly plans: Map<string, AllocationResult[]>
  /** Claims whose devices keep the pod from a node. */
  readonly inTheWay: Set<string>
}

const stateOf = stateKey<State>(name)

/**
 * Pods go only where the devices that their claims ask for can be reached: those the claims have, or some that are free. Of
 * what is chosen, the claim is told before the pod is bound.
 */
export function newDynamicResources(context: DynamicResourcesContext, args = defaultArgs.DynamicResources): Plugin {
  const { onError } = context
  const timeoutMs = parseDuration(args.filterTimeout) ?? 0
  const world = context.world.devices
  return {
    name,
    hints: hintsFor(world),
    preEnqueue(pod) {
      if (!pod.usesDevices) return undefined
      const claims = claimsOf(pod, world)
      return typeof claims === 'string' ? hopeless(claims) : undefined
    },
    preFilter(state, pod) {
      if (!pod.usesDevices) return 'skip'
      const found = claimsOf(pod, world)
      const claims = typeof found === 'string' ? [] : found
      const unallocated = claims.filter(({ status }) => !status?.allocation)
      const inTheWay = new Set<string>()
      state.write(stateOf, { claims, reach: reachOf(claims), unallocated, plans: new Map(), inTheWay })
      if (typeof found === 'string') return hopeless(found)
      if (claims.length === 0) return 'skip'
      for (const claim of unallocated) {
        const fault = claimFault(claim, world)
        if (fault) return hopeless(fault)
      }
      return undefined
    },
    filter(state, _pod, node) {
      const { reach, unallocated, plans, inTheWay } = state.read(stateOf)
      const away = [...reach].filter(([, test]) => !test(node))
      if (away.length > 0) {
        for (const [claim] of away) inTheWay.add(claim)
        return elsewhere
      }
      if (unallocated.length === 0) return undefined
      const plan = allocate(world, node, unallocated, timeoutMs)
      if (typeof plan === 'string') return faults[plan]
      plans.set(node.name, plan)
      return undefined
    },
    postFilter(state, pod) {
      if (!pod.usesDevices || state.skipsFilter.has(name)) return undefined
      const { claims, inTheWay } = state.read(stateOf)
      const useless = claims.find(({ metadata, status }) => {
        const users = status?.reservedFor ?? []
        return inTheWay.has(metadata.name) && users.every(({ uid }) => uid === pod.uid)
      })
      if (!useless) return { message: 'still not schedulable' }
      // The pod is tried again when the claim is seen without devices.
      void deallocate(context, useless).catch((error) => onError(error, 'a claim could not be deallocated'))
      return { message: 'deallocation of ResourceClaim completed' }
    },
    score(state, pod, node) {
      if (!pod.usesDevices || state.skipsFilter.has(name)) return 0
      const { claims, unallocated, plans } = state.read(stateOf)
      const plan = plans.get(node.name) ?? []
      return claims.reduce((sum, claim) => {
        const allocation = claim.status?.allocation ?? plan[unallocated.indexOf(claim)]
        return sum + preferenceOf(claim, allocation)
      }, 0)
    },
    preScore: (_state, pod) => (pod.usesDevices ? undefined : 'skip'),
    normalize: (_state, _pod, scores) => normalizeByLargest(scores),
    reserve(state, pod, nodeName) {
      if (!pod.usesDevices || state.skipsFilter.has(name)) return undefined
      const { unallocated, plans } = state.read(stateOf)
      if (unallocated.length === 0) return undefined
      const plan = plans.get(nodeName)
      if (!plan) throw new Error('claim allocation not found for node')
      for (const [i, claim] of unallocated.entries()) {
        world.taken.promise(claim.metadata.uid ?? '', plan[i] as AllocationResult)
      }
      return undefined
    },
    unreserve(state, pod) {
      if (!pod.usesDevices || state.skipsFilter.has(name)) return
      const { claims, unallocated } = state.read(stateOf)
      for (const { metadata } of unallocated) world.taken.release(metadata.uid ?? '')
      for (const claim of claims.filter((each) => isReservedFor(each, pod.pod))) {
        // Whatever comes of it, the next try finds the claim reserved and goes on from there.
        void unbindClaim(context, claim, pod).catch((error) => onError(error, 'a claim could not be given back'))
      }
    },
    preBindPreFlight(state, pod) {
      return pod.usesDevices && !state.skipsFilter.has(name) ? undefined : 'skip'
    },
    async preBind(state, pod, nodeName) {
      const known = state.read(stateOf)
      const plan = known.plans.get(nodeName)
      for (const [i, claim] of known.claims.entries()) {
        const allocation = plan?.[known.unallocated.indexOf(claim)]
        const bound = await bindClaim(context, claim, pod, allocation)
        known.claims = known.claims.with(i, bound)
      }
    },
  }
}

/** Why the claim is given no devices now, whatever the node. */
function claimFault({ metadata, spec }: Claim, world: DeviceWorld): string | undefined {
  const key = `${metadata.namespace ?? ''}/${metadata.name}`
  if (world.taken.isPromised(metadata.uid ?? '')) return `resource claim ${key} is in the process of being allocated`
  for (const request of spec.devices?.requests ?? []) {
    const { exactly, firstAvailable = [] } = request
    const asked = exactly
      ? [{ of: request.name, deviceClass: exactly.deviceClassName }]
      : firstAvailable.map((each) => ({ of: `${request.name}/${each.name}`, deviceClass: each.deviceClassName }))
    if (asked.length === 0) return `resource claim ${key}, request ${request.name}: unknown request type`
    const missing = asked.find(({ deviceClass }) => !world.deviceClass(deviceClass))
    if (missing) return `request ${missing.of}: device class ${missing.deviceClass} does not exist`
  }
  return undefined
}

const reachOf = (claims: readonly Claim[]): Map<string, NodeTest> =>
  new Map(
    claims.flatMap(({ metadata, status }) => {
      const selector = status?.allocation?.nodeSelector
      return selector ? [[metadata.name, nodeSelectorTest(selector)]] : []
    }),
  )

const hintsFor = (world: DeviceWorld): readonly Hint[] => [
  {
    on: [
      'Node/Add',
      'Node/UpdateLabel',
      'Node/UpdateAllocatable',
      'DeviceClass/Add',
      'DeviceClass/Update',
      'ResourceSlice/Add',
      'ResourceSlice/Update',
      // A claim that goes with its devices gives them back just as one that is told to.
      'ResourceClaim/Delete',
    ],
  },
  { on: ['ResourceClaim/Add', 'ResourceClaim/Update'], worthATry: (pod, objects) => claimMayHelp(pod, objects, world) },
  {
    on: ['Pod/UpdateGeneratedResourceClaim'],
    worthATry: (pod, { pod: changed }) =>
      changed?.after?.uid === pod.uid && typeof claimsOf(changed.after, world) !== 'string',
  },
]

/** Whether devices have become free, or a claim of the pod is there or has become another one. */
function claimMayHelp(pod: PodInfo, { object }: EventObjects, world: DeviceWorld): boolean {
  const claims = claimsOf(pod, world)
  if (typeof claims === 'string') return false
  const { before, after } = (object ?? {}) as { before?: Live<Claim>; after?: Live<Claim> }
  if (before?.status?.allocation && !after?.status?.allocation) return true
  if (!claims.some(({ metadata }) => metadata.uid === after?.metadata.uid)) return false
  return !before || !same(before.status, after?.status)
}
