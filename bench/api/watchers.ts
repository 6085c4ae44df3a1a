import { connect, type TLSSocket } from 'node:tls'
import { request } from './connection.ts'
import { type Load, quantile, type Result, run } from './load.ts'
import type { Target } from './target.ts'

export interface FanOut {
  writes: Result
  watchers: number
  /** Events that arrived, of those that should. */
  delivered: number
  expected: number
  /** Watchers that the server closed before the end. */
  closedEarly: number
  /** Events that a watcher was never sent although its stream stayed open, and events sent twice; of every tenth watcher. */
  skipped: number
  repeated: number
  perSecond: number
  /** From sending a write to its event in a watcher's hand. */
  lagP50Ms: number
  lagP99Ms: number
}

interface Measure {
  count: number
  delivered: number
  closed: number
  done: boolean
  lastEventAt: number
  sentAt: Float64Array
  lags: number[]
}

interface Watcher {
  socket: TLSSocket
  /** Of a watcher that is looked at closely: how often it has seen each object. */
  seen: Uint8Array | undefined
  closed: boolean
}

/**
 * Watchers of one kind while it is written to: how many of the events they should see they see, and how late. Objects
 * must be called `…-I` for the I-th write. Every tenth watcher is read closely, the others only counted: reading takes
 * processor time away from the server.
 */
export async function fanOut(target: Target, path: string, watchers: number, load: Load): Promise<FanOut> {
  const measure: Measure = {
    count: load.count,
    delivered: 0,
    closed: 0,
    done: false,
    lastEventAt: 0,
    sentAt: new Float64Array(load.count),
    lags: [],
  }
  const all: Watcher[] = []
  for (let i = 0; i < watchers; i += 50) {
    const batch = Array.from({ length: Math.min(50, watchers - i) }, (_, k) =>
      openWatch(target, path, measure, (i + k) % 10 === 0),
    )
    all.push(...(await Promise.all(batch)))
  }
  const expected = load.count * watchers
  const startedAt = performance.now()
  const writes = await run(target, {
    ...load,
    onSend: (i, atMs) => {
      measure.sentAt[i] = atMs
    },
  })
  // Until all have come, or nothing comes any more.
  let before = -1
  while (measure.delivered < expected && measure.delivered !== before) {
    before = measure.delivered
    await new Promise((resolve) => setTimeout(resolve, 2000))
  }
  measure.done = true
  for (const { socket } of all) socket.destroy()
  const lags = Float64Array.from(measure.lags).sort()
  const close = all.flatMap(({ seen, closed }) => (seen && !closed ? [seen] : []))
  return {
    writes,
    watchers,
    delivered: measure.delivered,
    expected,
    closedEarly: measure.closed,
    skipped: close.reduce((sum, seen) => sum + seen.filter((times) => times === 0).length, 0),
    repeated: close.reduce((sum, seen) => sum + seen.filter((times) => times > 1).length, 0),
    perSecond: measure.delivered / Math.max(0.001, (measure.lastEventAt - startedAt) / 1000),
    lagP50Ms: quantile(lags, 0.5),
    lagP99Ms: quantile(lags, 0.99),
  }
}

const eventStart = Buffer.from('{"type":"ADDED"')
const nameStart = '"name":"'

function openWatch(target: Target, path: string, measure: Measure, closely: boolean): Promise<Watcher> {
  return new Promise((resolve, reject) => {
    const socket = connect(target.tls, () => {
      socket.write(request('GET', path, target.host, target.headers))
    })
    const watcher: Watcher = { socket, seen: closely ? new Uint8Array(measure.count) : undefined, closed: false }
    let open = false
    // What may be the beginning of an event that continues in the next read.
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      if (!open) {
        open = true
        resolve(watcher)
      }
      const data = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk
      rest = closely ? readEvents(data, watcher, measure) : countEvents(data, measure)
    })
    socket.once('error', (error) => (open ? undefined : reject(error)))
    socket.once('close', () => {
      if (measure.done) return
      watcher.closed = true
      measure.closed++
    })
  })
}

/** Counts how events begin, and returns what may be half a beginning. */
function countEvents(data: Buffer, measure: Measure): Buffer {
  let at = data.indexOf(eventStart)
  let end = 0
  while (at >= 0) {
    measure.delivered++
    end = at + eventStart.length
    at = data.indexOf(eventStart, end)
  }
  measure.lastEventAt = performance.now()
  return data.subarray(Math.max(end, data.length - eventStart.length + 1))
}

/** Notes whose events have come whole enough to tell, and when; returns the rest. */
function readEvents(data: Buffer, { seen }: Watcher, measure: Measure): Buffer {
  const now = performance.now()
  let at = data.indexOf(eventStart)
  for (;;) {
    if (at < 0) return data.subarray(Math.max(0, data.length - eventStart.length + 1))
    const name = data.indexOf(nameStart, at)
    const end = name < 0 ? -1 : data.indexOf('"', name + nameStart.length)
    if (end < 0) return data.subarray(at)
    const text = data.toString('latin1', name + nameStart.length, end)
    const i = Number(text.slice(text.lastIndexOf('-') + 1))
    measure.delivered++
    measure.lastEventAt = now
    if (seen) seen[i] = (seen[i] ?? 0) + 1
    measure.lags.push(now - (measure.sentAt[i] ?? now))
    const next = data.indexOf(eventStart, end)
    if (next < 0) return data.subarray(Math.max(end, data.length - eventStart.length + 1))
    at = next
  }
}
