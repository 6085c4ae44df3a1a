import { connect, type TLSSocket } from 'node:tls'
import { request } from './connection.ts'
import { type Load, type Result, run } from './load.ts'
import type { Target } from './target.ts'

export interface FanOut {
  writes: Result
  watchers: number
  delivered: number
  expected: number
  closedEarly: number
  perSecond: number
}

/** Watchers of one kind while it is written to: how many of the events they should see they see, and how fast. */
export async function fanOut(target: Target, path: string, watchers: number, load: Load): Promise<FanOut> {
  const state = { delivered: 0, closed: 0, done: false }
  const sockets: TLSSocket[] = []
  for (let i = 0; i < watchers; i += 50) {
    const batch = Array.from({ length: Math.min(50, watchers - i) }, () => openWatch(target, path, state))
    sockets.push(...(await Promise.all(batch)))
  }
  const expected = load.count * watchers
  const startedAt = performance.now()
  const writes = await run(target, load)
  // Until all have come, or nothing comes any more.
  let before = -1
  while (state.delivered < expected && state.delivered !== before) {
    before = state.delivered
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
  const seconds = (performance.now() - startedAt) / 1000
  state.done = true
  for (const socket of sockets) socket.destroy()
  return {
    writes,
    watchers,
    delivered: state.delivered,
    expected,
    closedEarly: state.closed,
    perSecond: state.delivered / seconds,
  }
}

const eventStart = Buffer.from('{"type":"')

function openWatch(
  target: Target,
  path: string,
  state: { delivered: number; closed: number; done: boolean },
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(target.tls, () => {
      socket.write(request('GET', path, target.host, target.headers))
    })
    let open = false
    socket.on('data', (chunk) => {
      if (!open) {
        open = true
        resolve(socket)
      }
      // Events are counted by how they begin; one that is split over two reads is counted in neither, so the tail is kept.
      let at = chunk.indexOf(eventStart)
      while (at >= 0) {
        state.delivered++
        at = chunk.indexOf(eventStart, at + eventStart.length)
      }
    })
    socket.once('error', (error) => (open ? undefined : reject(error)))
    socket.once('close', () => {
      if (!state.done) state.closed++
    })
  })
}
