import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findPlugin, listPlugins } from './find.ts'

let directory: string
let env: NodeJS.ProcessEnv
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-plugins-'))
  const files = {
    first: ['gantry-foo', 'kubectl-get'],
    second: ['kubectl-foo', 'kubectl-foo-bar_baz', 'kubectl-off', 'other'],
  }
  for (const [name, programs] of Object.entries(files)) {
    mkdirSync(join(directory, name))
    for (const program of programs) {
      writeFileSync(join(directory, name, program), '#!/bin/sh\n')
      if (program !== 'kubectl-off') chmodSync(join(directory, name, program), 0o755)
    }
  }
  mkdirSync(join(directory, 'second/kubectl-directory'))
  env = { PATH: ['first', 'second', 'missing'].map((name) => join(directory, name)).join(':') }
})
afterAll(() => rmSync(directory, { recursive: true }))

describe('a plugin', () => {
  test.each([
    ['foo', 'first/gantry-foo', []],
    ['foo a -b', 'first/gantry-foo', ['a', '-b']],
    ['foo bar-baz -x', 'second/kubectl-foo-bar_baz', ['-x']],
    ['foo -x bar-baz', 'first/gantry-foo', ['-x', 'bar-baz']],
    ['get pods', 'first/kubectl-get', ['pods']],
    ['off', undefined, []],
    ['directory', undefined, []],
    ['other', undefined, []],
    ['../first/gantry-foo', undefined, []],
    ['-x foo', undefined, []],
  ])('that %s means is %s', (line, path, args) => {
    expect(findPlugin(line.split(' '), env)).toEqual(path && { path: join(directory, path), args })
  })

  test('is told of with what keeps it from being run', () => {
    const shown = listPlugins(env, ['get', 'apply']).map(({ path, warnings }) => [
      path.slice(directory.length + 1),
      ...warnings.map((warning) => warning.replaceAll(`${directory}/`, '')),
    ])
    expect(shown).toEqual([
      ['first/gantry-foo'],
      ['first/kubectl-get', 'first/kubectl-get overwrites existing command: "gantry get"'],
      ['second/kubectl-foo', 'second/kubectl-foo is overshadowed by a similarly named plugin: first/gantry-foo'],
      ['second/kubectl-foo-bar_baz'],
      ['second/kubectl-off', 'second/kubectl-off identified as a plugin, but it is not executable'],
    ])
  })
})
