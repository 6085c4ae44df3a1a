import { expect, test } from 'vitest'
import type { Pod } from '../api/generated/types.ts'
import { quantityMilli } from '../api/machinery/quantity.ts'
import { EventRecorder } from '../client/events.ts'
import { InformerFactory } from '../client/informer.ts'
import { runLeaderElection } from '../client/leader-election.ts'
import { silentLogger } from '../client/logger.ts'
import { nodes, pods } from '../client/resources.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { MemoryApi } from '../client/testing/memory-api.ts'
import type { Live, WatchEvent } from '../client/types.ts'
import { SchedulerMetrics } from './metrics.ts'
import { Scheduler } from './scheduler.ts'
import { node, pod } from './testing/builders.ts'
import { type Faults, FaultyApi, seededRandom } from './testing/faulty-api.ts'

/** Each run takes a second or two; GANTRY_FAULT_RUNS=500 is for a night. */
const runs = Number(process.env.GANTRY_FAULT_RUNS ?? 8)
const nodeCount = 3
const nodeCpus = 4
const capacity = nodeCpus * 1000

/** One process: it stands by, leads when it can, and is gone when it is killed or has lost its lease. */
function startReplica(real: MemoryApi, clock: FakeClock, faults: Faults, identity: string) {
  const process = new FaultyApi(real, clock, faults)
  const { api } = process
  const stop = new AbortController()
  const informers = new InformerFactory(api, { clock })
  const events = new EventRecorder(api, { component: 'default-scheduler' }, { clock })
  const common = { api, informers, clock, log: silentLogger, metrics: new SchedulerMetrics() }
  const scheduler = new Scheduler({ ...common, eventsOf: () => events, random: faults.random, takesOver: true })
  const replica = {
    identity,
    leads: false,
    isGone: false,
    kill,
    retire: () => stop.abort(new Error('told to stop')),
    hang: (ms: number) => process.hang(ms),
  }
  // Whoever is killed while it starts has nothing to tell.
  const synced = informers.start(stop.signal).catch(() => {})
  void runLeaderElection({
    api,
    clock,
    name: 'kube-scheduler',
    namespace: 'kube-system',
    identity,
    signal: stop.signal,
    async onStarted(leading) {
      replica.leads = true
      await synced
      if (!leading.aborted) await scheduler.run(leading)
    },
  })
    .catch(() => {})
    .finally(() => {
      replica.isGone = true
      // Whoever has lost the lease ends.
      kill()
    })
  function kill() {
    process.kill()
    stop.abort(new Error('killed'))
    replica.isGone = true
    replica.leads = false
  }
  return replica
}

/** Follows every change, in order, and tells what must never be. */
async function watchHistory(api: MemoryApi, signal: AbortSignal): Promise<string[]> {
  const faults: string[] = []
  const placed = new Map<string, { node: string; milliCpu: number }>()
  const milliCpu = ({ spec }: Live<Pod>) => quantityMilli(spec?.containers[0]?.resources?.requests?.cpu ?? '0')
  let resourceVersion = ''
  const see = (event: WatchEvent<Pod>) => {
    resourceVersion = event.object.metadata.resourceVersion ?? ''
    if (event.type === 'BOOKMARK') return
    const { metadata, spec } = event.object
    const uid = metadata.uid ?? ''
    const before = placed.get(uid)
    const on = spec?.nodeName ?? ''
    if (before && before.node !== on) faults.push(`pod ${metadata.name} was on ${before.node}, and then on ${on}`)
    if (event.type === 'DELETED') placed.delete(uid)
    else if (on !== '') placed.set(uid, { node: on, milliCpu: milliCpu(event.object) })
    const taken = [...placed.values()].reduce((sum, each) => (each.node === on ? sum + each.milliCpu : sum), 0)
    if (on.startsWith('node-') && taken > capacity)
      faults.push(`${on} has ${taken}m of ${capacity}m after ${metadata.name}`)
  }
  // Watches end here, this one like all others: it goes on where it was.
  while (!signal.aborted) {
    try {
      for await (const event of api.watch(pods, { resourceVersion, signal })) see(event)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
  return faults
}

async function simulate(seed: number) {
  const random = seededRandom(seed)
  const pick = (below: number) => Math.floor(random() * below)
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const faults: Faults = {
    random,
    requestMs: 800,
    watchMs: 1000,
    lostPercent: 8,
    unansweredPercent: 8,
  }
  const over = new AbortController()
  const history = watchHistory(api, over.signal)
  for (let i = 0; i < nodeCount; i++) await api.create(nodes, node({ name: `node-${i}`, cpu: String(nodeCpus) }))
  // People bind pods by hand here, while the scheduler thinks about them.
  await api.create(nodes, node({ name: 'by-hand', cpu: '1000', unschedulable: true }))
  let made = 0
  let born = 0
  const newPod = () => pod({ name: `pod-${++made}`, cpu: `${500 * (1 + pick(3))}m`, terminationGracePeriodSeconds: 0 })
  const remove = async (all: Live<Pod>[]) => {
    const [some] = all.splice(pick(all.length), 1)
    if (some) await api.delete(pods, { namespace: 'default', name: some.metadata.name })
  }
  const bindByHand = ({ metadata: { name } }: Live<Pod>) =>
    api.post(pods, { namespace: 'default', name }, 'binding', { target: { name: 'by-hand' } })
  const newReplica = () => startReplica(api, clock, faults, `replica-${++born}`)
  let replicas = [newReplica(), newReplica()]
  for (let step = 0; step < 80; step++) {
    await clock.advance(500 + pick(2500))
    const all = api.objects(pods)
    const waiting = all.filter(({ spec }) => !spec?.nodeName)
    const placed = all.filter(({ spec }) => spec?.nodeName?.startsWith('node-'))
    // There are always more than have room: a place that is free is given away at once.
    for (let i = waiting.length; i < 6; i++) await api.create(pods, newPod())
    const one = waiting[pick(waiting.length)]
    // The scheduler may be faster.
    if (one && random() < 0.1) await bindByHand(one).catch(() => {})
    if (random() < 0.08) api.endWatches()
    if (random() < 0.1) replicas[pick(replicas.length)]?.hang(pick(10_000))
    const leader = replicas.find(({ leads }) => leads)
    const isFull = placed.length >= (nodeCount * nodeCpus) / 1.25
    if (isFull && leader && random() < 0.3) {
      // The worst moment: the next leader knows that a place is free, and not that this one has given it away.
      await remove(placed)
      await clock.advance(500 + pick(1500))
      for (const replica of replicas) if (replica !== leader) replica.hang(20_000)
      await clock.advance(1000 + pick(2000))
      if (random() < 0.8) leader.retire()
      else leader.kill()
    } else if (isFull && random() < 0.5) await remove(placed)
    else if (random() < 0.05) replicas[pick(replicas.length)]?.kill()
    replicas = replicas.filter(({ isGone }) => !isGone)
    while (replicas.length < 2) replicas.push(newReplica())
  }
  // All is well again: what can have a place gets one.
  Object.assign(faults, { requestMs: 0, watchMs: 0, lostPercent: 0, unansweredPercent: 0 })
  for (let i = 0; i < 40; i++) await api.create(nodes, node({ name: `node-late-${i}`, cpu: String(nodeCpus) }))
  await clock.advance(60_000)
  for (let i = 0; i < 20; i++) await clock.advance(20_000)
  const left = api.objects(pods).filter(({ spec }) => !spec?.nodeName)
  const bound = api.objects(pods).length - left.length
  over.abort(new Error('the test is over'))
  for (const replica of replicas) replica.kill()
  return { faults: await history, left: left.map(({ metadata }) => metadata.name), bound, born }
}

test.each(Array.from({ length: runs }, (_, i) => i + 1))(
  'with seed %i, two replicas bind no pod twice and fill no node beyond its size, whatever happens to them',
  async (seed) => {
    const { faults, left, bound, born } = await simulate(seed)
    expect(faults).toEqual([])
    expect(left).toEqual([])
    expect(bound).toBeGreaterThan(10)
    expect(born).toBeGreaterThan(2)
  },
  60_000,
)
