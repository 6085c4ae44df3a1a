import type { Namespace, Pod } from '../../api/generated/types.ts'
import type { Client } from '../../client/client.ts'
import { namespaces } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { type Usage, usageOf } from '../api/target.ts'
import type { ApiCalls } from './api-calls.ts'

export type Processes = Record<'apiserver' | 'scheduler' | 'controller-manager', number>

export interface Result {
  name: string
  /** How many pods or jobs were moved, and what they are called. */
  objects: number
  unit: string
  seconds: number
  note?: string
  used: Record<string, Usage>
  /** Writes the server was asked for, of all clients, for each object. */
  calls: { what: string; perObject: number }[]
}

/** What a scenario has done. */
export interface Done {
  objects: number
  unit: string
  seconds: number
  note?: string
}

const quietMs = 1500
const longestMs = 600_000

/** Where scenarios play: knows which pods are ready, by the label `app`, and waits for numbers of them. */
export class Stage {
  readonly api: Client
  readonly #ready = new Map<string, Map<string, string>>()
  readonly #readyAt = new Map<string, number>()
  readonly #waiting = new Set<() => void>()
  #namespaces = 0

  constructor(api: Client) {
    this.api = api
  }

  ready({ metadata }: Live<Pod>): void {
    const app = metadata.labels?.app ?? ''
    const all = this.#ready.get(app) ?? new Map<string, string>()
    this.#ready.set(app, all.set(metadata.uid ?? '', metadata.labels?.version ?? ''))
    this.#readyAt.set(app, performance.now())
    this.#wake()
  }

  gone({ metadata }: Live<Pod>): void {
    this.#ready.get(metadata.labels?.app ?? '')?.delete(metadata.uid ?? '')
    this.#wake()
  }

  /** Ready pods of the apps whose name begins so, and carry that version if one is named. */
  count(app: string, version?: string): number {
    let count = 0
    for (const [name, all] of this.#ready) {
      if (!name.startsWith(app)) continue
      if (version === undefined) count += all.size
      else for (const found of all.values()) if (found === version) count++
    }
    return count
  }

  /** When a pod of the app became ready last, as performance.now() tells it. */
  readyAt(app: string): number {
    return this.#readyAt.get(app) ?? 0
  }

  /** Resolves when it is so: asked again whenever a pod has become ready or is gone. */
  async until(what: string, condition: () => boolean): Promise<void> {
    const deadline = performance.now() + longestMs
    while (!condition()) {
      if (performance.now() > deadline) throw new Error(`${what}: not so after ${longestMs / 1000} s`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 5000)
        this.#waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  /** A namespace that nobody has used. */
  async namespace(): Promise<string> {
    const name = `workloads-${process.pid}-${this.#namespaces++}`
    await this.api.create<Namespace>(namespaces, { metadata: { name } })
    return name
  }

  /** Runs a scenario and tells what it cost. */
  async measure(name: string, processes: Processes, calls: ApiCalls, run: () => Promise<Done>): Promise<Result> {
    await new Promise((resolve) => setTimeout(resolve, quietMs))
    const known = Object.entries(processes).filter(([, pid]) => pid > 0)
    const usage = () => new Map(known.map(([component, pid]) => [component, usageOf([pid])]))
    const before = { usage: usage(), counts: await calls.counts() }
    const done = await run()
    const after = { usage: usage(), counts: await calls.counts() }
    const used = Object.fromEntries(
      [...after.usage].map(([component, now]) => {
        const cpuSeconds = now.cpuSeconds - (before.usage.get(component)?.cpuSeconds ?? 0)
        return [component, { ...now, cpuSeconds }]
      }),
    )
    const made = [...after.counts]
      .map(([what, count]) => ({ what, perObject: (count - (before.counts.get(what) ?? 0)) / done.objects }))
      .filter(({ what, perObject }) => perObject >= 0.005 && !what.endsWith('leases'))
      .sort((a, b) => b.perObject - a.perObject)
    return { name, ...done, used, calls: made }
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const wake of waiting) wake()
  }
}
