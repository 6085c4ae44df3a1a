import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { runGantry } from '../support/cluster.ts'
import { cliFor } from '../support/kubectl.ts'

// What a kustomization makes, beside kubectl's kustomize: the same objects in the same order. Each directory of kustomize/
// is one case; what it needs lies below it.

const cases = fileURLToPath(new URL('kustomize', import.meta.url))
const { kubectl } = cliFor('/dev/null')
const objectsOf = (text: string): unknown[] => parseAllDocuments(text).map((document) => document.toJS() as unknown)

test.each(readdirSync(cases))('%s', async (name) => {
  const [theirs, ours] = await Promise.all([
    kubectl(['kustomize', join(cases, name)], { codes: [1] }),
    runGantry(['kustomize', join(cases, name)]),
  ])
  expect(ours.code, ours.stderr).toBe(theirs.code)
  expect(theirs.code, theirs.stderr).toBe(name.startsWith('refused-') ? 1 : 0)
  expect(objectsOf(ours.stdout), ours.stderr).toEqual(objectsOf(theirs.stdout))
})

describe('mistakes', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'gantry-kustomize-'))
    cpSync(cases, directory, { recursive: true })
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test.each([
    ['refused-typo', 'unknown field "namePrefx". Did you mean "namePrefix"?'],
    ['refused-outside', '--load-restrictor=LoadRestrictionsNone allows it'],
    ['refused-cycle', 'cycle detected'],
    ['refused-twice', 'may not add resource with an already registered id'],
    ['refused-patch', 'no resource matches strategic merge patch'],
    ['.', 'unable to find one of'],
  ])('%s', async (name, words) => {
    const { code, stderr } = await runGantry(['kustomize', join(directory, name)])
    expect(stderr).toContain(words)
    expect(code).toBe(1)
  })

  test('what is on another machine is not fetched', async () => {
    const { stderr } = await runGantry(['kustomize', 'https://example.test/repo.git//base?ref=v1'])
    expect(stderr).toContain('is on another machine, from where nothing is fetched here')
  })

  test('a file outside is read where that is allowed', async () => {
    const { stdout, code } = await runGantry([
      'kustomize',
      join(directory, 'refused-outside'),
      '--load-restrictor=LoadRestrictionsNone',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('kind: ConfigMap')
  })
})
