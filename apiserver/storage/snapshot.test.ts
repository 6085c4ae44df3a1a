import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { gather, put, remove, text } from './contract-tools.ts'
import { openStore } from './open.ts'
import { inspectSnapshot, restoreSnapshot, saveSnapshot, snapshotRestore, snapshotSave } from './snapshot.ts'
import type { Entry, Store } from './store.ts'
import { Compacted } from './store.ts'

/** An entry that is quick to compare, however large. */
function digest(entry: Entry): object {
  return { ...entry, value: createHash('sha256').update(entry.value).digest('hex') }
}

describe('a snapshot of the embedded store', () => {
  let directory: string
  let path: string
  const at = (name: string) => ({ kind: 'embedded' as const, directory: join(directory, name) })
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-snapshot-'))
    path = join(directory, 'saved')
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  async function filled(name: string): Promise<Store> {
    const store = await openStore(at(name))
    for (let i = 0; i < 300; i++) await store.commit([put(`/k/${i}`, `value ${i}`, 'absent')])
    await store.commit([put('/k/7', 'changed', 'any'), remove('/k/8', 'any')])
    await store.commit([{ ...put('/event', 'soon gone', 'absent'), ttlSeconds: 3 }])
    await store.commit([{ key: '/large', value: Buffer.alloc(1_500_000, 'x'), expect: 'absent' }])
    return store
  }

  it('restores every entry with its revisions, compacts what was before, and goes on from a later revision', async () => {
    const store = await filled('from')
    const before = (await store.list('/')).entries
    const revision = await store.revision()
    const saved: number[] = []
    const summary = await saveSnapshot(store, path, { onProgress: ({ bytes }) => saved.push(bytes) })
    expect(summary).toMatchObject({ revision, entries: before.length })
    expect(saved[saved.length - 1]).toBe(summary.bytes)
    await store.close()

    await snapshotRestore({ path, store: at('to'), revisionsAhead: 50 })
    const restored = await openStore(at('to'))
    expect((await restored.list('/')).entries.map(digest)).toEqual(before.map(digest))
    expect(await restored.revision()).toBe(revision + 50)
    await expect(gather(restored, '/', revision, () => true)).rejects.toBeInstanceOf(Compacted)
    await expect(restored.get('/k/7', revision)).rejects.toBeInstanceOf(Compacted)
    const events = gather(restored, '/', revision + 50, (seen) => seen.some((event) => event.key === '/event'))
    expect(await restored.commit([put('/new', 'x', 'absent')])).toBeGreaterThan(revision + 50)
    expect((await events).map((event) => `${event.type} ${event.key}`)).toContain('delete /event')
    await restored.close()
  })

  it('is of one moment, whatever is written meanwhile', async () => {
    const store = await filled('from')
    let isOver = false
    const writer = (async () => {
      for (let i = 0; !isOver; i++) await store.commit([put('/x', `${i}`, 'any'), put('/y', `${i}`, 'any')])
    })()
    for (let round = 0; round < 5; round++) {
      await saveSnapshot(store, path)
      await restoreSnapshot(path, at('copy'), { force: true })
      const copy = await openStore(at('copy'))
      expect(text(await copy.get('/x'))).toBe(text(await copy.get('/y')))
      await copy.close()
    }
    isOver = true
    await writer
    await store.close()
  })

  it('refuses a target that holds a store, and replaces it when forced', async () => {
    await (await filled('from')).close()
    await snapshotSave({ store: at('from'), path })
    const other = await openStore(at('to'))
    await other.commit([put('/mine', 'x', 'absent')])
    await expect(restoreSnapshot(path, at('to'), { force: true })).rejects.toMatchObject({ reason: 'locked' })
    await other.close()
    await expect(restoreSnapshot(path, at('to'))).rejects.toThrow('already holds a store')
    await restoreSnapshot(path, at('to'), { force: true })
    const restored = await openStore(at('to'))
    expect(await restored.get('/mine')).toBeUndefined()
    expect(text(await restored.get('/k/1'))).toBe('value 1')
    await restored.close()
  })

  it('refuses a file that is cut short, changed anywhere, or something else, and leaves the target alone', async () => {
    const store = await openStore(at('from'))
    for (let i = 0; i < 5; i++) await store.commit([put(`/k/${i}`, `value ${i}`, 'absent')])
    await saveSnapshot(store, path)
    await store.close()
    const whole = readFileSync(path)
    const damaged = join(directory, 'damaged')
    const refuse = async (bytes: Buffer) => {
      writeFileSync(damaged, bytes)
      await expect(restoreSnapshot(damaged, at('to'))).rejects.toMatchObject({ name: 'SnapshotDamaged' })
    }
    for (let cut = 0; cut < whole.length; cut += 13) await refuse(whole.subarray(0, cut))
    for (let at = 0; at < whole.length; at += 11) {
      const changed = Buffer.from(whole)
      changed[at]! ^= 0x10
      await refuse(changed)
    }
    await refuse(Buffer.concat([whole, Buffer.from('more')]))
    await refuse(Buffer.from('apiVersion: v1\nkind: List\n'))
    expect(existsSync(join(directory, 'to'))).toBe(false)
  })

  it('leaves the old file and nothing half-written when saving fails', async () => {
    const store = await openStore(at('from'))
    await saveSnapshot(store, path)
    const before = readFileSync(path)
    const failing = Object.create(store, {
      snapshot: {
        value: async function* () {
          yield Buffer.from('half')
          throw new Error('the disk is gone')
        },
      },
    }) as Store
    await expect(saveSnapshot(failing, path)).rejects.toThrow('the disk is gone')
    expect(readFileSync(path)).toEqual(before)
    expect(readdirSync(directory).sort()).toEqual(['from', 'saved'])
    expect((await inspectSnapshot(path)).entries).toBe(0)
    await store.close()
  })
})
