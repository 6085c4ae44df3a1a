// Checks the import directions, after making sure that the check can fail: with a compiler it does not know, the tool
// sees no modules at all and is content.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const rooms = [
  'api',
  'apiserver',
  'client',
  'cli',
  'cluster',
  'controller-manager',
  'node-agent',
  'scheduler',
  'dashboard',
  'bench',
  'test',
]
const tool = join(root, 'node_modules/.bin/depcruise')
const config = join(root, '.dependency-cruiser.cjs')
const check = (cwd) =>
  spawnSync(tool, ['--config', config, ...rooms.filter((room) => existsSync(join(cwd, room)))], {
    cwd,
    encoding: 'utf8',
  })

requireSight()
const { status, stdout, stderr } = check(root)
process.stdout.write(status === 0 ? `${stdout.trim().split('\n').at(-1)}\n` : stdout + stderr)
process.exit(status ?? 1)

/** Ends the process unless a house of three files, one of which looks where it must not, is found out. */
function requireSight() {
  const house = mkdtempSync(join(tmpdir(), 'gantry-imports-'))
  try {
    copyFileSync(join(root, 'tsconfig.json'), join(house, 'tsconfig.json'))
    for (const room of ['api', 'apiserver', 'client']) mkdirSync(join(house, room))
    writeFileSync(
      join(house, 'api/kind.ts'),
      "import type { Server } from '../apiserver/server.ts'\nexport type Kind = Server\n",
    )
    writeFileSync(join(house, 'apiserver/server.ts'), 'export interface Server { name: string }\n')
    writeFileSync(join(house, 'client/client.ts'), "export type { Kind } from '../api/kind.ts'\n")
    const { status, stdout } = check(house)
    if (status === 0 || !stdout.includes('api/kind.ts → apiserver/server.ts') || stdout.includes('client/client.ts')) {
      process.stderr.write(
        `the check of import directions does not see violations: is the typescript package one it knows?\n${stdout}`,
      )
      process.exit(1)
    }
  } finally {
    rmSync(house, { recursive: true, force: true })
  }
}
