import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import nodeFlags from '../../bin/node-flags.json' with { type: 'json' }
import { startEtcd } from '../../test/support/etcd.ts'
import { startServer } from '../../test/support/server.ts'

const help = `Starts our API server and our scheduler in a directory of their own, and measures how fast pods are placed.

  --nodes N               default 1000
  --pods N                default 3000
  --only WORD             workloads whose name contains it
  --backlog               the scheduler stands still until all pods are created
  --store embedded|etcd   default embedded; etcd is started beside it
  --json                  machine-readable
`

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1000' },
    pods: { type: 'string', default: '3000' },
    only: { type: 'string', default: '' },
    backlog: { type: 'boolean', default: false },
    store: { type: 'string', default: 'embedded' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || !['embedded', 'etcd'].includes(values.store)) {
  process.stdout.write(help)
  process.exit(values.help ? 0 : 2)
}

const etcd = values.store === 'etcd' ? await startEtcd() : undefined
const server = await startServer({ etcd: etcd?.endpoints ?? [] })
const scheduler = spawn(
  process.execPath,
  [
    ...nodeFlags.scheduler,
    fileURLToPath(new URL('../../bin/launch.cjs', import.meta.url)),
    'scheduler',
    `--kubeconfig=${server.kubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
  ],
  { stdio: ['ignore', 'ignore', 'inherit', 'pipe'], env: { ...process.env, GANTRY_READY_FD: '3' } },
)
try {
  await once(scheduler.stdio[3] as NodeJS.ReadableStream, 'data')
  const flags = ['--kubeconfig', server.kubeconfig, '--apiserver-pid', String(server.pid)]
  flags.push('--scheduler-pid', String(scheduler.pid), '--nodes', values.nodes, '--pods', values.pods)
  flags.push('--only', values.only)
  if (values.backlog) flags.push('--backlog')
  if (values.json) flags.push('--json')
  const main = fileURLToPath(new URL('main.mjs', import.meta.url))
  const driver = spawn(process.execPath, [main, ...flags], { stdio: 'inherit' })
  const [code] = await once(driver, 'close')
  process.exitCode = code as number
} finally {
  scheduler.kill('SIGCONT')
  scheduler.kill()
  await server.stop()
  await etcd?.stop()
}
