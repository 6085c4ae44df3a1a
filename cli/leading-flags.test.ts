import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { Command } from 'commander'
import { expect, test } from 'vitest'
import { addSharedFlags } from './flags.ts'
import { leadingFlags } from './leading-flags.ts'
import { runIfVerb } from './main.ts'
import { run } from './run.ts'

test.each([
  ['get pods', '', 'get pods'],
  ['-n shop get pods', '-n shop', 'get pods'],
  ['-nshop -s=https://x get', '-nshop -s=https://x', 'get'],
  ['--kubeconfig F --as=anna set-cluster x --server y', '--kubeconfig F --as=anna', 'set-cluster x --server y'],
  ['--insecure-skip-tls-verify view', '--insecure-skip-tls-verify', 'view'],
  ['--help', '', '--help'],
  ['-f web.yaml', '', '-f web.yaml'],
  ['-n', '-n', ''],
])('of "%s" the flags before the verb are "%s"', (line, flags, rest) => {
  const split = leadingFlags(line.split(' '))
  expect([split.flags.join(' '), split.rest.join(' ')]).toEqual([flags, rest])
})

test('every flag that all verbs share may stand before them', () => {
  const command = new Command()
  addSharedFlags(command)
  for (const { long, short, required } of command.options)
    for (const flag of [long, short].filter((name) => name !== undefined)) {
      const before = required ? [flag as string, 'x'] : [flag as string]
      expect(leadingFlags([...before, 'get']), flag).toEqual({ flags: before, rest: ['get'] })
    }
})

test('a verb below another gets the flags that stand between them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-flags-'))
  try {
    const file = join(directory, 'kubeconfig')
    const io = {
      out: () => {},
      err: () => {},
      write: () => undefined,
      stdin: Readable.from([]),
      isTerminal: { stdin: false, stdout: false },
      env: {},
      signal: new AbortController().signal,
    }
    const words = ['--kubeconfig', file, 'set-cluster', 'here', '--server=https://127.0.0.1:6443']
    expect(await run('config', words, io)).toBe(0)
    expect(readFileSync(file, 'utf8')).toContain('name: here')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('what is no verb is for others to run', () => {
  expect(runIfVerb(['-n', 'shop', 'up'])).toBeUndefined()
  expect(runIfVerb(['-n', 'shop'])).toBeUndefined()
})
