/**
 * How fast the scheduler chooses nodes, without any API server: `node scripts/bench.mjs placement [WORDS OF A TITLE]`. What upstream’s whole
 * scheduler does on two cores, bindings and all: 216 pods/s on 1,000 nodes, 134 pods/s on 5,000.
 */
import { Cache } from '../scheduler/cache/cache.ts'
import { Gangs } from '../scheduler/cache/gangs.ts'
import { CycleState } from '../scheduler/framework/cycle-state.ts'
import { Framework } from '../scheduler/framework/framework.ts'
import { PodInfo } from '../scheduler/framework/pod-info.ts'
import { Placement } from '../scheduler/placement.ts'
import { defaultProfile } from '../scheduler/profile.ts'
import { Nominations } from '../scheduler/queue/nominations.ts'
import { emptyWorld, node, type PodParts, pod } from '../scheduler/testing/builders.ts'
import { trimPod } from '../scheduler/trim.ts'

interface Scenario {
  name: string
  nodes: number
  pods: number
  /** Owned by one replica set, and so spread over hosts and zones. */
  spread: boolean
  parts: PodParts
}

const small = { cpu: '100m', memory: '64Mi', labels: { app: 'web' } }
const term = (topologyKey: string) => ({ topologyKey, labelSelector: { matchLabels: { app: 'web' } } })
const zone = 'topology.kubernetes.io/zone'
const hostname = 'kubernetes.io/hostname'
const scenarios: readonly Scenario[] = [
  ...[500, 1000, 5000, 15_000].map((nodes) => ({
    name: 'single pods',
    nodes,
    pods: 10_000,
    spread: false,
    parts: small,
  })),
  { name: 'single pods', nodes: 5000, pods: 50_000, spread: false, parts: small },
  ...[1000, 5000].map((nodes) => ({ name: 'one replica set', nodes, pods: 10_000, spread: true, parts: small })),
  {
    name: 'required pod affinity by zone',
    nodes: 5000,
    pods: 5000,
    spread: false,
    parts: {
      ...small,
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(zone)] } },
    },
  },
  {
    name: 'required pod anti-affinity by host',
    nodes: 5000,
    pods: 4000,
    spread: false,
    parts: {
      ...small,
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term(hostname)] } },
    },
  },
  {
    name: 'preferred pod affinity by host',
    nodes: 5000,
    pods: 5000,
    spread: false,
    parts: {
      ...small,
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: term(hostname) }],
        },
      },
    },
  },
  {
    name: 'required spread over zones',
    nodes: 5000,
    pods: 5000,
    spread: false,
    parts: {
      ...small,
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: zone,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    },
  },
  {
    name: 'required spread over zones of one pool',
    nodes: 5000,
    pods: 5000,
    spread: false,
    parts: {
      ...small,
      nodeSelector: { pool: 'large' },
      topologySpreadConstraints: [
        {
          maxSkew: 5,
          topologyKey: zone,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    },
  },
  { name: 'pods that fit nowhere', nodes: 5000, pods: 5000, spread: false, parts: { ...small, cpu: '64' } },
]

interface Result {
  perSecond: number
  /** Of processor time for each pod: what a busy machine changes least. */
  cpuMicros: number
  /** Of the whole process: of a row that runs alone, what nodes, pods and decisions take. */
  memoryMb: number
}

async function run({ nodes, pods, spread, parts }: Scenario): Promise<Result> {
  const cache = new Cache({ now: () => 0, sleep: async () => {} })
  const world = emptyWorld({ controllerSelector: () => (spread ? { matchLabels: { app: 'web' } } : undefined) })
  const nominations = new Nominations()
  const framework: Framework = new Framework(
    defaultProfile({
      // Nothing is bound or evicted here.
      api: undefined as never,
      clock: { now: () => 0, sleep: async () => {} },
      stopping: new AbortController().signal,
      evict: async () => {},
      activate: () => {},
      opened: () => {},
      onError: () => {},
      gangs: new Gangs(),
      nominations,
      onAttempt: () => {},
      random: Math.random,
      framework: () => framework,
      cache,
      world,
    }),
    nominations,
  )
  const placement = new Placement(framework, cache)
  for (let i = 0; i < nodes; i++) {
    const labels = { 'topology.kubernetes.io/zone': `zone-${i % 3}`, pool: 'large' }
    cache.setNode(node({ name: `node-${i}`, cpu: '32', memory: '64Gi', labels }))
  }
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true }
  const metadata = spread ? { ownerReferences: [owner] } : {}
  const make = (i: number) => new PodInfo(trimPod(pod({ ...parts, name: `pod-${i}`, metadata })))
  const decide = (info: PodInfo) => {
    const state = new CycleState()
    const placed = placement.place(state, info)
    if ('misfit' in placed) return framework.postFilter(state, info, placed.misfit.diagnosis)
    cache.assume(info.on(placed.nodeName))
    return undefined
  }
  // What a process does first it does slowly.
  for (let i = 0; i < pods / 5; i++) await decide(make(i))
  const infos = Array.from({ length: pods }, (_, i) => make(pods + i))
  const startedAt = performance.now()
  const before = process.cpuUsage()
  for (const info of infos) await decide(info)
  const { user, system } = process.cpuUsage(before)
  return {
    perSecond: pods / ((performance.now() - startedAt) / 1000),
    cpuMicros: (user + system) / pods,
    memoryMb: process.memoryUsage().rss / 2 ** 20,
  }
}

const wanted = process.argv.slice(2)
for (const scenario of scenarios) {
  const { name, nodes, pods } = scenario
  const title = `${name}, ${pods} on ${nodes} nodes`
  if (wanted.length > 0 && !wanted.some((word) => title.includes(word))) continue
  const { perSecond, cpuMicros, memoryMb } = await run(scenario)
  process.stdout.write(
    `${title}: ${Math.round(perSecond)} pods/s, ${Math.round(cpuMicros)} µs of processor time each, ${Math.round(memoryMb)} MB\n`,
  )
}
