// Checks the import directions, after making sure that the check can fail: with a compiler it does not know, the tool
// sees no modules at all and is content.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
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
const check = () =>
  spawnSync(
    'npx',
    ['depcruise', '--config', '.dependency-cruiser.cjs', ...rooms.filter((room) => existsSync(join(root, room)))],
    {
      cwd: root,
      encoding: 'utf8',
    },
  )

const probe = join(root, 'api/import-direction-probe')
mkdirSync(probe, { recursive: true })
try {
  writeFileSync(join(probe, 'probe.ts'), "import '../../apiserver/config.ts'\n")
  const { status, stdout } = check()
  if (status === 0 || !stdout.includes('import-direction-probe')) {
    process.stderr.write(
      'the check of import directions does not see violations: is the typescript package one it knows?\n',
    )
    process.exit(1)
  }
} finally {
  rmSync(probe, { recursive: true, force: true })
}
const { status, stdout, stderr } = check()
process.stdout.write(status === 0 ? `${stdout.trim().split('\n').at(-1)}\n` : stdout + stderr)
process.exit(status ?? 1)
