import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('the operator of docs/testing.md passes its own test', async () => {
  const text = readFileSync(join(root, 'docs/testing.md'), 'utf8')
  const files = [...text.matchAll(/```js\n\/\/ (\S+)\n([\s\S]*?)```/g)]
  expect(files.map(([, name]) => name)).toEqual(['operator.mjs', 'operator.test.mjs'])
  // Below the package: there it is called by its own name.
  mkdirSync(join(root, '.cache'), { recursive: true })
  const directory = mkdtempSync(join(root, '.cache/testing-docs-'))
  try {
    for (const [, name = '', code = ''] of files) writeFileSync(join(directory, name), code)
    const args = ['--test', '--test-reporter=tap', join(directory, 'operator.test.mjs')]
    // A run of node's own must not believe that it is one of ours.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const { stdout } = await promisify(execFile)(process.execPath, args, { env, timeout: 60_000 })
    expect(stdout).toMatch(/# pass 2\n# fail 0/)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
