import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEmbedded } from '../../apiserver/storage/embedded/store.ts'
import type { Revision, Store, StoreEvent } from '../../apiserver/storage/store.ts'
import { onLines, runChild } from './child.ts'

const rounds = 15
const writers = 16

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-crash-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Acknowledged {
  n: number
  revision: Revision
}

it('keeps every acknowledged commit whole through kill -9, again and again', async () => {
  let next = 0
  let newest = 1
  let total = 0
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await writeUntilKilled(next, 100 + ((round * 53) % 250))
    const store = await openEmbedded({ directory, historyMaxBytes: 1 << 30 })
    try {
      const revision = await store.revision()
      expect(revision).toBeGreaterThanOrEqual(newest)
      for (const [writer, last] of acknowledged) {
        expect(last.revision).toBeLessThanOrEqual(revision)
        expect(last.revision).toBeGreaterThan(newest)
        const found = await numberOf(store, writer)
        // At most the one commit that was under way may have happened beyond the acknowledged ones.
        expect([last.n, last.n + 1]).toContain(found)
        const wanted = [found, found - 1, found - 2].filter((n) => n >= 0)
        const kept = (await store.list(`/n/${writer}/`)).entries.map((entry) => Number(entry.key.split('/')[3]))
        // The numbers of this round: the round before may have ended between any two.
        expect(kept.filter((n) => n >= next).sort((a, b) => b - a)).toEqual(wanted.filter((n) => n >= next))
        total++
      }
      await expectConsistentHistory(store)
      newest = revision
      next = 1 + Math.max(...(await Promise.all(Array.from({ length: writers }, (_, w) => numberOf(store, w)))))
    } finally {
      await store.close()
    }
  }
  expect(total).toBeGreaterThan(rounds)
}, 90_000)

/** The last commit each writer was told of before the process was killed. */
async function writeUntilKilled(first: number, ms: number): Promise<Map<number, Acknowledged>> {
  const child = await runChild('crash-writer.ts', [directory, String(first)])
  const last = new Map<number, Acknowledged>()
  const errors: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const gone = new Promise<NodeJS.Signals | null>((resolve) => child.once('close', (_code, signal) => resolve(signal)))
  await new Promise<void>((resolve) => {
    onLines(child, (line) => {
      const [writer, n, revision] = line.split(' ').map(Number)
      if (line.startsWith('open')) setTimeout(resolve, ms)
      else last.set(writer!, { n: n!, revision: revision! })
    })
    gone.then(() => resolve()).catch(() => undefined)
  })
  child.kill('SIGKILL')
  expect(await gone, errors.join('')).toBe('SIGKILL')
  return last
}

/** The number under both of a writer's keys, which must be the same. */
async function numberOf(store: Store, writer: number): Promise<number> {
  const [a, b] = await Promise.all([store.get(`/w/${writer}/a`), store.get(`/w/${writer}/b`)])
  expect(a?.value.toString()).toBe(b?.value.toString())
  expect(a?.modRevision).toBe(b?.modRevision)
  return a ? Number.parseInt(a.value.toString(), 10) : -1
}

/** What is kept of the history, applied to the state at its start, gives the present, without a hole. */
async function expectConsistentHistory(store: Store): Promise<void> {
  const oldest = await oldestReadable(store)
  const revision = await store.revision()
  const state = new Map((await store.list('/', { at: oldest })).entries.map((entry) => [entry.key, entry.value]))
  let reached = oldest
  const events: StoreEvent[] = []
  const abort = new AbortController()
  setTimeout(() => store.requestProgress().catch(() => undefined), 10)
  for await (const batch of store.watch('/', oldest, abort.signal)) {
    if ('progress' in batch) {
      if (batch.progress >= revision) break
    } else events.push(...batch)
  }
  for (const event of events) {
    expect(event.revision === reached || event.revision === reached + 1).toBe(true)
    reached = event.revision
    expect(event.previous?.toString()).toBe(state.get(event.key)?.toString())
    if (event.value) state.set(event.key, event.value)
    else state.delete(event.key)
  }
  const present = (await store.list('/', { at: reached })).entries
  expect(present.map((entry) => entry.key).sort()).toEqual([...state.keys()].sort())
  for (const entry of present) expect(entry.value.equals(state.get(entry.key)!)).toBe(true)
}

async function oldestReadable(store: Store): Promise<Revision> {
  const error = await store.get('/any', 1).catch((caught: unknown) => caught)
  return error instanceof Error && 'oldest' in error ? (error.oldest as Revision) : 1
}
