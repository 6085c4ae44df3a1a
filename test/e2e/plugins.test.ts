import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

// Programs on somebody's path, as commands.

const launch = fileURLToPath(new URL('../../bin/launch.cjs', import.meta.url))
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-plugins-'))
  mkdirSync(join(directory, '.gantry'))
  writeFileSync(join(directory, '.gantry/kubeconfig'), '')
})
afterAll(() => rmSync(directory, { recursive: true }))

const program = (name: string, text: string) => {
  const path = join(directory, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${text}\n`)
  chmodSync(path, 0o755)
}
const gantry = (words: string, path = directory) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, PATH: `${path}:/usr/bin:/bin`, KUBECONFIG: '' }
    execFile(process.execPath, [launch, ...words.split(' ')], { env, cwd: directory }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
    )
  })

test('a word that is no command runs a plugin, with the cluster of the directory, and ends as it does', async () => {
  program('kubectl-hello', 'echo "$@ by $KUBECONFIG"; exit 7')
  expect(await gantry('hello world --loud')).toEqual({
    code: 7,
    stdout: `world --loud by ${join(directory, '.gantry/kubeconfig')}\n`,
    stderr: '',
  })
})

test('a command stays what it is', async () => {
  program('kubectl-version', 'echo mine')
  expect((await gantry('version --client')).stdout).not.toContain('mine')
  expect((await gantry('hallo')).stderr).toContain('there is no command "hallo"')
})

test('plugins are listed', async () => {
  program('listed/gantry-one', '')
  program('listed/kubectl-two-three', '')
  const path = join(directory, 'listed')
  const head = 'The following compatible plugins are available:\n\n'
  expect(await gantry('plugin list', path)).toEqual({
    code: 0,
    stdout: `${head}${path}/gantry-one\n${path}/kubectl-two-three\n`,
    stderr: '',
  })
  expect((await gantry('plugin list --name-only', path)).stdout).toBe(`${head}gantry-one\nkubectl-two-three\n`)
  program('listed/kubectl-get', '')
  const warned = await gantry('plugin list', path)
  expect([warned.code, warned.stderr]).toEqual([
    1,
    `  - warning: ${path}/kubectl-get overwrites existing command: "gantry get"\nerror: one plugin warning was found\n`,
  ])
  expect((await gantry('plugin list', join(directory, 'none'))).stderr).toContain(
    'unable to find any plugins in your PATH',
  )
})
