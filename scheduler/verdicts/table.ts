import type { Cache } from '../cache/cache.ts'
import type { NodeInfo } from '../cache/node-info.ts'
import type { CycleState } from '../framework/cycle-state.ts'
import { runFilters, type With } from '../framework/framework.ts'
import type { Notes } from '../framework/node-refusals.ts'
import type { Kinds } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import type { Refusal } from '../framework/refusal.ts'
import type { ByBasis } from './by-basis.ts'
import { Ranking, Ranks } from './ranking.ts'

/** Nodes that are feasible by themselves, and alike to the plugins that look further. */
export class Kind {
  readonly key: string
  readonly ranking: Ranking

  constructor(key: string, ranks: Ranks) {
    this.key = key
    this.ranking = new Ranking(ranks)
  }
}

class RowNotes implements Notes {
  #notes: unknown[] = []

  get(row: number): unknown {
    return this.#notes[row]
  }

  set(row: number, note: unknown): void {
    this.#notes[row] = note
  }

  clear(): void {
    this.#notes = []
  }
}

/** Verdicts of rows: there is no node; it would do, by itself; and from here on, the number of a refusal. */
const absent = 0
const fits = 1
const firstRefusal = 2
const mostRefusals = 1000
/** With more kinds than this, to ask about each is no faster than to ask about some of the nodes. */
const mostKinds = 256

/**
 * What is known of every node for the pods of one template, in columns by row: the verdict of the plugins that go by the
 * node alone, and the sum of their scores. Only rows that have changed are worked out anew. The nodes that would do are
 * ranked by kind; among equals a random part of the rank decides, which is drawn anew whenever a node changes.
 */
export class Table {
  readonly #cache: Cache
  readonly #plugins: ByBasis
  readonly #random: () => number
  readonly #ranks: Ranks
  #verdicts: Uint16Array
  #kindOf: (Kind | undefined)[] = []
  readonly #kinds = new Map<string, Kind>()
  #refusals: Refusal[] = []
  readonly #numbers = new Map<Refusal, number>()
  /** By verdict, how many rows have it. */
  #counts: number[] = [0, 0]
  #seen = -1
  /** What others have worked out about nodes. */
  readonly notes = new RowNotes()
  /** Why nodes will not do beside those that they have been promised to. */
  readonly promises = new RowNotes()

  constructor(cache: Cache, plugins: ByBasis, random: () => number) {
    this.#cache = cache
    this.#plugins = plugins
    this.#random = random
    const rows = cache.columns.podCount.length
    this.#ranks = new Ranks(rows)
    this.#verdicts = new Uint16Array(rows)
  }

  /** Nodes that differ in more ways than it is worth: they are better looked at one by one. */
  get isTooFine(): boolean {
    return this.#kinds.size > mostKinds
  }

  get rows(): number {
    return this.#verdicts.length
  }

  get kinds(): Iterable<Kind> {
    return this.#kinds.values()
  }

  /** The whole part is the sum of the scores. */
  rank(row: number): number {
    return this.#ranks.rank[row] as number
  }

  /** The node's kind, where it would do by itself. */
  kindOf({ row }: NodeInfo): Kind | undefined {
    return this.#kindOf[row]
  }

  /** Why the node will not do, by itself. */
  refusalOf({ row }: NodeInfo): Refusal | undefined {
    return this.#refusals[(this.#verdicts[row] as number) - firstRefusal]
  }

  /** What nodes are refused with by themselves, and how many. */
  *refused(): Iterable<{ refusal: Refusal; nodes: number; verdict: number }> {
    for (const [i, refusal] of this.#refusals.entries()) {
      const verdict = i + firstRefusal
      const nodes = this.#counts[verdict] as number
      if (nodes > 0) yield { refusal, nodes, verdict }
    }
  }

  /** The first few nodes that are refused so. */
  refusedNodes(verdict: number, most: number): NodeInfo[] {
    const found: NodeInfo[] = []
    let row = this.#verdicts.indexOf(verdict)
    while (row >= 0 && found.length < most) {
      found.push(this.#cache.nodeAt(row) as NodeInfo)
      row = this.#verdicts.indexOf(verdict, row + 1)
    }
    return found
  }

  /** Brings the table up to date, for a pod of the template whose preFilter has run. */
  update(state: CycleState, pod: PodInfo, kinds: readonly Kinds[]): void {
    const { changes, columns } = this.#cache
    const rows = columns.podCount.length
    if (rows > this.#verdicts.length) this.#grow(rows)
    if (this.#refusals.length > mostRefusals) this.#forget()
    const filters = this.#plugins.filtersByNode(state)
    const judge = (row: number) => this.#judge(row, state, pod, filters, kinds)
    if (this.#seen < 0) for (let row = 0; row < rows; row++) judge(row)
    else changes.since(this.#seen, judge)
    this.#seen = changes.now
  }

  #judge(
    row: number,
    state: CycleState,
    pod: PodInfo,
    filters: readonly With<'filter'>[],
    kinds: readonly Kinds[],
  ): void {
    const node = this.#cache.nodeAt(row)
    const refusal = node && runFilters(state, pod, node, filters)
    this.#setVerdict(row, !node ? absent : refusal ? this.#numberOf(refusal) : fits)
    this.notes.set(row, undefined)
    this.promises.set(row, undefined)
    const before = this.#kindOf[row]
    if (!node || refusal) {
      before?.ranking.remove(row)
      this.#kindOf[row] = undefined
      if (before?.ranking.size === 0) this.#kinds.delete(before.key)
      return
    }
    const kind = this.#kind(kindOf(kinds, node))
    const rank = this.#plugins.scoreByNode(state, pod, node) + this.#random()
    if (kind === before) {
      this.#ranks.rank[row] = rank
      kind.ranking.moved(row)
      return
    }
    before?.ranking.remove(row)
    if (before?.ranking.size === 0) this.#kinds.delete(before.key)
    this.#ranks.rank[row] = rank
    kind.ranking.add(row)
    this.#kindOf[row] = kind
  }

  #setVerdict(row: number, verdict: number): void {
    const before = this.#verdicts[row] as number
    this.#counts[before] = (this.#counts[before] as number) - 1
    this.#counts[verdict] = (this.#counts[verdict] as number) + 1
    this.#verdicts[row] = verdict
  }

  #kind(key: string): Kind {
    let kind = this.#kinds.get(key)
    if (!kind) {
      kind = new Kind(key, this.#ranks)
      this.#kinds.set(key, kind)
    }
    return kind
  }

  #numberOf(refusal: Refusal): number {
    let number = this.#numbers.get(refusal)
    if (number === undefined) {
      number = this.#refusals.length + firstRefusal
      this.#numbers.set(refusal, number)
      this.#refusals.push(refusal)
      this.#counts.push(0)
    }
    return number
  }

  #grow(rows: number): void {
    this.#ranks.grow(rows)
    const verdicts = new Uint16Array(rows)
    verdicts.set(this.#verdicts)
    this.#verdicts = verdicts
  }

  #forget(): void {
    this.#verdicts.fill(absent)
    this.#kindOf = []
    this.notes.clear()
    this.promises.clear()
    this.#kinds.clear()
    this.#refusals = []
    this.#numbers.clear()
    this.#counts = [0, 0]
    this.#seen = -1
  }
}

function kindOf(kinds: readonly Kinds[], node: NodeInfo): string {
  let key = ''
  for (const each of kinds) key += `${each.of(node)}/`
  return key
}
