import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startEtcd } from '../../test/support/etcd.ts'
import { startServer } from '../../test/support/server.ts'
import { once } from './load.ts'
import { targetOf, usageOf } from './target.ts'

const help = `Starts our API server in a directory of its own, measures its start and its memory at rest, and drives it.

  --store embedded|etcd   default embedded; etcd is started beside it
  --large                 also the list of 50,000 and the 1,000 watchers
  --json                  machine-readable
`

const { values } = parseArgs({
  options: {
    store: { type: 'string', default: 'embedded' },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || !['embedded', 'etcd'].includes(values.store)) {
  process.stdout.write(help)
  process.exit(values.help ? 0 : 2)
}

const quietMs = 3000
const etcd = values.store === 'etcd' ? await startEtcd() : undefined
const server = await startServer({ etcd: etcd?.endpoints ?? [] })
try {
  // The first start makes certificates and the first objects; the others are what a restart takes.
  const firstStartMs = server.startMs
  const restarts: number[] = []
  for (let i = 0; i < 5; i++) {
    await server.restart()
    restarts.push(server.startMs)
  }
  const none = { server: '', token: '', ca: '', cert: '', key: '', pid: '' }
  await once(targetOf({ ...none, kubeconfig: server.kubeconfig }), { method: 'GET', path: '/readyz' })
  await sleep(quietMs)
  const restartMs = restarts.sort((a, b) => a - b)[2] as number
  const atRest = usageOf([server.pid])
  const start = { firstStartMs, restartMs, memoryAtRestMb: atRest.memoryMb, cpuAtRestSeconds: atRest.cpuSeconds }
  if (!values.json) {
    process.stdout.write(
      `${values.store} store: first start ${firstStartMs.toFixed(0)} ms, restart ${restartMs.toFixed(0)} ms (median of 5), at rest ${atRest.memoryMb.toFixed(0)} MB\n`,
    )
  }
  const flags = ['--kubeconfig', server.kubeconfig, '--pid', String(server.pid)]
  if (values.large) flags.push('--large')
  const measured = await drive(values.json ? [...flags, '--json'] : flags)
  await sleep(quietMs)
  const settled = usageOf([server.pid])
  const beside = children().filter((pid) => pid !== server.pid)
  const store = usageOf(beside)
  if (values.json) {
    const load = JSON.parse(measured) as object
    process.stdout.write(`${JSON.stringify({ store: values.store, start, ...load, settled, etcd: store }, null, 2)}\n`)
  } else {
    const etcdText = beside.length > 0 ? `; etcd ${store.memoryMb.toFixed(0)} MB` : ''
    process.stdout.write(`${quietMs / 1000} s later ${settled.memoryMb.toFixed(0)} MB${etcdText}\n`)
  }
} finally {
  await server.stop()
  await etcd?.stop()
}

/** The load generator, in a process of its own. Resolves to what it printed, if that was asked for as JSON. */
function drive(flags: readonly string[]): Promise<string> {
  const main = fileURLToPath(new URL('main.mjs', import.meta.url))
  const child = spawn(process.execPath, [main, ...flags], {
    stdio: ['ignore', values.json ? 'pipe' : 'inherit', 'inherit'],
  })
  let said = ''
  child.stdout?.on('data', (chunk) => {
    said += chunk
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 ? resolve(said) : reject(new Error(`the load generator ended with ${code}`)),
    )
  })
}

function children(): number[] {
  const text = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8')
  return text.split(' ').filter(Boolean).map(Number)
}
