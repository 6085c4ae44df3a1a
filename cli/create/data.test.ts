import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { dataOf } from './data.ts'

const directory = mkdtempSync(join(tmpdir(), 'gantry-data-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text)
  return join(directory, name)
}
const texts = (data: Map<string, Buffer>) =>
  Object.fromEntries(Array.from(data, ([key, bytes]) => [key, bytes.toString()]))

test('literals, files under their own or another name, and all of a directory', () => {
  const path = file('app.conf', 'color=red')
  expect(texts(dataOf({ fromLiteral: ['a=1', 'b="x=y"'] }))).toEqual({ a: '1', b: 'x=y' })
  expect(texts(dataOf({ fromFile: [path, `other=${path}`] }))).toEqual({ 'app.conf': 'color=red', other: 'color=red' })
  expect(texts(dataOf({ fromFile: [directory] }))).toHaveProperty('app.conf', 'color=red')
})

test('a file of variables', () => {
  expect(texts(dataOf({ fromEnvFile: [file('env', '# note\n\n A=1\nB=two words\nC=\n')] }))).toEqual({
    A: '1',
    B: 'two words',
    C: '',
  })
})

test('what is wrong is named', () => {
  expect(() => dataOf({ fromLiteral: ['bare'] })).toThrow('invalid literal source bare, expected key=value')
  expect(() => dataOf({ fromLiteral: ['a=1', 'a=2'] })).toThrow('cannot add key "a"')
  expect(() => dataOf({ fromFile: ['/no/such'] })).toThrow('error reading /no/such')
  expect(() => dataOf({ fromLiteral: ['a=1'], fromEnvFile: ['x'] })).toThrow('cannot be combined')
})
