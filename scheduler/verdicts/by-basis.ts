import type { NodeInfo } from '../cache/node-info.ts'
import type { CycleState } from '../framework/cycle-state.ts'
import type { Framework, With } from '../framework/framework.ts'
import type { Kinds, Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'

/** The plugins of a profile, sorted by what they go by. */
export class ByBasis {
  readonly #byNode: readonly With<'filter'>[]
  readonly #byKind: readonly With<'filter'>[]
  readonly #scoresByNode: Framework['scorers']
  readonly #preScorersByNode: readonly With<'preScore'>[]
  readonly #withKinds: readonly Plugin[]
  /** Those that have to be asked about every node. */
  readonly #unknown: readonly Plugin[]
  readonly #isInOrder: boolean

  constructor({ filters, scorers, preScorers }: Framework) {
    this.#byNode = filters.filter(({ basis }) => basis?.filter === 'node')
    this.#byKind = filters.filter(({ basis }) => basis?.filter === 'kind')
    this.#scoresByNode = scorers.filter(({ plugin }) => plugin.basis?.score === 'node')
    this.#preScorersByNode = preScorers.filter(({ basis }) => basis?.score === 'node')
    const all = new Set<Plugin>([...filters, ...scorers.map(({ plugin }) => plugin)])
    this.#withKinds = [...all].filter(({ basis }) => basis?.kinds)
    this.#unknown = [
      ...filters.filter(({ basis }) => basis?.filter === undefined),
      ...scorers.map(({ plugin }) => plugin).filter(({ basis }) => basis?.score === undefined),
    ]
    const order = filters.map(({ basis }) => basis?.filter)
    this.#isInOrder = order.lastIndexOf('node') < order.indexOf('kind') || !order.includes('kind')
  }

  /** Whether what is said of the nodes for one pod may be kept for the next. Ask after preFilter. */
  mayKeep({ skipsFilter }: CycleState): boolean {
    return this.#isInOrder && this.#unknown.every(({ name }) => skipsFilter.has(name))
  }

  kinds(state: CycleState, pod: PodInfo): Kinds[] {
    return this.#withKinds.flatMap((plugin) => plugin.basis?.kinds?.(state, pod) ?? [])
  }

  /** Those whose verdict is kept; the others ask about a kind. */
  filtersByNode({ skipsFilter }: CycleState): readonly With<'filter'>[] {
    return this.#byNode.filter(({ name }) => !skipsFilter.has(name))
  }

  filtersByKind({ skipsFilter }: CycleState): readonly With<'filter'>[] {
    return this.#byKind.filter(({ name }) => !skipsFilter.has(name))
  }

  /** Before {@link scoreByNode}. */
  prepare(state: CycleState, pod: PodInfo): void {
    for (const plugin of this.#preScorersByNode) {
      if (plugin.preScore(state, pod, []) === 'skip') state.skipsScore.add(plugin.name)
    }
  }

  scoreByNode(state: CycleState, pod: PodInfo, node: NodeInfo): number {
    let sum = 0
    for (const { plugin, weight } of this.#scoresByNode) {
      if (!state.skipsScore.has(plugin.name)) sum += weight * plugin.score(state, pod, node)
    }
    return sum
  }
}
