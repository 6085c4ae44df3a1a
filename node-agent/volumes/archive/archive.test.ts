import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { type Header, pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest'
import { packTree } from './pack.ts'
import { unpackTree } from './unpack.ts'

let home: string
let from: string
let to: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'gantry-archive-'))
  from = join(home, 'from')
  to = join(home, 'to')
  mkdirSync(from)
  mkdirSync(to)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const signal = new AbortController().signal

async function roundTrip() {
  const archive = pack()
  const through = archive.pipe(new PassThrough())
  const packed = packTree(from, archive, signal)
  const [put] = await Promise.all([unpackTree(to, through), packed])
  return put
}

it('everything comes back as it was', async () => {
  const big = Buffer.alloc(1_000_000, 'gantry')
  writeFileSync(join(from, 'big'), big)
  writeFileSync(join(from, 'empty'), '')
  mkdirSync(join(from, 'a/b'), { recursive: true })
  writeFileSync(join(from, 'a/b/ünïcode name'), 'text', { mode: 0o640 })
  linkSync(join(from, 'big'), join(from, 'a/same'))
  symlinkSync('/etc/passwd', join(from, 'a/link'))
  execFileSync('mkfifo', [join(from, 'pipe')])
  chmodSync(join(from, 'a'), 0o2775)
  const then = new Date('2020-01-02T03:04:05Z')
  for (const name of ['big', 'a/b', 'a']) utimesSync(join(from, name), then, then)
  if (process.getuid?.() === 0) execFileSync('chown', ['1234:4321', join(from, 'empty')])

  expect(await roundTrip()).toEqual({ entries: 9, bytes: 1_000_004 })
  expect(readFileSync(join(to, 'big')).equals(big)).toBe(true)
  expect(readFileSync(join(to, 'a/b/ünïcode name'), 'utf8')).toBe('text')
  expect(statSync(join(to, 'a/b/ünïcode name')).mode & 0o777).toBe(0o640)
  expect(statSync(join(to, 'a')).mode & 0o7777).toBe(0o2775)
  expect(statSync(join(to, 'a/same')).ino).toBe(statSync(join(to, 'big')).ino)
  expect(readlinkSync(join(to, 'a/link'))).toBe('/etc/passwd')
  expect(lstatSync(join(to, 'pipe')).isFIFO()).toBe(true)
  for (const name of ['big', 'a/b', 'a']) expect(statSync(join(to, name)).mtime).toEqual(then)
  if (process.getuid?.() === 0) expect(statSync(join(to, 'empty'))).toMatchObject({ uid: 1234, gid: 4321 })
})

describe('an archive of somebody’s making', () => {
  const unpack = async (entries: (Partial<Header> & { name: string; content?: string })[]) => {
    const archive = pack()
    for (const { content = '', ...header } of entries) archive.entry(header, content)
    archive.finalize()
    return unpackTree(to, Readable.from(archive as unknown as AsyncIterable<Buffer>))
  }

  test.each<[string, (Partial<Header> & { name: string; content?: string })[]]>([
    ['by its name', [{ name: 'data/../../out', content: 'x' }]],
    [
      'over a link that it has made before',
      [
        { name: 'data/way', type: 'symlink', linkname: '../..' },
        { name: 'data/way/out', content: 'x' },
      ],
    ],
    [
      'by writing through a link',
      [
        { name: 'data/way', type: 'symlink', linkname: '../out' },
        { name: 'data/way', content: 'x' },
      ],
    ],
    ['by a link to a file elsewhere', [{ name: 'data/file', type: 'link', linkname: 'data/../../from/secret' }]],
  ])('leads nowhere else, %s', async (_, entries) => {
    writeFileSync(join(from, 'secret'), 'theirs')
    await expect(unpack(entries)).rejects.toThrow()
    expect(readdirSync(home).sort()).toEqual(['from', 'to'])
    expect(existsSync(join(to, 'file'))).toBe(false)
  })

  it('writes over nothing, and what is not of the volume is passed over', async () => {
    writeFileSync(join(to, 'there'), 'before')
    await expect(unpack([{ name: 'data/there', content: 'after' }])).rejects.toThrow('EEXIST')
    expect(readFileSync(join(to, 'there'), 'utf8')).toBe('before')
    expect(await unpack([{ name: 'gantry-volume.json', content: '{}' }])).toEqual({ entries: 0, bytes: 0 })
  })
})
