import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { parseConfig as parseApiServer } from '../../apiserver/config.ts'
import { parseConfig as parseControllerManager } from '../../controller-manager/config.ts'
import { parseNodeAgentConfig } from '../../node-agent/config.ts'

const file = fileURLToPath(new URL('../../docker-compose.yml', import.meta.url))
const composed = parse(readFileSync(file, 'utf8'), { merge: true }) as {
  services: Record<string, { command?: string[]; image: string; build: { target: string } }>
}
const composeTool = [['docker-compose'], ['docker', 'compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0,
)

test.skipIf(!composeTool)('the compose tool finds nothing wrong with the file', () => {
  const [program = '', ...args] = composeTool ?? []
  execFileSync(program, [...args, '-f', file, 'config', '-q'], { stdio: 'pipe' })
})

test('the file has all that a distributed cluster is made of', () => {
  const count = (prefix: string) =>
    Object.keys(composed.services).filter((name) => name.match(`^${prefix}-\\d$`)).length
  expect(['etcd', 'api', 'scheduler', 'controller-manager', 'node'].map(count)).toEqual([3, 2, 2, 2, 2])
  const targets = readFileSync(new URL('../../Dockerfile', import.meta.url), 'utf8').match(/(?<= AS )\S+/g)
  for (const { build } of Object.values(composed.services)) expect(targets).toContain(build.target)
})

test('the components read the flags they are given', () => {
  const parsers: Record<string, (args: string[]) => unknown> = {
    apiserver: parseApiServer,
    'controller-manager': parseControllerManager,
    'node-agent': parseNodeAgentConfig,
  }
  const parsed = Object.values(composed.services).flatMap(({ command: [name = '', ...args] = [] }) => {
    parsers[name]?.(args)
    return parsers[name] ? [name] : []
  })
  expect(parsed).toHaveLength(6)
})
