import type { Deployment, Job, Pod, ReplicaSet } from '../../api/generated/types.ts'
import { deployments, jobs, pods, replicaSets } from '../../client/resources.ts'
import type { ResourceRef } from '../../client/types.ts'
import type { Done, Stage } from './stage.ts'

interface Scenario {
  name: string
  run(stage: Stage, scale: number): Promise<Done>
}

const writers = 16

/** In this order: the later ones find the objects of the earlier ones there, as they would in a cluster that is used. */
export const scenarios: readonly Scenario[] = [
  { name: '1,000 deployments of 10', run: (stage, scale) => manyDeployments(stage, scaled(1000, scale), 'many') },
  { name: '1,000 more beside them', run: (stage, scale) => manyDeployments(stage, scaled(1000, scale), 'more') },
  { name: 'one replica set from 0 to 10,000', run: (stage, scale) => scaleUp(stage, scaled(10_000, scale)) },
  { name: 'a rollout of 1,000 replicas', run: (stage, scale) => rollOut(stage, scaled(1000, scale)) },
  { name: '5,000 jobs', run: (stage, scale) => manyJobs(stage, scaled(5000, scale)) },
  { name: 'from a deletion to its replacement', run: replacement },
  { name: 'from a failure to its replacement', run: failure },
]

const scaled = (count: number, scale: number) => Math.max(1, Math.round(count * scale))

async function manyDeployments(stage: Stage, count: number, prefix: string): Promise<Done> {
  const namespace = await stage.namespace()
  const startedAt = performance.now()
  await create(stage, deployments, count, (i) => deployment(namespace, `${prefix}-${i}`, 10))
  await stage.until(`${count * 10} pods`, () => stage.count(`${prefix}-`) >= count * 10)
  return { objects: count * 10, unit: 'pods', seconds: since(startedAt) }
}

async function scaleUp(stage: Stage, count: number): Promise<Done> {
  const namespace = await stage.namespace()
  const name = 'wide'
  const { metadata = {}, spec } = deployment(namespace, name, 0)
  if (spec) await stage.api.create<ReplicaSet>(replicaSets, { metadata, spec })
  const startedAt = performance.now()
  await scaleTo(stage, replicaSets, namespace, name, count)
  await stage.until(`${count} pods`, () => stage.count(name) >= count)
  const seconds = since(startedAt)
  const downAt = performance.now()
  await scaleTo(stage, replicaSets, namespace, name, 0)
  await stage.until('no pods', () => stage.count(name) === 0)
  return { objects: count, unit: 'pods', seconds, note: `back to 0 in ${since(downAt).toFixed(1)} s` }
}

async function rollOut(stage: Stage, count: number): Promise<Done> {
  const namespace = await stage.namespace()
  const name = 'rolled'
  await stage.api.create<Deployment>(deployments, deployment(namespace, name, count, '1'))
  await stage.until(`${count} pods`, () => stage.count(name, '1') >= count)
  const startedAt = performance.now()
  const body = { spec: { template: { metadata: { labels: { version: '2' } } } } }
  await stage.api.patch<Deployment>(deployments, { namespace, name }, { type: 'merge', body })
  await stage.until('the rollout', () => stage.count(name, '2') >= count && stage.count(name, '1') === 0)
  return { objects: count, unit: 'pods', seconds: since(startedAt) }
}

async function manyJobs(stage: Stage, count: number): Promise<Done> {
  const namespace = await stage.namespace()
  const startedAt = performance.now()
  await create(stage, jobs, count, (i) => job(namespace, `batch-${i}`))
  for (let complete = 0; complete < count; ) {
    await new Promise((resolve) => setTimeout(resolve, 250))
    if (stage.count('batch-') < count) continue
    const list = await stage.api.list<Job>(jobs, { namespace })
    complete = list.items.filter(({ status }) => (status?.succeeded ?? 0) > 0).length
  }
  return { objects: count, unit: 'jobs', seconds: since(startedAt) }
}

function replacement(stage: Stage): Promise<Done> {
  return replaced(stage, 'replaced', (key) => stage.api.delete(pods, key, { gracePeriodSeconds: 0 }))
}

function failure(stage: Stage): Promise<Done> {
  const status = { phase: 'Failed', reason: 'Evicted', conditions: [{ type: 'Ready', status: 'False' }] }
  return replaced(stage, 'failed', async (key) => {
    await stage.api.patch<Pod>(pods, key, { type: 'merge', body: { status } }, { subresource: 'status' })
  })
}

const rounds = 20

/** How long until another pod is ready, at the median. */
async function replaced(
  stage: Stage,
  name: string,
  harm: (key: { namespace: string; name: string }) => Promise<void>,
): Promise<Done> {
  const namespace = await stage.namespace()
  await stage.api.create<Deployment>(deployments, deployment(namespace, name, 3))
  await stage.until('3 pods', () => stage.count(name) >= 3)
  const took: number[] = []
  const startedAt = performance.now()
  for (let i = 0; i < rounds; i++) {
    const all = await stage.api.list<Pod>(pods, { namespace })
    const victim = all.items.find(({ status }) => status?.phase === 'Running')
    if (!victim) throw new Error('no pod runs')
    const before = stage.readyAt(name)
    const harmedAt = performance.now()
    await harm({ namespace, name: victim.metadata.name })
    await stage.until('another pod', () => stage.readyAt(name) > before)
    took.push(performance.now() - harmedAt)
  }
  const [median = 0, worst = 0] = [took.sort((a, b) => a - b)[rounds / 2], took.at(-1)]
  const note = `median ${median.toFixed(0)} ms, at most ${worst.toFixed(0)} ms`
  return { objects: rounds, unit: 'pods', seconds: since(startedAt), note }
}

async function create<T>(stage: Stage, ref: ResourceRef<T>, count: number, make: (i: number) => T): Promise<void> {
  let next = 0
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (next < count) await stage.api.create(ref, make(next++))
    }),
  )
}

async function scaleTo(stage: Stage, ref: ResourceRef, namespace: string, name: string, replicas: number) {
  await stage.api.patch(ref, { namespace, name }, { type: 'merge', body: { spec: { replicas } } })
}

function deployment(namespace: string, name: string, replicas: number, version = '1'): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name, version } },
        spec: { containers: [{ name: 'main', image: 'registry.example/app:1', resources: small }] },
      },
    },
  }
}

function job(namespace: string, name: string): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { namespace, name },
    spec: {
      template: {
        metadata: { labels: { app: name } },
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'main', image: 'registry.example/app:1', resources: small }],
        },
      },
    },
  }
}

const small = { requests: { cpu: '10m', memory: '16Mi' } }

const since = (startedAt: number) => (performance.now() - startedAt) / 1000
