import { parseArgs } from 'node:util'
import type { ConfigMap, Namespace, PersistentVolumeClaim, Pod, Secret } from '../../api/generated/types.ts'
import { Client } from '../../client/client.ts'
import { loadConfig } from '../../client/config.ts'
import { configMaps, namespaces, persistentVolumeClaims, pods as podResource, secrets } from '../../client/resources.ts'
import { usageOf } from '../api/target.ts'
import { mountTimes } from './quantiles.ts'

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', default: '' },
    node: { type: 'string', default: '' },
    'agent-pid': { type: 'string', default: '' },
    pods: { type: 'string', default: '100' },
    idle: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
  },
})
const api = new Client(loadConfig({ kubeconfig: values.kubeconfig }))
const count = Number(values.pods)
const idleSeconds = Number(values.idle)
const namespace = 'volumes'
const lookMs = 200
const longestMs = 900_000
const cpu = () => usageOf([Number(values['agent-pid'])]).cpuSeconds
const seconds = (since: number) => (performance.now() - since) / 1000

await api.create<Namespace>(namespaces, { metadata: { name: namespace } })
await api.create<ConfigMap>(configMaps, { metadata: { name: 'settings', namespace }, data: { key: 'value' } })
await api.create<Secret>(secrets, { metadata: { name: 'secret', namespace }, stringData: { key: 'value' } })

const startedAt = performance.now()
const before = cpu()
for (let i = 0; i < count; i++) await Promise.all([addClaim(`data-${i}`), addPod(i)])
await until(async () => (await running()) === count, `${count} pods run`)
const started = { seconds: seconds(startedAt), agentCpuSeconds: cpu() - before }

const idleFrom = cpu()
await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1000))
const idle = {
  agentCpuShare: (cpu() - idleFrom) / idleSeconds,
  agentMb: usageOf([Number(values['agent-pid'])]).memoryMb,
}
const metrics = await textOf(`/api/v1/nodes/${values.node}/proxy/metrics`)

const result = { pods: count, volumes: 4 * count, started, mounts: mountTimes(metrics), idle }
if (values.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
else process.stdout.write(report(result))
api.close()

function addClaim(name: string): Promise<unknown> {
  return api.create<PersistentVolumeClaim>(persistentVolumeClaims, {
    metadata: { name, namespace },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } },
  })
}

function addPod(i: number): Promise<unknown> {
  const names = ['memory', 'settings', 'secret', 'data']
  return api.create<Pod>(podResource, {
    metadata: { name: `pod-${i}`, namespace },
    spec: {
      terminationGracePeriodSeconds: 0,
      automountServiceAccountToken: false,
      containers: [
        {
          name: 'main',
          image: 'localhost/gantry/pause:1',
          imagePullPolicy: 'Never',
          volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
        },
      ],
      volumes: [
        { name: 'memory', emptyDir: { medium: 'Memory' } },
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'secret', secret: { secretName: 'secret' } },
        { name: 'data', persistentVolumeClaim: { claimName: `data-${i}` } },
      ],
    },
  })
}

async function running(): Promise<number> {
  const { items } = await api.list<Pod>(podResource, { namespace })
  return items.filter(({ status }) => status?.phase === 'Running').length
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + longestMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not so after ${longestMs / 1000} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, lookMs))
  }
}

async function textOf(path: string): Promise<string> {
  const chunks: Buffer[] = []
  const answer = await api.raw('GET', path, { headers: { 'accept-encoding': 'identity' } })
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function report({ pods, volumes, started: up, mounts, idle: still }: typeof result): string {
  const ms = (of: number) => (Number.isFinite(of) ? `${of * 1000} ms` : 'more')
  const lines = [
    `${pods} pods with ${volumes} volumes run after ${up.seconds.toFixed(1)} s; the agent took ${((up.agentCpuSeconds * 1000) / pods).toFixed(0)} ms of processor time a pod`,
    ...mounts.map(
      ({ plugin, count: times, p50, p99 }) =>
        `  ${plugin.padEnd(28)} mounted ${String(times).padStart(5)} times, p50 ≤ ${ms(p50)}, p99 ≤ ${ms(p99)}`,
    ),
    `at rest, the agent takes ${(still.agentCpuShare * 100).toFixed(2)} % of a processor and ${still.agentMb.toFixed(0)} MB`,
  ]
  return `${lines.join('\n')}\n`
}
