import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytesBlob, mediaTypes, readBlob } from './image.ts'
import { chunksOf } from './tar.ts'
import { unpackLayer } from './unpack.ts'

type Entry = [name: string, content: string] | [name: string, type: 'symlink' | 'link', target: string] | [name: string]

const layer = async (entries: readonly Entry[], compressed = false) => {
  const tar = pack()
  for (const [name, second, target] of entries) {
    if (target !== undefined) tar.entry({ name, type: second as 'symlink' | 'link', linkname: target })
    else if (second === undefined) tar.entry({ name, type: 'directory' })
    else tar.entry({ name }, second)
  }
  tar.finalize()
  const bytes = await readBlob({ open: () => chunksOf(tar) })
  return compressed ? bytesBlob(`${mediaTypes.layer}+gzip`, gzipSync(bytes)) : bytesBlob(mediaTypes.layer, bytes)
}

describe('unpacking layers', () => {
  let base: string
  let root: string
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'gantry-unpack-'))
    root = join(base, 'root')
    mkdirSync(root)
  })
  afterEach(() => rmSync(base, { recursive: true }))
  const text = (name: string) => readFileSync(join(root, name), 'utf8')

  it.each([false, true])('puts one over the other, compressed %s', async (compressed) => {
    await unpackLayer(
      await layer([['etc'], ['etc/a', 'one'], ['etc/b', 'two'], ['var/log/c', 'three']], compressed),
      root,
    )
    await unpackLayer(
      await layer(
        [
          ['etc/a', 'new'],
          ['etc/.wh.b', ''],
          ['var/log/.wh..wh..opq', ''],
          ['var/log/d', 'four'],
        ],
        compressed,
      ),
      root,
    )
    expect(text('etc/a')).toBe('new')
    expect(readdirSync(join(root, 'etc'))).toEqual(['a'])
    expect(readdirSync(join(root, 'var/log'))).toEqual(['d'])
  })

  it('keeps links', async () => {
    await unpackLayer(
      await layer([
        ['usr/bin/x', 'program'],
        ['bin', 'symlink', 'usr/bin'],
        ['usr/bin/y', 'link', 'usr/bin/x'],
      ]),
      root,
    )
    expect(readlinkSync(join(root, 'bin'))).toBe('usr/bin')
    expect(text('bin/y')).toBe('program')
  })

  it('writes through links of the image, inside of the image', async () => {
    await unpackLayer(await layer([['run'], ['var/run', 'symlink', '/run'], ['var/run/pid', '1']]), root)
    expect(text('run/pid')).toBe('1')
  })

  it.each<[string, Entry[]]>([
    ['dots', [['../escaped', 'x']]],
    [
      'a link to the outside',
      [
        ['out', 'symlink', '../..'],
        ['out/escaped', 'x'],
      ],
    ],
    [
      'an absolute link',
      [
        ['out', 'symlink', '/tmp/gantry-nowhere'],
        ['out/escaped', 'x'],
      ],
    ],
    ['a hard link', [['mine', 'link', '../secret']]],
  ])('never leaves the root by %s', async (_way, entries) => {
    writeFileSync(join(base, 'secret'), 'secret')
    await unpackLayer(await layer(entries), root).catch(() => {})
    expect(readdirSync(base).sort()).toEqual(['root', 'secret'])
    expect(existsSync('/tmp/gantry-nowhere')).toBe(false)
    expect(existsSync(join(root, 'mine'))).toBe(false)
  })

  it('gives up on links that go round', async () => {
    const entries: Entry[] = [
      ['a', 'symlink', 'b'],
      ['b', 'symlink', 'a'],
      ['a/x', '1'],
    ]
    await expect(unpackLayer(await layer(entries), root)).rejects.toThrow('too many links')
  })
})
