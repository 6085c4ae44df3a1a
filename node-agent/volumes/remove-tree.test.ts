import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { unmountAll } from './mounting.ts'
import { removeTree } from './remove-tree.ts'

let home: string
const isRoot = process.platform === 'linux' && process.getuid?.() === 0

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'remove-'))
})

afterEach(async () => {
  if (isRoot) await unmountAll(home)
  rmSync(home, { recursive: true, force: true })
})

it('removes everything, names that are no text too', async () => {
  const tree = join(home, 'tree')
  mkdirSync(join(tree, 'a', 'b'), { recursive: true })
  writeFileSync(join(tree, 'a', 'file'), '')
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xff, 0xfe])]), '')
  await removeTree(tree)
  expect(readdirSync(home)).toEqual([])
  await removeTree(tree)
  await removeTree(join(home, 'no', 'such'))
})

it('does not follow links', async () => {
  mkdirSync(join(home, 'tree'))
  mkdirSync(join(home, 'other'))
  writeFileSync(join(home, 'other', 'precious'), '')
  symlinkSync('../other', join(home, 'tree', 'link'))
  await removeTree(join(home, 'tree'))
  expect(existsSync(join(home, 'other', 'precious'))).toBe(true)
})

it('removes directories nested deeper than a process may hold open', async () => {
  const tree = join(home, 'tree')
  mkdirSync(tree)
  // Built from the bottom, because a path cannot be that long.
  let inner = join(home, 'inner')
  mkdirSync(inner)
  for (let i = 0; i < 1200; i++) {
    const outer = join(home, `level${i % 2}`)
    mkdirSync(outer)
    renameSync(inner, join(outer, 'd'))
    inner = outer
  }
  renameSync(inner, join(tree, 'd'))
  await removeTree(tree)
  expect(readdirSync(home)).toEqual([])
})

it.runIf(isRoot)('leaves what is mounted below it, of another file system or of the same', async () => {
  const data = join(home, 'data')
  mkdirSync(data)
  writeFileSync(join(data, 'precious'), '')
  for (const [name, args] of [
    ['bound', ['--bind', data]],
    ['tmpfs', ['-t', 'tmpfs', 'tmpfs']],
  ] as const) {
    const tree = join(home, name)
    mkdirSync(join(tree, 'mounted'), { recursive: true })
    execFileSync('mount', [...args, join(tree, 'mounted')])
    writeFileSync(join(tree, 'mounted', 'inside'), '')
    await expect(removeTree(tree)).rejects.toThrow('is a mount point')
    await expect(removeTree(join(tree, 'mounted'))).rejects.toThrow('is a mount point')
    expect(existsSync(join(tree, 'mounted', 'inside'))).toBe(true)
    await unmountAll(tree)
    await removeTree(tree)
  }
  expect(existsSync(join(data, 'precious'))).toBe(true)
})
