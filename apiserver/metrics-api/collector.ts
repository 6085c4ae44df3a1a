import type { NodeSample } from './exposition.ts'
import { leastWindowMs, type NodeUsage, usageBetween } from './rates.ts'

export interface CollectorOptions {
  /** What the agent of this node tells now. */
  sample: (node: string) => Promise<NodeSample>
  now: () => number
  sleep: (ms: number) => Promise<void>
  /** A node that cannot be asked; told once until it can be asked again. */
  onError: (error: unknown, node: string) => void
}

/** An answer so old is as good as a new one. */
const freshMs = 3000
/** Further back, a sample says what was rather than what is. */
const longestWindowMs = 45_000
/** Between two samples when there is none to compare with. */
const firstWindowMs = 1000
const maxNodesAtOnce = 32

interface Known {
  usage: NodeUsage | undefined
  /** The sample to compare the next one with. */
  last: NodeSample | undefined
  takenMs: number
  failing: boolean
  underWay: Promise<NodeUsage | undefined> | undefined
}

/**
 * Measures nodes when somebody asks, and not otherwise: a rate is taken from the last sample, or, after a pause, from two
 * taken a second apart. Who asks at the same time shares the answer.
 */
export class Collector {
  readonly #options: CollectorOptions
  readonly #known = new Map<string, Known>()
  readonly #waiting: (() => void)[] = []
  #free = maxNodesAtOnce

  constructor(options: CollectorOptions) {
    this.#options = options
  }

  /** What is used on each of the nodes; those that cannot be asked are missing. */
  async usageOf(nodes: Iterable<string>): Promise<Map<string, NodeUsage>> {
    const answers = await Promise.all(
      [...new Set(nodes)].map(
        async (node): Promise<[string, NodeUsage | undefined]> => [node, await this.#usage(node)],
      ),
    )
    return new Map(answers.filter((entry): entry is [string, NodeUsage] => entry[1] !== undefined))
  }

  /** Forgets what is no node any more. */
  keepOnly(nodes: ReadonlySet<string>): void {
    for (const node of this.#known.keys()) if (!nodes.has(node)) this.#known.delete(node)
  }

  #usage(node: string): Promise<NodeUsage | undefined> {
    let known = this.#known.get(node)
    if (!known) {
      known = {
        usage: undefined,
        last: undefined,
        takenMs: Number.NEGATIVE_INFINITY,
        failing: false,
        underWay: undefined,
      }
      this.#known.set(node, known)
    }
    if (known.underWay) return known.underWay
    if (this.#options.now() - known.takenMs < freshMs) return Promise.resolve(known.usage)
    const standing = known
    standing.underWay = this.#measure(node, standing).finally(() => {
      standing.underWay = undefined
    })
    return standing.underWay
  }

  async #measure(node: string, known: Known): Promise<NodeUsage | undefined> {
    const { now, sleep, onError } = this.#options
    try {
      let after = await this.#sample(node)
      let before = known.last
      if (!before || after.node.timeMs - before.node.timeMs > longestWindowMs) {
        before = after
        await sleep(firstWindowMs)
        after = await this.#sample(node)
      }
      known.usage = usageBetween(before, after)
      // An agent that measures in a rhythm of its own may not have done so since.
      if (after.node.timeMs - before.node.timeMs >= leastWindowMs) known.last = after
      else known.last = before
      known.failing = false
    } catch (error) {
      known.usage = undefined
      if (!known.failing) onError(error, node)
      known.failing = true
    }
    known.takenMs = now()
    return known.usage
  }

  async #sample(node: string): Promise<NodeSample> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await this.#options.sample(node)
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
