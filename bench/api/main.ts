import { parseArgs } from 'node:util'
import { type Result, run } from './load.ts'
import { targetOf, usageOf } from './target.ts'
import { type FanOut, fanOut } from './watchers.ts'

const help = `Drives any Kubernetes API server and prints what it does per second.

  --kubeconfig FILE   the server and who asks
  --pid N[,N…]        the server's processes, for their time and memory
  --large             also the list of 50,000 and the 1,000 watchers
  --json              machine-readable
`

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: process.env.KUBECONFIG ?? '' },
    pid: { type: 'string', default: '' },
    large: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help || values.kubeconfig === '') {
  process.stdout.write(help)
  process.exit(values.help ? 0 : 2)
}

const target = targetOf(values.kubeconfig, values.pid === '' ? [] : values.pid.split(',').map(Number))
const collection = '/api/v1/namespaces/default/configmaps'
const padding = 'x'.repeat(750)
const run1 = Date.now().toString(36)
const configMap = (name: string, labels: Record<string, string> = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { bench: run1, ...labels } },
    data: { padding },
  })
const pod = (name: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'bench', bench: run1 } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'registry.example/app:1',
          resources: { requests: { cpu: '10m', memory: '16Mi' } },
          ports: [{ containerPort: 80 }],
        },
      ],
    },
  })

const results: Result[] = []
const fans: FanOut[] = []
const atRest = usageOf(target.pids)
const note = (result: Result) => {
  results.push(result)
  if (!values.json) process.stdout.write(`${line(result)}\n`)
}
if (!values.json)
  process.stdout.write(
    `at rest ${atRest.memoryMb.toFixed(0)} MB\n${'what'.padEnd(34)} ${'per s'.padStart(9)} ${'p50 ms'.padStart(8)} ${'p99 ms'.padStart(8)} ${'errors'.padStart(6)} ${'cpu s'.padStart(6)} ${'MB'.padStart(5)}\n`,
  )

// Both sides compile what they use most.
await run(target, {
  name: 'warm up',
  clients: 8,
  count: 1000,
  make: (i) => ({ method: 'POST', path: collection, body: configMap(`warm-${run1}-${i}`) }),
})
await run(target, {
  name: 'warm up',
  clients: 8,
  count: 1000,
  make: (i) => ({ method: 'DELETE', path: `${collection}/warm-${run1}-${i}` }),
})

note(
  await run(target, {
    name: 'create config map, 1 client',
    clients: 1,
    count: 2000,
    make: (i) => ({ method: 'POST', path: collection, body: configMap(`a-${run1}-${i}`) }),
  }),
)
note(
  await run(target, {
    name: 'create config map, 32 clients',
    clients: 32,
    count: 8000,
    make: (i) => ({
      method: 'POST',
      path: collection,
      body: configMap(`b-${run1}-${i}`, i < 5000 ? { five: 'thousand' } : {}),
    }),
  }),
)
note(
  await run(target, {
    name: 'get, 32 clients',
    clients: 32,
    count: 20_000,
    make: (i) => ({ method: 'GET', path: `${collection}/b-${run1}-${i % 8000}` }),
  }),
)
note(
  await run(target, {
    name: 'merge-patch, 32 clients',
    clients: 32,
    count: 8000,
    make: (i) => ({
      method: 'PATCH',
      path: `${collection}/b-${run1}-${i}`,
      headers: { 'Content-Type': 'application/merge-patch+json' },
      body: '{"data":{"patched":"yes"}}',
    }),
  }),
)
note(
  await run(target, {
    name: 'list 5,000 (label selector)',
    clients: 1,
    count: 20,
    make: () => ({ method: 'GET', path: `${collection}?labelSelector=five%3Dthousand` }),
  }),
)
note(
  await run(target, {
    name: 'list 5,000 (limit)',
    clients: 1,
    count: 20,
    make: () => ({ method: 'GET', path: `${collection}?limit=5000` }),
  }),
)
note(
  await run(target, {
    name: 'create pod, 32 clients',
    clients: 32,
    count: 4000,
    make: (i) => ({ method: 'POST', path: '/api/v1/namespaces/default/pods', body: pod(`p-${run1}-${i}`) }),
  }),
)
note(
  await run(target, {
    name: 'delete pod, 32 clients',
    clients: 32,
    count: 4000,
    make: (i) => ({ method: 'DELETE', path: `/api/v1/namespaces/default/pods/p-${run1}-${i}` }),
  }),
)

const watch = `${collection}?watch=true&resourceVersion=&labelSelector=fan%3D`
for (const watchers of values.large ? [50, 1000] : [50]) {
  const fan = await fanOut(target, `${watch}f${watchers}`, watchers, {
    name: `create under ${watchers} watchers`,
    clients: 16,
    count: watchers > 100 ? 1000 : 4000,
    make: (i) => ({
      method: 'POST',
      path: collection,
      body: configMap(`w${watchers}-${run1}-${i}`, { fan: `f${watchers}` }),
    }),
  })
  fans.push(fan)
  note(fan.writes)
  if (!values.json) {
    process.stdout.write(
      `  ${fan.watchers} watchers: ${fan.delivered} of ${fan.expected} events, ${fan.perSecond.toFixed(0)}/s, ${fan.closedEarly} closed early\n`,
    )
  }
}
if (values.large) {
  note(
    await run(target, {
      name: 'create up to 50,000',
      clients: 32,
      count: 40_000,
      make: (i) => ({ method: 'POST', path: collection, body: configMap(`c-${run1}-${i}`) }),
    }),
  )
  note(
    await run(target, { name: 'list 50,000', clients: 1, count: 5, make: () => ({ method: 'GET', path: collection }) }),
  )
}
note(
  await run(target, {
    name: 'delete, 32 clients',
    clients: 32,
    count: 8000,
    make: (i) => ({ method: 'DELETE', path: `${collection}/b-${run1}-${i}` }),
  }),
)
const after = usageOf(target.pids)
if (values.json) process.stdout.write(`${JSON.stringify({ atRest, results, fans, after }, null, 2)}\n`)
else process.stdout.write(`after: ${after.memoryMb.toFixed(0)} MB, peak ${after.peakMemoryMb.toFixed(0)} MB\n`)

function line(r: Result): string {
  return `${r.name.padEnd(34)} ${r.perSecond.toFixed(0).padStart(9)} ${r.p50Ms.toFixed(2).padStart(8)} ${r.p99Ms.toFixed(2).padStart(8)} ${String(r.errors).padStart(6)} ${r.cpuSeconds.toFixed(1).padStart(6)} ${r.memoryMb.toFixed(0).padStart(5)}`
}
