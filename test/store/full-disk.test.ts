import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openEmbedded } from '../../apiserver/storage/embedded/store.ts'
import { onLines, runChild } from './child.ts'

// Needs a small file system of its own, and so root.
describe.runIf(process.getuid?.() === 0)('on a full disk', () => {
  let mount: string
  beforeEach(() => {
    mount = mkdtempSync(join(tmpdir(), 'gantry-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', mount])
  })
  afterEach(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  })

  it('refuses writes but not reads, keeps what it acknowledged, and goes on when there is room', async () => {
    const ballast = join(mount, 'ballast')
    writeFileSync(ballast, Buffer.alloc(4 << 20))
    const directory = join(mount, 'store')
    mkdirSync(directory)
    const child = await runChild('full-disk-writer.ts', [directory])
    const lines: string[] = []
    const code = new Promise((resolve) => child.once('close', resolve))
    onLines(child, (line) => {
      lines.push(line)
      if (!line.startsWith('standing')) return
      rmSync(ballast)
      child.kill('SIGUSR2')
    })
    expect(await code).toBe(0)
    const before = lines.findIndex((line) => line.startsWith('full'))
    expect(before).toBeGreaterThan(5)
    expect(lines[before]).toMatch(/^full Unavailable false nothing was written/)
    expect(lines[before + 1]).toBe(`standing ${before}`)
    expect(lines[lines.length - 1]).toBe(`again ${before + 5}`)

    const store = await openEmbedded({ directory })
    expect((await store.list('/k/')).entries).toHaveLength(before + 5)
    await store.close()
  }, 30_000)
})
