import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { QueuedPod } from '../queue/queued-pod.ts'
import type { ClusterEvent } from './cluster-events.ts'
import type { CycleState } from './cycle-state.ts'
import type { NodeRefusals } from './node-refusals.ts'
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

/** What a plugin tells nodes apart by for one pod. */
export interface Kinds {
  /** What a node's kind rests on beside the node and its pods. Where it differs, nothing that is known of kinds holds. */
  readonly key: string
  /** Two nodes of one kind are the same to the plugin at any one time. It changes only when the node or its pods do. */
  of(node: NodeInfo): string | number
}

/**
 * What a plugin goes by, so that what it said of a node can be kept for pods that are alike: `node` where nothing counts but
 * the pod's template and the node with its pods; `kind` where nodes of one kind are filtered and scored alike, which is asked
 * anew for each pod. A score that goes by the node is a whole number and is not compared with other nodes' (no normalize).
 */
export interface Basis {
  readonly filter?: 'node' | 'kind'
  readonly score?: 'node' | 'kind'
  /** Called after preFilter. Undefined where all nodes are the same to it. */
  kinds?(state: CycleState, pod: PodInfo): Kinds | undefined
}

/**
 * One concern of scheduling, by upstream's names of the points it takes part in. The points up to permit run without a
 * pause for each pod and must not wait for anything; those after it run beside the scheduling of other pods.
 */
export interface Plugin {
  readonly name: string
  /**
   * Left out, pods are compared with every node each time, but for those that the plugin's preFilter skips: of them it must
   * have nothing to say in scores, either.
   */
  readonly basis?: Basis
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
  /** Where nodes stand for others of their kind, `standFor` says for how many. */
  preScore?(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
    standFor?: readonly number[],
  ): 'skip' | undefined
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
