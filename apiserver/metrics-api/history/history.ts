import type { TrafficSample } from '../../handlers/traffic.ts'
import type { Meter } from '../meter.ts'
import type { Usage } from '../rates.ts'
import { Ring } from './ring.ts'

export interface HistoryOptions {
  meter: Meter
  /** What the server has answered since it was last asked. */
  traffic: () => TrafficSample
  now: () => number
  /** How far back it reaches. */
  keepMs: number
  onError: (error: unknown) => void
}

/** Samples are so far apart, or further where there are many nodes. */
export const intervalMs = 30_000
/** The first is taken so soon: somebody may be looking already. */
const firstMs = 3000
const nodesASecond = 20
const mostNodes = 5000
const mostPods = 10_000
/** A node that cannot be asked is left alone for so many rounds at most. */
const longestRest = 16

/**
 * Remembers what nodes and pods use and how the server answers, in rings of fixed size: a little of the last hours, for
 * whoever has no monitoring. Each server remembers what it has measured itself.
 */
export class UsageHistory {
  /** CPU in cores and memory in bytes, by name. */
  readonly nodes: Ring
  /** The same by `namespace/name`. */
  readonly pods: Ring
  /** The numbers of a TrafficSample, under the one name `server`. */
  readonly requests: Ring
  readonly #options: HistoryOptions
  readonly #listeners = new Set<() => void>()
  readonly #resting = new Map<string, { failures: number; rounds: number }>()
  #timer: NodeJS.Timeout | undefined
  #underWay: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: HistoryOptions) {
    this.#options = options
    const slots = Math.max(2, Math.round(options.keepMs / intervalMs))
    this.nodes = new Ring({ slots, width: 2, mostThings: mostNodes })
    this.pods = new Ring({ slots, width: 2, mostThings: mostPods })
    this.requests = new Ring({ slots, width: 5, mostThings: 1 })
  }

  /** Measures from now on. */
  start(): void {
    this.#next(firstMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#listeners.clear()
    await this.#underWay
  }

  /** Called after each sample. Returns the unsubscriber. */
  onSample(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Takes one sample of everything. */
  async sample(): Promise<void> {
    const { meter, traffic, now } = this.#options
    const ready = meter.ready()
    const asked = [...ready].filter((node) => !this.#rests(node))
    const usages = await meter.usageOn(asked)
    const nodes = new Map<string, number[]>()
    const pods = new Map<string, number[]>()
    for (const name of asked) {
      const usage = usages.get(name)
      this.#note(name, usage !== undefined)
      if (usage?.node) nodes.set(name, numbersOf([usage.node]))
      for (const [pod, containers] of usage?.pods ?? []) pods.set(pod, numbersOf([...containers.values()]))
    }
    for (const name of this.#resting.keys()) if (!ready.has(name)) this.#resting.delete(name)
    const timeMs = now()
    const { reads, writes, errors, p50, p99 } = traffic()
    this.nodes.push(timeMs, nodes)
    this.pods.push(timeMs, pods)
    this.requests.push(timeMs, new Map([['server', [reads, writes, errors, p50, p99]]]))
    for (const listener of this.#listeners) listener()
  }

  #next(waitMs: number): void {
    if (this.#stopped) return
    this.#timer = setTimeout(() => {
      this.#underWay = this.sample()
        .catch((error: unknown) => this.#options.onError(error))
        .then(() => this.#next(Math.max(intervalMs, (this.#options.meter.ready().size / nodesASecond) * 1000)))
    }, waitMs)
    // To remember is no reason to stay.
    this.#timer.unref()
  }

  #rests(node: string): boolean {
    const rest = this.#resting.get(node)
    if (!rest || rest.rounds === 0) return false
    rest.rounds--
    return true
  }

  #note(node: string, answered: boolean): void {
    if (answered) {
      this.#resting.delete(node)
      return
    }
    const failures = (this.#resting.get(node)?.failures ?? 0) + 1
    this.#resting.set(node, { failures, rounds: Math.min(2 ** (failures - 1) - 1, longestRest) })
  }
}

function numbersOf(usages: readonly Usage[]): [cpuCores: number, memoryBytes: number] {
  let cpuCores = 0
  let memoryBytes = 0
  for (const usage of usages) {
    cpuCores += usage.cpuCores
    memoryBytes += usage.memoryBytes
  }
  return [cpuCores, memoryBytes]
}
