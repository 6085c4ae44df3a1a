import { spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { unmountAll } from './mounting.ts'
import { holdSubPath, makeSubPath, prepareSubPath, readSubPath } from './sub-path.ts'

const isRoot = process.platform === 'linux' && process.getuid?.() === 0
let home: string
let volume: string
let outside: string

beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'sub-path-')))
  volume = join(home, 'volume')
  outside = join(home, 'outside')
  mkdirSync(volume)
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'of the machine')
})

afterEach(async () => {
  if (isRoot) await unmountAll(home)
  rmSync(home, { recursive: true, force: true })
})

const prepare = (subPath: string, name = '0') =>
  prepareSubPath(volume, subPath, { target: join(home, 'bound', name), mayMount: isRoot })

describe('a part of a volume', () => {
  it('is what lies there, a directory or a file', async () => {
    mkdirSync(join(volume, 'deep/er'), { recursive: true })
    writeFileSync(join(volume, 'deep/er/file'), 'mine')
    expect(readdirSync(await prepare('deep/er'))).toEqual(['file'])
    expect(readFileSync(await prepare('./deep//er/file', '1'), 'utf8')).toBe('mine')
    expect(readdirSync(await prepare('.', '2'))).toEqual(['deep'])
  })

  it('may be reached by links that stay inside, as config maps do it', async () => {
    mkdirSync(join(volume, '..1'))
    writeFileSync(join(volume, '..1/key'), 'value')
    symlinkSync('..1', join(volume, '..data'))
    symlinkSync('..data/key', join(volume, 'key'))
    expect(readFileSync(await prepare('key'), 'utf8')).toBe('value')
  })

  it.each([
    ['an absolute link', () => symlinkSync(outside, join(volume, 'link')), 'link'],
    ['a relative link', () => symlinkSync('../outside', join(volume, 'link')), 'link/secret'],
    [
      'a chain of links',
      () => {
        symlinkSync('second', join(volume, 'link'))
        symlinkSync(outside, join(volume, 'second'))
      },
      'link/secret',
    ],
  ])('is not what %s leads to', async (_, attack, subPath) => {
    attack()
    await expect(prepare(subPath)).rejects.toThrow('leads out of the volume')
    expect(existsSync(join(home, 'bound/0'))).toBe(false)
  })

  it.runIf(isRoot)('stays what it was when the container puts a link in its place', async () => {
    mkdirSync(join(volume, 'dir'))
    writeFileSync(join(volume, 'dir/mine'), '')
    const bound = await prepare('dir')
    renameSync(join(volume, 'dir'), join(volume, 'moved'))
    symlinkSync(outside, join(volume, 'dir'))
    expect(readdirSync(bound)).toEqual(['mine'])
    await expect(prepare('dir')).rejects.toThrow('leads out of the volume')
  })

  it.runIf(isRoot)('is the same for a container that starts again, and the new one when it was replaced', async () => {
    mkdirSync(join(volume, 'dir'))
    expect(await prepare('dir')).toBe(await prepare('dir'))
    renameSync(join(volume, 'dir'), join(volume, 'old'))
    mkdirSync(join(volume, 'dir'))
    writeFileSync(join(volume, 'dir/new'), '')
    expect(readdirSync(await prepare('dir'))).toEqual(['new'])
  })

  it.runIf(isRoot)('never leads out while somebody swaps it for a link as fast as they can', async () => {
    mkdirSync(join(volume, 'dir/sub'), { recursive: true })
    writeFileSync(join(volume, 'dir/sub/mine'), '')
    mkdirSync(join(outside, 'sub'))
    writeFileSync(join(outside, 'sub/secret'), '')
    symlinkSync(outside, join(volume, 'link'))
    const script = `const fs = require('fs'); process.chdir(${JSON.stringify(volume)});
      for (;;) { fs.renameSync('dir', 'kept'); fs.renameSync('link', 'dir');
                 fs.renameSync('dir', 'link'); fs.renameSync('kept', 'dir') }`
    const attacker = spawn(process.execPath, ['-e', script], { stdio: 'ignore' })
    try {
      let inside = 0
      let refused = 0
      for (let i = 0; i < 20_000 && (i < 3000 || inside === 0 || refused === 0); i++) {
        const found = await holdSubPath(volume, 'dir/sub').catch(() => undefined)
        if (found) expect(readdirSync(`/proc/self/fd/${found.held.fd}`)).toEqual(['mine'])
        await found?.held.close()
        if (found) inside++
        else refused++
      }
      expect([inside > 0, refused > 0]).toEqual([true, true])
    } finally {
      attacker.kill('SIGKILL')
    }
  })
})

it('reads files of a volume and no others', async () => {
  writeFileSync(join(volume, 'env'), 'A=1')
  symlinkSync(join(outside, 'secret'), join(volume, 'link'))
  expect(await readSubPath(volume, 'env')).toBe('A=1')
  await expect(readSubPath(volume, 'link')).rejects.toThrow('leads out of the volume')
  await expect(readSubPath(volume, '../outside/secret')).rejects.toThrow('leads out of the volume')
  await expect(readSubPath(volume, '.')).rejects.toThrow('is not a file')
})

describe('a part that is not there', () => {
  it('is made with the mode and the group of the volume', async () => {
    if (isRoot) chownSync(volume, 0, 4242)
    chmodSync(volume, 0o2770)
    await makeSubPath(volume, 'a/b')
    for (const path of ['a', 'a/b']) {
      const { mode, gid } = statSync(join(volume, path))
      expect((mode & 0o7777).toString(8)).toBe('2770')
      if (isRoot) expect(gid).toBe(4242)
    }
  })

  it('leaves alone what is there', async () => {
    mkdirSync(join(volume, 'a'), { mode: 0o700 })
    chmodSync(volume, 0o777)
    await makeSubPath(volume, 'a/b')
    expect((statSync(join(volume, 'a')).mode & 0o777).toString(8)).toBe('700')
    expect((statSync(join(volume, 'a/b')).mode & 0o777).toString(8)).toBe('777')
  })

  it('is not made where a link leads out of the volume', async () => {
    symlinkSync(outside, join(volume, 'link'))
    await expect(makeSubPath(volume, 'link/new')).rejects.toThrow('leads out of the volume')
    symlinkSync(join(outside, 'new'), join(volume, 'dangling'))
    await expect(makeSubPath(volume, 'dangling')).rejects.toThrow()
    await expect(makeSubPath(volume, 'dangling/deep')).rejects.toThrow()
    expect(readdirSync(outside)).toEqual(['secret'])
  })
})
