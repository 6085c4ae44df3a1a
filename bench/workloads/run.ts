import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const help = `Starts a cluster in a directory of its own and drives its controllers: API server, scheduler and controller manager
are ours, the nodes are hollow and live in the load generator.

  --scale N               a hundredth to ten times the usual sizes (default 1)
  --only WORD             scenarios whose name contains it
  --store embedded|etcd   default embedded
  --json                  machine-readable
`

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    store: { type: 'string', default: 'embedded' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const root = process.cwd()
const dataDir = mkdtempSync(join(tmpdir(), 'gantry-bench-'))
const gantry = (...args: string[]) => run([join(root, 'bin/gantry'), ...args, '--data-dir', dataDir], 'pipe')
try {
  await gantry('up', '--detach', '--runtime', 'hollow', '--port', '0', '--store', values.store)
  const pid = (name: string) => String(JSON.parse(readFileSync(join(dataDir, 'run', `${name}.json`), 'utf8')).pid)
  const main = fileURLToPath(new URL('main.mjs', import.meta.url))
  const flags = ['--kubeconfig', join(dataDir, 'kubeconfig'), '--scale', values.scale, '--only', values.only]
  for (const name of ['apiserver', 'scheduler', 'controller-manager']) flags.push(`--${name}-pid`, pid(name))
  if (values.json) flags.push('--json')
  await run([main, ...flags], 'inherit')
} finally {
  await gantry('down', '--delete-data')
  rmSync(dataDir, { recursive: true, force: true })
}

function run(command: readonly string[], output: 'pipe' | 'inherit'): Promise<void> {
  const child = spawn(process.execPath, [...command], { stdio: ['ignore', output, 'inherit'] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command.slice(0, 2).join(' ')} ended with ${code}`)),
    )
  })
}
