import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const help = `Starts a cluster of one node with real containers in a directory of its own, and has it run pods with volumes: an
empty directory in memory, a config map, a secret, and a claim of the class local-path. Needs root and containerd.

  --pods N    how many (default 100)
  --idle N    seconds for which the node is watched when all is there (default 30)
  --json      machine-readable
`

const { values } = parseArgs({
  options: {
    pods: { type: 'string', default: '100' },
    idle: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(help)
  process.exit(0)
}

const root = process.cwd()
const node = hostname().toLowerCase()
const dataDir = mkdtempSync(join(tmpdir(), 'gantry-bench-'))
const gantry = (...args: string[]) => run([join(root, 'bin/gantry'), ...args, '--data-dir', dataDir], 'pipe')
try {
  const room = `--extra-config=node-agent.max-pods=${Number(values.pods) + 10}`
  await gantry('up', '--detach', '--runtime', 'containerd', '--port', '0', room)
  const pid = String(JSON.parse(readFileSync(join(dataDir, 'run', `agent-${node}.json`), 'utf8')).pid)
  const main = fileURLToPath(new URL('main.mjs', import.meta.url))
  const flags = ['--kubeconfig', join(dataDir, 'kubeconfig'), '--node', node, '--agent-pid', pid]
  flags.push('--pods', values.pods, '--idle', values.idle)
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
