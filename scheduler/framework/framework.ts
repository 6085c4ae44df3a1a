import type { NodeInfo } from '../cache/node-info.ts'
import type { Nominations } from '../queue/nominations.ts'
import { Buffers } from './buffers.ts'
import type { CycleState } from './cycle-state.ts'
import type { Diagnosis, PermitWait, Plugin, PostFilterOutcome, QueuePlugin } from './plugin.ts'
import type { PodInfo } from './pod-info.ts'
import { allPoints, type PluginPoints, type Weighted } from './points.ts'
import { type Refusal, refusal } from './refusal.ts'

/** The weighted sum of all plugins' scores, and what it is made of. */
export interface Scores {
  readonly totals: Float64Array
  readonly parts: readonly ScorePart[]
}

export interface ScorePart {
  readonly plugin: With<'score'>
  readonly weight: number
  readonly scores: Float64Array
}

export type With<K extends keyof Plugin> = Plugin & Required<Pick<Plugin, K>>

/** Runs the plugins of a profile, point by point, in their order. */
export class Framework {
  readonly plugins: readonly Plugin[]
  readonly #points: PluginPoints
  readonly #postFilters: readonly With<'postFilter'>[]
  readonly #nominations: Nominations
  readonly #preFilters: readonly With<'preFilter'>[]
  readonly filters: readonly With<'filter'>[]
  readonly #adders: readonly With<'addPod'>[]
  readonly #removers: readonly With<'removePod'>[]
  readonly #buffers = new Buffers()
  readonly preScorers: readonly With<'preScore'>[]
  readonly scorers: readonly { readonly plugin: With<'score'>; readonly weight: number }[]
  readonly #reservers: readonly With<'reserve'>[]
  readonly #unreservers: readonly With<'unreserve'>[]
  readonly #permitters: readonly With<'permit'>[]
  readonly #preBinders: readonly With<'preBind'>[]
  readonly #binders: readonly With<'bind'>[]
  readonly #postBinders: readonly With<'postBind'>[]

  /** `points` can leave plugins out of some of the points that they could take part in. */
  constructor(plugins: readonly Weighted[], nominations: Nominations, points: PluginPoints = allPoints(plugins)) {
    this.plugins = plugins.map(({ plugin }) => plugin)
    this.#nominations = nominations
    this.#points = points
    this.#preFilters = having(points.preFilter, 'preFilter')
    this.#adders = having(points.preFilter, 'addPod')
    this.#removers = having(points.preFilter, 'removePod')
    this.filters = having(points.filter, 'filter')
    this.#postFilters = having(points.postFilter, 'postFilter')
    this.preScorers = having(points.preScore, 'preScore')
    this.scorers = points.score.map(({ plugin, weight }) => ({ plugin: plugin as With<'score'>, weight }))
    this.#reservers = having(points.reserve, 'reserve')
    this.#unreservers = having(points.reserve, 'unreserve').reverse()
    this.#permitters = having(points.permit, 'permit')
    this.#preBinders = having(points.preBind, 'preBind')
    this.#binders = having(points.bind, 'bind')
    this.#postBinders = having(points.postBind, 'postBind')
  }

  /** What the queue goes by: what keeps pods out of it, what sorts it, and what makes another try worthwhile. */
  get queuePlugins(): readonly QueuePlugin[] {
    const gates = new Set(having(this.#points.preEnqueue, 'preEnqueue').map(({ name }) => name))
    const sorts = new Set(having(this.#points.queueSort, 'queueSort').map(({ name }) => name))
    return this.plugins.map(({ name, hints, preEnqueue, queueSort }) => ({
      name,
      ...(hints ? { hints } : {}),
      ...(preEnqueue && gates.has(name) ? { preEnqueue } : {}),
      ...(queueSort && sorts.has(name) ? { queueSort } : {}),
    }))
  }

  /**
   * Lets each plugin look at the pod once. The answer is a refusal of the pod as a whole, or the only nodes worth looking
   * at (undefined for all) with the plugins that named them.
   */
  preFilter(
    state: CycleState,
    pod: PodInfo,
    nodes: readonly NodeInfo[],
  ):
    | { refusal: Refusal; namers: Set<string> }
    | { refusal?: never; nodes: ReadonlySet<string> | undefined; namers: Set<string> } {
    let only: ReadonlySet<string> | undefined
    const namers = new Set<string>()
    for (const plugin of this.#preFilters) {
      const outcome = plugin.preFilter(state, pod, nodes)
      if (outcome === undefined) continue
      if (outcome === 'skip') {
        state.skipsFilter.add(plugin.name)
        continue
      }
      if ('code' in outcome) return { refusal: outcome, namers }
      namers.add(plugin.name)
      const named = outcome.nodes
      only = only === undefined ? named : new Set([...only].filter((name) => named.has(name)))
      if (only.size === 0) return { refusal: nobodyLeft(plugin.name, namers), namers }
    }
    return { nodes: only, namers }
  }

  /** The filters that have something to say about the pod of this cycle. */
  filtersFor(state: CycleState): readonly With<'filter'>[] {
    return this.filters.filter(({ name }) => !state.skipsFilter.has(name))
  }

  /**
   * Why the node will not do; undefined where it will. Pods of no lower priority that have been promised the node count as
   * being there, and the node must do without them as well: they may end up elsewhere.
   */
  filter(
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
    filters: readonly With<'filter'>[] = this.filtersFor(state),
  ): Refusal | undefined {
    if (!this.#nominations.isEmpty) {
      const ahead = this.#aheadOn(node.name, pod)
      if (ahead.length > 0) {
        const refused = this.#filterBeside(ahead, state.copy(), pod, node, filters)
        if (refused) return refused
      }
    }
    return runFilters(state, pod, node, filters)
  }

  /** The nodes that somebody has been promised. */
  promised(): Iterable<string> {
    return this.#nominations.nodes()
  }

  /** Those that a node has been promised to: the same list for as long as nothing has changed about it. */
  promisedTo(nodeName: string): readonly PodInfo[] {
    return this.#nominations.on(nodeName)
  }

  #aheadOn(nodeName: string, pod: PodInfo): PodInfo[] {
    return this.#nominations.on(nodeName).filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority)
  }

  #filterBeside(
    others: readonly PodInfo[],
    state: CycleState,
    pod: PodInfo,
    node: NodeInfo,
    filters: readonly With<'filter'>[],
  ): Refusal | undefined {
    for (const other of others) this.addPod(state, pod, other, node)
    try {
      return runFilters(state, pod, node, filters)
    } finally {
      for (const other of others) node.removePod(other)
    }
  }

  /** Puts a pod on a node to see what would be. Whoever does takes it off again before the cycle ends. */
  addPod(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void {
    node.addPod(other)
    for (const plugin of this.#adders) {
      if (!state.skipsFilter.has(plugin.name)) plugin.addPod(state, pod, other, node)
    }
  }

  removePod(state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo): void {
    node.removePod(other)
    for (const plugin of this.#removers) {
      if (!state.skipsFilter.has(plugin.name)) plugin.removePod(state, pod, other, node)
    }
  }

  /** The first plugin that nominates a node decides; otherwise what they had to say is put together. */
  postFilter(state: CycleState, pod: PodInfo, diagnosis: Diagnosis): PostFilterOutcome | Promise<PostFilterOutcome> {
    return this.#postFilter(state, pod, diagnosis, 0, { messages: [], cleared: false })
  }

  #postFilter(
    state: CycleState,
    pod: PodInfo,
    diagnosis: Diagnosis,
    from: number,
    told: { messages: string[]; cleared: boolean },
  ): PostFilterOutcome | Promise<PostFilterOutcome> {
    const plugins = this.#postFilters
    for (let i = from; i < plugins.length; i++) {
      const outcome = plugins[i]?.postFilter(state, pod, diagnosis)
      if (outcome instanceof Promise) {
        return outcome.then((late) =>
          late?.nominate ? late : this.#postFilter(state, pod, diagnosis, i + 1, heard(told, late)),
        )
      }
      if (outcome?.nominate) return outcome
      heard(told, outcome)
    }
    const { messages, cleared } = told
    return { ...(cleared ? { nominate: '' } : {}), ...(messages.length > 0 ? { message: messages.join(', ') } : {}) }
  }

  /**
   * What the plugins give each node, in the nodes' order; where nodes stand for others of their kind, `standFor` says for how
   * many. The arrays are used again by the next call.
   */
  score(state: CycleState, pod: PodInfo, nodes: readonly NodeInfo[], standFor?: readonly number[]): Scores {
    for (const plugin of this.preScorers) {
      if (plugin.preScore(state, pod, nodes, standFor) === 'skip') state.skipsScore.add(plugin.name)
    }
    const totals = this.#buffers.take(0, nodes.length).fill(0)
    const parts: ScorePart[] = []
    for (const { plugin, weight } of this.scorers) {
      if (state.skipsScore.has(plugin.name)) continue
      const scores = this.#buffers.take(parts.length + 1, nodes.length)
      for (let i = 0; i < nodes.length; i++) scores[i] = plugin.score(state, pod, nodes[i] as NodeInfo)
      plugin.normalize?.(state, pod, scores, nodes)
      for (let i = 0; i < nodes.length; i++) totals[i] = (totals[i] as number) + weight * (scores[i] as number)
      parts.push({ plugin, weight, scores })
    }
    return { totals, parts }
  }

  /** All or none: where one refuses, those before it are told to let go. */
  reserve(state: CycleState, pod: PodInfo, nodeName: string): Refusal | undefined {
    for (const plugin of this.#reservers) {
      const refused = plugin.reserve(state, pod, nodeName)
      if (!refused) continue
      this.unreserve(state, pod, nodeName)
      return refused
    }
    return undefined
  }

  unreserve(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const plugin of this.#unreservers) plugin.unreserve(state, pod, nodeName)
  }

  /** A refusal, or what the pod has to wait for before it is bound. */
  permit(state: CycleState, pod: PodInfo, nodeName: string): Refusal | { waits: (PermitWait & { plugin: string })[] } {
    const waits: (PermitWait & { plugin: string })[] = []
    for (const plugin of this.#permitters) {
      const outcome = plugin.permit(state, pod, nodeName)
      if (!outcome) continue
      if ('code' in outcome) return outcome
      waits.push({ ...outcome, plugin: plugin.name })
    }
    return { waits }
  }

  /** Whether a plugin has something to do before the pod is bound, which may take its time. */
  delaysBinding(state: CycleState, pod: PodInfo, nodeName: string): boolean {
    return this.#preBinders.some((plugin) => hasWork(plugin, state, pod, nodeName))
  }

  /** Throws what a plugin throws, with its name. */
  async preBind(state: CycleState, pod: PodInfo, nodeName: string): Promise<void> {
    for (const plugin of this.#preBinders) {
      if (!hasWork(plugin, state, pod, nodeName)) continue
      await named('PreBind', plugin, plugin.preBind(state, pod, nodeName))
    }
  }

  async bind(state: CycleState, pod: PodInfo, nodeName: string): Promise<void> {
    for (const plugin of this.#binders) {
      if ((await named('Bind', plugin, plugin.bind(state, pod, nodeName))) === 'bound') return
    }
    throw new Error(`no plugin binds pod ${pod.key}`)
  }

  postBind(state: CycleState, pod: PodInfo, nodeName: string): void {
    for (const plugin of this.#postBinders) plugin.postBind(state, pod, nodeName)
  }
}

const having = <K extends keyof Plugin>(plugins: readonly Weighted[], method: K): With<K>[] =>
  plugins.flatMap(({ plugin }) => (plugin[method] === undefined ? [] : [plugin as With<K>]))

function heard<T extends { messages: string[]; cleared: boolean }>(told: T, outcome: PostFilterOutcome | undefined): T {
  if (outcome?.nominate === '') told.cleared = true
  if (outcome?.message) told.messages.push(outcome.message)
  return told
}

const hasWork = (plugin: Plugin, state: CycleState, pod: PodInfo, nodeName: string): boolean =>
  plugin.preBindPreFlight?.(state, pod, nodeName) !== 'skip'

/** Why the first filter that refuses does. */
export function runFilters(
  state: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  filters: readonly With<'filter'>[],
): Refusal | undefined {
  for (let i = 0; i < filters.length; i++) {
    const refused = filters[i]?.filter(state, pod, node)
    if (refused) return refused
  }
  return undefined
}

function nobodyLeft(plugin: string, namers: ReadonlySet<string>): Refusal {
  const names = [...namers].sort()
  const message =
    names.length === 1
      ? `node(s) didn't satisfy plugin ${names[0]}`
      : `node(s) didn't satisfy plugin(s) [${names.join(' ')}] simultaneously`
  return refusal(plugin, 'UnschedulableAndUnresolvable', message)
}

async function named<T>(point: string, plugin: Plugin, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new Error(`running ${point} plugin "${plugin.name}": ${(error as Error).message}`, { cause: error })
  }
}
