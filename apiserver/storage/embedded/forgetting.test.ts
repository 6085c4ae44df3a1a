import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { put, text } from '../contract-tools.ts'
import { type EmbeddedOptions, openEmbedded } from './store.ts'

describe('the embedded store forgets', () => {
  let directory: string
  let nowMs = 0
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-forgetting-'))
    nowMs = 1_000_000
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const open = (options: Partial<EmbeddedOptions> = {}) =>
    openEmbedded({ directory, historyKeepMs: 1000, historyIntervalMs: 5, now: () => nowMs, ...options })

  async function reaches(store: Awaited<ReturnType<typeof open>>, revision: number): Promise<void> {
    await expect.poll(() => store.oldest(), { interval: 5, timeout: 5000 }).toBe(revision)
  }

  it('what is older than it keeps, also what it wrote before it was opened', async () => {
    const before = await open()
    const first = await before.commit([put('/a', '1', 'any')])
    nowMs += 600
    const second = await before.commit([put('/a', '2', 'any')])
    await before.close()
    const store = await open()
    nowMs += 300
    expect(text(await store.get('/a', first))).toBe('1')
    nowMs += 200
    await reaches(store, first)
    expect((await store.commitAt(second))?.timeMs).toBe(nowMs - 500)
    nowMs += 1000
    await reaches(store, second)
    expect(text(await store.get('/a'))).toBe('2')
    await store.close()
  })

  it('the oldest when there is too much of it, however young', async () => {
    const store = await open({ historyMaxBytes: 20_000 })
    const value = 'v'.repeat(1000)
    let last = 0
    for (let i = 0; i < 100; i++) last = await store.commit([put('/a', `${value}${i}`, 'any')])
    await expect.poll(() => store.oldest(), { interval: 5, timeout: 5000 }).toBeGreaterThan(last - 25)
    expect(await store.oldest()).toBeLessThan(last - 10)
    await store.close()
  })
})
