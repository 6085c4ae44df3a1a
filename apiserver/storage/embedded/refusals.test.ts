import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open as openLmdb } from 'lmdb'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { put, text } from '../contract-tools.ts'
import { StoreUnusable } from '../store.ts'
import { metaKey } from './layout.ts'
import { openEmbedded } from './store.ts'

describe('the embedded store refuses, and changes nothing', () => {
  let directory: string
  let data: string
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-refusal-'))
    data = join(directory, 'data.mdb')
    const store = await openEmbedded({ directory })
    for (let i = 0; i < 40; i++)
      await store.commit(Array.from({ length: 50 }, (_, j) => put(`/k/${i}/${j}`, `value ${i} ${j}`.repeat(20), 'any')))
    await store.close()
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  async function expectRefusal(reason: StoreUnusable['reason'], words: string): Promise<void> {
    const before = readFileSync(data)
    const error = await openEmbedded({ directory }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(StoreUnusable)
    expect(error).toMatchObject({ reason })
    expect(String(error)).toContain(words)
    expect(readFileSync(data).equals(before)).toBe(true)
  }

  function overwrite(at: number, bytes: Buffer): void {
    const content = readFileSync(data)
    bytes.copy(content, at)
    writeFileSync(data, content)
  }

  it.each([0.9, 0.5, 0.1])('a file cut to %f of its length', async (part) => {
    truncateSync(data, Math.floor((statSync(data).size * part) / 4096) * 4096)
    await expectRefusal('corrupt', 'restore it from a snapshot')
  })

  it.each([0, 100, 5000])('a file cut to %i bytes', async (size) => {
    truncateSync(data, size)
    await expectRefusal('corrupt', 'is damaged')
  })

  it('a file that is gone, rather than begin anew', async () => {
    rmSync(data)
    await expect(openEmbedded({ directory })).rejects.toMatchObject({ reason: 'corrupt' })
  })

  it('something else under the name', async () => {
    writeFileSync(data, 'apiVersion: v1\n'.repeat(1000))
    await expectRefusal('foreign', 'is not a Gantry store')
  })

  it('somebody else’s LMDB', async () => {
    rmSync(directory, { recursive: true, force: true })
    const other = openLmdb({ path: data, noSubdir: true })
    await other.put('theirs', { precious: true })
    await other.close()
    await expectRefusal('foreign', 'is not a Gantry store')
  })

  it('another format version', async () => {
    const tree = openLmdb<Buffer, Buffer>({ path: data, noSubdir: true, keyEncoding: 'binary', encoding: 'binary' })
    const meta = Buffer.from(tree.get(metaKey)!)
    meta.writeUInt32BE(3, 8)
    await tree.put(metaKey, meta)
    await tree.close()
    await expectRefusal('format', 'the store has format 3; this Gantry reads format 2')
  })

  it('a damaged header page', async () => {
    overwrite(4096 + 24, Buffer.from('garbage!'))
    await expectRefusal('corrupt', 'damaged')
  })

  it('a second opener, naming the first', async () => {
    const store = await openEmbedded({ directory })
    await expectRefusal('locked', `in use by process ${process.pid}`)
    await store.commit([put('/still', 'mine', 'absent')])
    await store.close()
    const again = await openEmbedded({ directory })
    expect(text(await again.get('/still'))).toBe('mine')
    await again.close()
  })

  it('to end, or to give wrong answers, wherever a page is damaged', async () => {
    const pages = statSync(data).size / 4096
    const pristine = join(directory, 'pristine')
    copyFileSync(data, pristine)
    let refused = 0
    let read = 0
    for (let page = 2; page < pages; page += 3) {
      copyFileSync(pristine, data)
      overwrite(page * 4096 + [0, 20, 24, 700][page % 4]!, Buffer.alloc(64, 0x5a))
      const store = await openEmbedded({ directory }).catch((error: unknown) => error)
      if (store instanceof Error) {
        expect(store).toBeInstanceOf(StoreUnusable)
        refused++
        continue
      }
      const opened = store as Awaited<ReturnType<typeof openEmbedded>>
      const list = await opened.list('/').catch((error: unknown) => error)
      if (list instanceof Error) {
        expect(list).toMatchObject({ name: 'StoreUnusable', reason: 'corrupt' })
        refused++
      } else {
        // Free pages, slack, and history: what is read is right.
        for (const entry of (list as Awaited<ReturnType<typeof opened.list>>).entries)
          expect(text(entry)).toBe(`value ${entry.key.slice(3).replace('/', ' ')}`.repeat(20))
        read++
      }
      await opened.close()
    }
    expect(refused).toBeGreaterThan(0)
    expect(read).toBeGreaterThan(0)
  })

  it('one damaged record only, and serves the others', async () => {
    const content = readFileSync(data)
    const at = content.indexOf('value 7 7value 7 7')
    for (let i = at; i >= 0; i = content.indexOf('value 7 7value 7 7', i + 1)) content[i] = 0x56
    writeFileSync(data, content)
    const store = await openEmbedded({ directory })
    await expect(store.get('/k/7/7')).rejects.toMatchObject({ reason: 'corrupt' })
    await expect(store.commit([put('/k/7/7', 'x', 'any')])).rejects.toMatchObject({ reason: 'corrupt' })
    expect(text(await store.get('/k/7/8'))).toBe('value 7 8'.repeat(20))
    await store.commit([put('/k/7/8', 'x', 'any')])
    await store.close()
  })
})
