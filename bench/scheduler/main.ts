import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { parseArgs } from 'node:util'
import { request } from '../api/connection.ts'
import { type Load, once, run } from '../api/load.ts'
import { targetOf, usageOf } from '../api/target.ts'
import { large, needs, plainPod, scarce, scarcePerNode, tooMuch, type Workload, workloads } from './workloads.ts'

const help = `Drives any scheduler of any Kubernetes API server, and prints how many pods it places per second, from the first
that is created to the last that is bound. The nodes are objects and nothing else: no controller may call them dead.

  --kubeconfig FILE   the cluster (default $KUBECONFIG)
  --server URL        the server, with --ca FILE and --token TEXT or --cert FILE --key FILE
  --apiserver-pid, --scheduler-pid N
                      processes whose time and memory are told
  --backlog           the scheduler stands still until all pods are created; needs its process
  --nodes N           default 1000
  --pods N            default 3000
  --only WORD         workloads whose name contains it
  --json              machine-readable
`

const text = { type: 'string', default: '' } as const
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: process.env.KUBECONFIG ?? '' },
    server: text,
    token: text,
    ca: text,
    cert: text,
    key: text,
    'apiserver-pid': text,
    'scheduler-pid': text,
    backlog: { type: 'boolean', default: false },
    nodes: { type: 'string', default: '1000' },
    pods: { type: 'string', default: '3000' },
    only: text,
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const [nodes, pods] = [Number(values.nodes), Number(values.pods)]
const scheduler = Number(values['scheduler-pid'])
if (values.help || (values.kubeconfig === '' && values.server === '') || !(nodes > 0 && pods > 0)) {
  process.stdout.write(help)
  process.exit(values.help ? 0 : 2)
}
if (values.backlog && !scheduler) {
  process.stderr.write('--backlog needs --scheduler-pid\n')
  process.exit(2)
}

interface Measured {
  name: string
  pods: number
  seconds: number
  perSecond: number
  /** Processor seconds and megabytes of each process. */
  used: Record<string, { cpuSeconds: number; memoryMb: number }>
}

const longestMs = 300_000
const clients = 16
/** The end of a stream on a connection that stays open. */
const lastChunk = Buffer.from('0\r\n\r\n')
const lastChunkAfter = Buffer.concat([Buffer.from('\n'), lastChunk])
const standing = 1000
const target = targetOf({ ...values, pid: '' })
const processes = { apiserver: Number(values['apiserver-pid']), scheduler }

await load('nodes', nodes, (i) => ({ method: 'POST', path: '/api/v1/nodes', body: JSON.stringify(node(i)) }))
// Servers taint new nodes until somebody has seen that they are ready.
await load('taints', nodes, (i) => ({
  method: 'PATCH',
  path: `/api/v1/nodes/bench-${i}`,
  headers: { 'Content-Type': 'application/merge-patch+json' },
  body: '{"spec":{"taints":null}}',
}))
await standFirst()
await once(target, { method: 'POST', path: '/api/v1/nodes', body: JSON.stringify(largeNode()) })
await once(target, {
  method: 'PATCH',
  path: `/api/v1/nodes/${large}`,
  headers: { 'Content-Type': 'application/merge-patch+json' },
  body: JSON.stringify({ spec: { taints: [{ key: large, effect: 'NoSchedule' }] } }),
})
if (!values.json) process.stdout.write(`${nodes} nodes, sizes of ${pods} pods\n`)
const measured: Measured[] = []
for (const workload of workloads) {
  if (!workload.name.includes(values.only)) continue
  const result = await measure(workload)
  measured.push(result)
  if (!values.json) process.stdout.write(`${lineOf(result)}\n`)
}
if (values.json) process.stdout.write(`${JSON.stringify({ nodes, measured }, null, 2)}\n`)
process.exit(0)

/** Pods that stand in the cluster before anything is measured, as scheduler_perf has them; they warm both processes, too. */
async function standFirst(): Promise<void> {
  const { bound, create } = await makeNamespace()
  await load('standing', standing, create('standing', plainPod))
  await bound.reach(standing)
  bound.stop()
}

async function makeNamespace() {
  const namespace = `bench-${Date.now().toString(36)}`
  await once(target, {
    method: 'POST',
    path: '/api/v1/namespaces',
    body: JSON.stringify({ metadata: { name: namespace } }),
  })
  // Who makes it, where a controller does, may be faster.
  const account = { metadata: { name: 'default', namespace } }
  const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`
  await once(target, { method: 'POST', path: accounts, body: JSON.stringify(account) }, [409])
  const path = `/api/v1/namespaces/${namespace}/pods`
  const create = (prefix: string, object: object) => (i: number) => ({
    method: 'POST',
    path,
    body: JSON.stringify({
      ...object,
      metadata: { ...(object as { metadata: object }).metadata, name: `${prefix}-${i}` },
    }),
  })
  return { path, create, bound: await followBound(path) }
}

async function measure({ name, share, pod, before, churns = false }: Workload): Promise<Measured> {
  const { path, create, bound } = await makeNamespace()
  let boundBefore = 0
  if (before) {
    const count = Math.ceil(before.share < 0 ? -before.share * nodes : before.share * pods)
    await load(name, count, create('before', before.pod))
    boundBefore = before.bound ? count : 0
    await bound.reach(boundBefore)
    // Those that are refused have been looked at.
    if (!before.bound) await sleep(2000)
  }
  const count = Math.ceil(share * pods)
  const use = Object.entries(processes).filter(([, pid]) => pid > 0)
  const usedBefore = new Map(use.map(([process, pid]) => [process, usageOf([pid]).cpuSeconds]))
  let startedAt = performance.now()
  if (values.backlog) process.kill(scheduler, 'SIGSTOP')
  const churn = churns ? startChurn(path) : undefined
  await load(name, count, create('pod', pod))
  if (values.backlog) {
    startedAt = performance.now()
    process.kill(scheduler, 'SIGCONT')
  }
  const lastAt = await bound.reach(boundBefore + count)
  const seconds = (lastAt - startedAt) / 1000
  bound.stop()
  await churn?.stop()
  const used = Object.fromEntries(
    use.map(([process, pid]) => {
      const { cpuSeconds, memoryMb } = usageOf([pid])
      return [process, { cpuSeconds: cpuSeconds - (usedBefore.get(process) ?? 0), memoryMb }]
    }),
  )
  await once(target, { method: 'DELETE', path, body: JSON.stringify({ gracePeriodSeconds: 0 }) })
  await sleep(1000)
  return { name, pods: count, seconds, perSecond: count / seconds, used }
}

async function load(name: string, count: number, make: Load['make']): Promise<void> {
  const { errors } = await run(target, { name, clients, count, make })
  if (errors > 0) throw new Error(`${name}: ${errors} of ${count} requests were refused`)
}

interface Bound {
  /** Resolves to when that many have been bound, as performance.now() tells it. */
  reach(count: number): Promise<number>
  stop(): void
}

/**
 * Counts bound pods by the events of a watch that selects them, without reading more of those than what they are. A server
 * may end a watch that falls behind, as upstream's does: it goes on from the last event.
 */
function followBound(path: string): Promise<Bound> {
  const added = Buffer.from('"type":"ADDED"')
  let count = 0
  let version = '0'
  let isStopped = false
  let socket: TLSSocket | undefined
  let waiting: { count: number; resolve: (atMs: number) => void } | undefined
  const look = () => {
    if (!waiting || count < waiting.count) return
    waiting.resolve(performance.now())
    waiting = undefined
  }
  const reach = (wanted: number) =>
    new Promise<number>((done, late) => {
      const timer = setTimeout(() => late(new Error(`${count} of ${wanted} pods are bound`)), longestMs)
      waiting = {
        count: wanted,
        resolve: (atMs) => {
          clearTimeout(timer)
          done(atMs)
        },
      }
      look()
    })
  return new Promise((resolve, reject) => {
    const open = () => {
      const query = `watch=true&resourceVersion=${version}&fieldSelector=spec.nodeName!%3D`
      const asked = request('GET', `${path}?${query}`, target.host, target.headers)
      const opened = connect(target.tls, () => opened.write(asked))
      socket = opened
      let tail: Buffer = Buffer.alloc(0)
      opened.once('error', reject)
      opened.once('close', () => {
        if (!isStopped) open()
      })
      opened.on('data', (chunk) => {
        const bytes = Buffer.concat([tail, chunk])
        let from = 0
        for (let end = bytes.indexOf('\n'); end >= 0; end = bytes.indexOf('\n', from)) {
          const line = bytes.subarray(from, end)
          from = end + 1
          if (line.includes(added)) count++
          version = /"resourceVersion":"(\d+)"/.exec(line.toString('latin1', 0, 1000))?.[1] ?? version
        }
        tail = bytes.subarray(from)
        if (bytes.equals(lastChunk) || bytes.subarray(-lastChunk.length - 1).equals(lastChunkAfter)) opened.destroy()
        look()
        resolve({
          reach,
          stop() {
            isStopped = true
            socket?.destroy()
          },
        })
      })
    }
    open()
  })
}

function node(i: number): object {
  const capacity = { cpu: '32', memory: '64Gi', pods: '110', [scarce]: String(scarcePerNode) }
  const name = `bench-${i}`
  return {
    metadata: {
      name,
      labels: { 'kubernetes.io/hostname': name, 'topology.kubernetes.io/zone': `zone-${i % 3}` },
    },
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True' }] },
  }
}

/** Makes and removes things that scheduling has nothing to do with, or all to do. */
function startChurn(path: string): { stop(): Promise<void> } {
  let isStopped = false
  const services = path.replace(/pods$/, 'services')
  const [name, port] = ['churn', { port: 80 }]
  const things = [
    { path: '/api/v1/nodes', object: { ...node(0), metadata: { name } } },
    { path: services, object: { metadata: { name }, spec: { selector: { app: name }, ports: [port] } } },
    { path, object: { ...needs(tooMuch, { priority: 0 }), metadata: { name } } },
  ]
  const done = (async () => {
    while (!isStopped) {
      for (const { path: at, object } of things) {
        await once(target, { method: 'POST', path: at, body: JSON.stringify(object) })
      }
      await sleep(1000)
      for (const { path: at } of things) {
        const body = JSON.stringify({ gracePeriodSeconds: 0 })
        await once(target, { method: 'DELETE', path: `${at}/${name}`, body })
      }
    }
  })()
  return {
    async stop() {
      isStopped = true
      await done
    },
  }
}

function largeNode(): object {
  const capacity = { cpu: '100000', memory: '100000Gi', pods: '100000' }
  return {
    metadata: { name: large, labels: { 'kubernetes.io/hostname': large } },
    status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True' }] },
  }
}

function lineOf({ name, pods: count, seconds, perSecond, used }: Measured): string {
  const spent = Object.entries(used).map(
    ([process, { cpuSeconds, memoryMb }]) =>
      `${process} ${((cpuSeconds * 1000) / count).toFixed(2)} ms a pod, ${memoryMb.toFixed(0)} MB`,
  )
  return `${name.padEnd(32)} ${perSecond.toFixed(0).padStart(6)} pods/s  ${String(count).padStart(5)} in ${seconds.toFixed(1)} s  ${spent.join('; ')}`
}
