import type { Container, Node, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/** Pods that would have to go from a node, as extenders are told. */
export interface ExtenderVictims {
  readonly pods: readonly Live<Pod>[]
  readonly violations: number
}

/** What an extender leaves of some nodes, and why it refuses others. */
export interface Passed {
  readonly nodes: ReadonlySet<string>
  readonly failed: Readonly<Record<string, string>>
  /** Refused whatever goes from the node. */
  readonly hopeless: Readonly<Record<string, string>>
}

/** Somebody outside who has a say in where pods go. What it does not do is undefined. */
export interface Extender {
  readonly name: string
  /** Pods are scheduled without it where it fails. */
  readonly isIgnorable: boolean
  /** What its scores, from 0 to 10, weigh. */
  readonly weight: number
  isInterested(pod: Live<Pod>): boolean
  filter?(pod: Live<Pod>, nodes: readonly Live<Node>[]): Promise<Passed>
  prioritize?(pod: Live<Pod>, nodes: readonly Live<Node>[]): Promise<ReadonlyMap<string, number>>
  /** The nodes that are left, each with the uids of the pods that are to go. */
  preempt?(
    pod: Live<Pod>,
    victims: ReadonlyMap<string, ExtenderVictims>,
  ): Promise<ReadonlyMap<string, { uids: readonly string[]; violations: number }>>
  bind?(pod: Live<Pod>, nodeName: string): Promise<void>
}

/** Whether a container asks for, or is limited to, one of the resources; none stand for every pod. */
export function usesAny({ spec }: Live<Pod>, resources: ReadonlySet<string>): boolean {
  if (resources.size === 0) return true
  const uses = ({ resources: own }: Container) =>
    [own?.requests, own?.limits].some((list) => Object.keys(list ?? {}).some((name) => resources.has(name)))
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(uses)
}
