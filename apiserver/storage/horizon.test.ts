import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { put, text } from './contract-tools.ts'
import { openEmbedded } from './embedded/store.ts'
import { withHorizon } from './horizon.ts'
import type { Store } from './store.ts'

let directory: string
let store: Store
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-horizon-'))
  store = await openEmbedded({ directory })
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true, force: true })
})

test('reads and watches end at the horizon, and the history behind it stays', async () => {
  const first = await store.commit([put('/a', '1', 'any')])
  const second = await store.commit([put('/a', '2', 'any')])
  const { store: near, stop } = withHorizon(store, { reachMs: 30, stepMs: 5, onError: () => {} })
  expect(text(await near.get('/a', first))).toBe('1')
  await expect.poll(() => near.get('/a', first).catch((error: Error) => error.name), { interval: 5 }).toBe('Compacted')
  await expect(near.list('/', { at: first })).rejects.toMatchObject({ name: 'Compacted', oldest: second })
  await expect(near.watch('/', first, AbortSignal.timeout(1000))[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    name: 'Compacted',
  })
  expect(text(await near.get('/a', second))).toBe('2')
  expect(text(await near.get('/a'))).toBe('2')
  expect(text(await store.get('/a', first))).toBe('1')
  expect(await near.oldest()).toBe(second)
  stop()
})
