import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { QueuedPod } from '../queue/queued-pod.ts'
import type { ClusterEvent } from './cluster-events.ts'
import type { CycleState } from './cycle-state.ts'
import type { PodInfo } from './pod-info.ts'
import type { Refusal } from './refusal.ts'

/** The scores of a plugin end up between 0 and this. */
export const maxScore = 100

/** What the object of a cluster event was before and is after; one is missing where it came or went. */
export interface EventObjects {
  pod?: { before?: PodInfo; after?: PodInfo }
  node?: { before?: Live<Node>; after?: Live<Node> }
  object?: { before?: Live<object>; after?: Live<object> }
}

/** A cluster event that may change a plugin's mind about a pod that it refused. */
export interface Hint {
  readonly on: readonly ClusterEvent[]
  /** Whether to try the pod again; left out, every such event is worth a try. */
  worthATry?(pod: PodInfo, objects: EventObjects): boolean
}

/** Why each node was refused. */
export type NodeRefusals = ReadonlyMap<string, Refusal>

export interface Diagnosis {
  readonly perNode: NodeRefusals
  /** Of the nodes that are not in `perNode`. */
  readonly others?: Refusal
}

/** `skip` leaves the plugin's filter out of this cycle; `nodes` are the only ones worth looking at. */
export type PreFilterOutcome = undefined | 'skip' | Refusal | { readonly nodes: ReadonlySet<string> }

/** `nominate` is the node where room is being made; empty clears an earlier nomination. */
export interface PostFilterOutcome {
  readonly nominate?: string
  /** Why nothing could be done, for the message that people read. */
  readonly message?: string
}

/** Holds a pod back after its node was chosen. */
export interface PermitWait {
  /** Resolves to undefined when the pod may go on. */
  readonly until: Promise<Refusal | undefined>
  readonly timeoutMs: number
}

/**
 * One concern of scheduling, by upstream's names of the points it takes part in. The points up to permit run without a
 * pause for each pod and must not wait for anything; those after it run beside the scheduling of other pods.
 */
export interface Plugin {
  readonly name: string
  /** What can make a pod schedulable that this plugin refused. */
  readonly hints?: readonly Hint[]
  /** Negative where a goes before b. Exactly one plugin has it. */
  queueSort?(a: QueuedPod, b: QueuedPod): number
  preEnqueue?(pod: PodInfo): Refusal | undefined
  preFilter?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): PreFilterOutcome
  /** Tell what preFilter has worked out that a pod is put on a node, or taken off, to see what would be. */
  addPod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void
  removePod?(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void
  filter?(state: CycleState, pod: PodInfo, node: NodeInfo): Refusal | undefined
  /** A promise only where somebody outside has to be asked. */
  postFilter?(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
  ): PostFilterOutcome | undefined | Promise<PostFilterOutcome | undefined>
  preScore?(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[]): 'skip' | undefined
  score?(state: CycleState, pod: PodInfo, node: NodeInfo): number
  /** Brings the scores of the nodes, in their order, to between 0 and {@link maxScore}, in place. */
  normalize?(state: CycleState, pod: PodInfo, scores: Float64Array, nodes: readonly NodeInfo[]): void
  reserve?(state: CycleState, pod: PodInfo, nodeName: string): Refusal | undefined
  unreserve?(state: CycleState, pod: PodInfo, nodeName: string): void
  permit?(state: CycleState, pod: PodInfo, nodeName: string): Refusal | PermitWait | undefined
  /** `skip` where the plugin has nothing to do before this pod is bound; others may take their time. */
  preBindPreFlight?(state: CycleState, pod: PodInfo, nodeName: string): 'skip' | undefined
  preBind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<void>
  /** `skip` leaves the binding to the next plugin. */
  bind?(state: CycleState, pod: PodInfo, nodeName: string): Promise<'bound' | 'skip'>
  postBind?(state: CycleState, pod: PodInfo, nodeName: string): void
}

/** The part of a plugin that the scheduling queue has to do with. */
export type QueuePlugin = Pick<Plugin, 'name' | 'hints' | 'preEnqueue' | 'queueSort'>
