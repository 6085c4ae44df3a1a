import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { dataDirOf } from './data-dir.ts'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-data-dir-'))
  for (const name of ['here/.gantry', 'there', 'nowhere']) mkdirSync(join(directory, name), { recursive: true })
  for (const name of ['here/.gantry', 'there']) writeFileSync(join(directory, name, 'cluster.json'), '{}')
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true })
})

test.each([
  ['the one that was named', 'here', 'named', 'there', 'named'],
  ['the one that was named, whatever the kubeconfig', 'nowhere', 'named', 'there', 'named'],
  ['that of this directory', 'here', undefined, 'there', '.gantry'],
  ['the one where the kubeconfig lies', 'nowhere', undefined, 'there', 'there'],
  ['the usual one, where the kubeconfig lies in none', 'nowhere', undefined, 'nowhere', '.gantry'],
  ['the usual one, where there is no kubeconfig', 'nowhere', undefined, undefined, '.gantry'],
])('the cluster of this machine is %s', (_, cwd, named, kubeconfig, expected) => {
  vi.spyOn(process, 'cwd').mockReturnValue(join(directory, cwd))
  const env = kubeconfig === undefined ? {} : { KUBECONFIG: join(directory, kubeconfig, 'kubeconfig') }
  expect(dataDirOf(named, env)).toBe(expected === 'there' ? join(directory, 'there') : expected)
})
