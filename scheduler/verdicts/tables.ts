import type { Cache } from '../cache/cache.ts'
import type { CycleState } from '../framework/cycle-state.ts'
import type { Framework } from '../framework/framework.ts'
import { idOf } from '../framework/identity.ts'
import type { Kinds } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { ByBasis } from './by-basis.ts'
import { Table } from './table.ts'

/** Of all tables together; 30 bytes each. */
const mostRows = 1_000_000
const mostTables = 256
const mostSeen = 4096

/** The tables of the templates that pods came from lately. */
export class Tables {
  readonly plugins: ByBasis
  readonly #cache: Cache
  readonly #random: () => number
  /** The last to be used is the last to be forgotten. */
  readonly #tables = new Map<string, Table>()
  /** Templates that one pod came from. */
  readonly #seenOnce = new Set<string>()

  constructor(framework: Framework, cache: Cache, random: () => number) {
    this.plugins = new ByBasis(framework)
    this.#cache = cache
    this.#random = random
  }

  /**
   * The table for pods like this one, up to date. Undefined where each node has to be asked about: plugins look at more than
   * can be kept, or it is the first pod of its kind, and perhaps the last. Ask after preFilter.
   */
  find(state: CycleState, pod: PodInfo): Table | undefined {
    if (!this.plugins.mayKeep(state)) return undefined
    const kinds = this.plugins.kinds(state, pod)
    const key = templateOf(pod, kinds)
    const table =
      this.#tables.get(key) ?? (this.#isKnown(key) ? new Table(this.#cache, this.plugins, this.#random) : undefined)
    if (!table) return undefined
    this.#keep(key, table)
    if (table.isTooFine) return undefined
    this.plugins.prepare(state, pod)
    table.update(state, pod, kinds)
    return table.isTooFine ? undefined : table
  }

  #isKnown(key: string): boolean {
    if (this.#seenOnce.delete(key)) return true
    if (this.#seenOnce.size >= mostSeen) this.#seenOnce.clear()
    this.#seenOnce.add(key)
    return false
  }

  #keep(key: string, table: Table): void {
    this.#tables.delete(key)
    this.#tables.set(key, table)
    for (const [oldest, { rows }] of this.#tables) {
      const isEnough = this.#tables.size <= mostTables && this.#tables.size * rows <= mostRows
      if (isEnough || oldest === key) break
      this.#tables.delete(oldest)
    }
  }
}

/** What plugins that go by the node alone may read of a pod. Pods that were trimmed share the parts that are alike. */
function templateOf({ pod: { spec }, requests, tolerations }: PodInfo, kinds: readonly Kinds[]): string {
  const parts = [
    requests,
    tolerations,
    spec?.containers,
    spec?.initContainers,
    spec?.volumes,
    spec?.nodeSelector,
    spec?.affinity,
    spec?.topologySpreadConstraints,
  ]
  let key = spec?.nodeName ?? ''
  for (const part of parts) key += `/${idOf(part)}`
  for (const { key: own } of kinds) key += `\n${own}`
  return key
}
