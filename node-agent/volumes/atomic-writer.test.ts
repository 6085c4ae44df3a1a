import { mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type Payload, writeAtomically } from './atomic-writer.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'volume-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

const files = (content: Record<string, string>): Payload =>
  new Map(Object.entries(content).map(([path, text]) => [path, { data: Buffer.from(text), mode: 0o640 }]))

const read = (path: string) => readFile(join(directory, path), 'utf8')
const visible = async () => (await readdir(directory)).filter((name) => !name.startsWith('..')).sort()

it('shows files through links, with their modes', async () => {
  await writeAtomically(directory, files({ a: '1', 'deep/b': '2' }))
  expect(await visible()).toEqual(['a', 'deep'])
  expect([await read('a'), await read('deep/b')]).toEqual(['1', '2'])
  expect(await readlink(join(directory, 'a'))).toBe('..data/a')
  expect((await stat(join(directory, 'a'))).mode & 0o777).toBe(0o640)
})

it('changes all at one moment, and leaves nothing old behind', async () => {
  await writeAtomically(directory, files({ a: '1', gone: 'x' }))
  const before = await readlink(join(directory, '..data'))
  expect(await writeAtomically(directory, files({ a: '2', 'new/b': '3' }))).toBe(true)
  expect(await visible()).toEqual(['a', 'new'])
  expect(await read('a')).toBe('2')
  expect(await readdir(directory)).not.toContain(before)
})

it('touches nothing when nothing has changed', async () => {
  await writeAtomically(directory, files({ a: '1' }))
  const before = await readlink(join(directory, '..data'))
  expect(await writeAtomically(directory, files({ a: '1' }))).toBe(false)
  expect(await readlink(join(directory, '..data'))).toBe(before)
})
