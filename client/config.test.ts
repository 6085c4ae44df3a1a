import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadConfig } from './config.ts'

let directory: string

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-config-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test.each([
  ['clusters: [', undefined, ' is no kubeconfig: Flow sequence in block collection must be sufficiently indented'],
  ['hello', undefined, ' is no kubeconfig: it is to have clusters, users and contexts'],
  ['apiVersion: v1', undefined, ': no current-context is set. Choose one with --context. It has none'],
  ['contexts: [{name: a}, {name: b}]', 'c', ': there is no context "c". There are: a, b'],
])('of a kubeconfig that says %j it is said which file it is and what to do', (text, context, said) => {
  const kubeconfig = join(directory, 'config')
  writeFileSync(kubeconfig, text)
  expect(() => loadConfig({ kubeconfig, ...(context ? { context } : {}) })).toThrow(`${kubeconfig}${said}`)
})

test('a directory is no kubeconfig', () => {
  expect(() => loadConfig({ kubeconfig: directory })).toThrow(`${directory} is no kubeconfig: EISDIR`)
})
