import { useEffect, useMemo, useState } from 'preact/hooks'
import type { Amounts } from '../model/amounts.ts'
import { moment } from '../moment.ts'
import { askJson, openSocket } from './request.ts'

export type Usage = Amounts

/** A number a sample; null where nothing is known. */
export type Series = (number | null)[]

export interface Traffic {
  /** Requests a second. */
  reads: number
  writes: number
  /** Of these, those answered with 5xx. */
  errors: number
  /** Milliseconds within which half, and nearly all, are answered. */
  p50: number | null
  p99: number | null
}

type Pair = [cpuCores: number, memoryBytes: number]

/** The first message: what has been, and what of it this user may not see, in the server's words. */
interface History {
  type: 'HISTORY'
  times: number[]
  nodes?: Record<string, { cpu: Series; memory: Series }>
  requests?: { [name in keyof Traffic]: Series }
  pods?: Record<string, Pair>
  denied: { nodes?: string; pods?: string; requests?: string }
}

interface Sample {
  type: 'SAMPLE'
  time: number
  nodes?: Record<string, Pair>
  requests?: Traffic
  pods?: Record<string, Pair>
}

export interface UsageView {
  known: boolean
  times: number[]
  /** Of the nodes together. */
  total: { cpu: Series; memory: Series }
  byNode: Map<string, { cpu: Series; memory: Series }>
  requests: { [name in keyof Traffic]: Series } | undefined
  /** By `namespace/name`, now. */
  usage: ReadonlyMap<string, Usage>
  nodes: ReadonlyMap<string, Usage>
  denied: History['denied']
}

const nothing: UsageView = {
  known: false,
  times: [],
  total: { cpu: [], memory: [] },
  byNode: new Map(),
  requests: undefined,
  usage: new Map(),
  nodes: new Map(),
  denied: {},
}

const lingerMs = 20_000
const againMs = 5000

/** What a namespace uses, as the server measures it; it says so itself whenever it has. */
class UsageFeed {
  view: UsageView = nothing
  readonly #path: string
  readonly #listeners = new Set<() => void>()
  #socket: WebSocket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(namespace: string) {
    this.#path = `/ui/metrics${namespace === '' ? '' : `?namespace=${encodeURIComponent(namespace)}`}`
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener)
    clearTimeout(this.#timer)
    if (!this.#socket) this.#open()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.close(), lingerMs)
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    const socket = this.#socket
    this.#socket = undefined
    socket?.close()
  }

  #open(): void {
    const socket = openSocket(this.#path, 'json.k8s.io')
    this.#socket = socket
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const message = JSON.parse(data) as History | Sample
      this.view = message.type === 'HISTORY' ? begin(message) : extend(this.view, message)
      for (const listener of this.#listeners) listener()
    }
    socket.onclose = () => {
      if (this.#socket !== socket) return
      this.#socket = undefined
      if (this.#listeners.size > 0) this.#timer = setTimeout(() => this.#open(), againMs)
    }
  }
}

function begin({ times, nodes = {}, requests, pods = {}, denied }: History): UsageView {
  const byNode = new Map(Object.entries(nodes))
  const last = ({ cpu, memory }: { cpu: Series; memory: Series }): Usage | undefined => {
    const cpuCores = cpu.at(-1)
    const memoryBytes = memory.at(-1)
    return typeof cpuCores === 'number' && typeof memoryBytes === 'number' ? { cpuCores, memoryBytes } : undefined
  }
  return {
    known: true,
    times,
    byNode,
    total: {
      cpu: times.map((_, i) => sum([...byNode.values()].map(({ cpu }) => cpu[i]))),
      memory: times.map((_, i) => sum([...byNode.values()].map(({ memory }) => memory[i]))),
    },
    requests,
    usage: usagesIn(pods),
    nodes: new Map(
      [...byNode].flatMap(([name, series]) => {
        const now = last(series)
        return now ? [[name, now] as const] : []
      }),
    ),
    denied,
  }
}

/** Keeps as many samples as the server told at first, and at least an hour's. */
const leastKept = 120

function extend(view: UsageView, { time, nodes = {}, requests, pods = {} }: Sample): UsageView {
  const before = view.times.length
  const cut = Math.max(0, before + 1 - Math.max(leastKept, before))
  const push = (series: Series, value: number | null | undefined): Series => [...series.slice(cut), value ?? null]
  const names = new Set([...view.byNode.keys(), ...Object.keys(nodes)])
  const empty = { cpu: view.times.map(() => null), memory: view.times.map(() => null) }
  const byNode = new Map(
    [...names].map((name) => {
      const { cpu, memory } = view.byNode.get(name) ?? empty
      return [name, { cpu: push(cpu, nodes[name]?.[0]), memory: push(memory, nodes[name]?.[1]) }]
    }),
  )
  const known = view.requests
  return {
    ...view,
    times: [...view.times.slice(cut), time],
    byNode,
    total: {
      cpu: push(view.total.cpu, sum(Object.values(nodes).map(([cpu]) => cpu))),
      memory: push(view.total.memory, sum(Object.values(nodes).map(([, memory]) => memory))),
    },
    requests: known && {
      reads: push(known.reads, requests?.reads),
      writes: push(known.writes, requests?.writes),
      errors: push(known.errors, requests?.errors),
      p50: push(known.p50, requests?.p50),
      p99: push(known.p99, requests?.p99),
    },
    usage: usagesIn(pods),
    nodes: usagesIn(nodes),
  }
}

const usagesIn = (pairs: Record<string, Pair>): Map<string, Usage> =>
  new Map(Object.entries(pairs).map(([name, [cpuCores, memoryBytes]]) => [name, { cpuCores, memoryBytes }]))

function sum(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === 'number')
  return known.length === 0 ? null : known.reduce((total, value) => total + value, 0)
}

const feeds = new Map<string, UsageFeed>()

/** What is used in a namespace ('' for all), now and in the last hours; draws anew with every sample. */
export function useUsage(namespace: string): UsageView {
  const [, redraw] = useState(0)
  let feed = feeds.get(namespace)
  if (!feed) {
    feed = new UsageFeed(namespace)
    feeds.set(namespace, feed)
  }
  useEffect(() => feed.listen(() => redraw((n) => n + 1)), [feed])
  const atMs = moment.use()
  const pods = usePast(namespace, atMs)
  return useMemo(() => (atMs === undefined ? feed.view : asOf(feed.view, atMs, pods)), [feed.view, atMs, pods])
}

const noPods: ReadonlyMap<string, Usage> = new Map()

/** What pods used at a moment, of which the server remembers as much as it keeps. */
function usePast(namespace: string, atMs: number | undefined): ReadonlyMap<string, Usage> {
  const [pods, setPods] = useState(noPods)
  useEffect(() => {
    setPods(noPods)
    if (atMs === undefined) return
    const asked = new AbortController()
    const query = new URLSearchParams({ namespace, at: String(atMs) })
    askJson<{ pods: Record<string, Pair> }>(`/ui/metrics?${query}`, { signal: asked.signal })
      .then(({ pods: pairs }) => setPods(usagesIn(pairs)))
      // Who may not see it is told so by the stream of samples.
      .catch(() => {})
    return () => asked.abort()
  }, [namespace, atMs])
  return pods
}

/** What is remembered of a moment. */
function asOf(view: UsageView, atMs: number, pods: ReadonlyMap<string, Usage>): UsageView {
  const i = view.times.findLastIndex((time) => time <= atMs)
  const nodes = [...view.byNode].flatMap(([name, { cpu, memory }]): [string, Usage][] => {
    const cpuCores = cpu[i]
    const memoryBytes = memory[i]
    return typeof cpuCores === 'number' && typeof memoryBytes === 'number' ? [[name, { cpuCores, memoryBytes }]] : []
  })
  return { ...view, usage: pods, nodes: new Map(nodes) }
}

/** Forgets all: another user sees other things. */
export function forgetUsage(): void {
  for (const feed of feeds.values()) feed.close()
  feeds.clear()
}
