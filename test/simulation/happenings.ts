import type { Deployment, Pod, PodSpec, Toleration, TopologySpreadConstraint } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { deployments, nodes, podDisruptionBudgets, pods } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { type Cluster, lookEveryMs } from './cluster.ts'
import { hostLabel, type NodeSize, runsForAnnotation, zoneLabel } from './hollow-nodes.ts'

/** How much the tide of short work goes up and down, and how long one takes. */
const tide = 0.9
export const tideSeconds = 150
/** Of all cores, what services ask for, and short work half way between the tides: at high tide there are too few. */
const serviceShare = 0.78
const workShare = 0.12

const sizes: readonly NodeSize[] = [
  { cpu: '4', memory: '16Gi', pods: '12' },
  { cpu: '8', memory: '32Gi', pods: '20' },
  { cpu: '16', memory: '32Gi', pods: '40' },
]
const cores = [0.25, 0.5, 1, 2]
const meanCores = cores.reduce((sum, each) => sum + each) / cores.length
const memories = ['256Mi', '1Gi', '2Gi']

interface App {
  namespace: string
  name: string
  usualReplicas: number
  hasBudget: boolean
}

interface Drain {
  node: string
  until: number
}

/** What people and machines do to a cluster, all of it following from the random numbers. */
export class Happenings {
  readonly #cluster: Cluster
  readonly #random: () => number
  readonly #nodeCount: number
  readonly #apps: App[] = []
  #drains: Drain[] = []
  /** What is to happen at some second. */
  readonly #later = new Map<number, (() => unknown)[]>()
  #second = 0
  #made = 0
  #nodesMade = 0
  /** Of the nodes there were in the beginning, and of what services ask for as a rule. */
  #cores = 0
  #asked = 0
  #version = 1
  readonly counts = { failures: 0, drains: 0, rollouts: 0, refusedEvictions: 0 }

  constructor(cluster: Cluster, random: () => number, nodeCount: number) {
    this.#cluster = cluster
    this.#random = random
    this.#nodeCount = nodeCount
  }

  /** Makes the nodes, and what runs on them in the beginning. */
  async begin(): Promise<void> {
    for (let i = 0; i < this.#nodeCount; i++) {
      await this.#addNode()
      // Whoever follows the history is to keep up with it.
      if (i % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    while (this.#asked < serviceShare * this.#cores) {
      await this.#addApp()
      if (this.#apps.length % 10 === 0) await this.#cluster.pass(lookEveryMs)
    }
  }

  /** One second in the life of the cluster. */
  async second(): Promise<void> {
    const second = ++this.#second
    for (const act of this.#later.get(second) ?? []) await act()
    this.#later.delete(second)
    await this.#work(1 - tide * Math.cos((2 * Math.PI * second) / tideSeconds))
    const often = 0.5 + this.#nodeCount / 1000
    await this.#maybe(often / 3, () => this.#rescale())
    await this.#maybe(often / 8, () => this.#rollOut())
    await this.#maybe(often / 10, () => this.#fail())
    await this.#maybe(often / 10, () => this.#drain())
    await this.#maybe(often / 15, () => this.#somethingUrgent())
    await this.#goOnDraining()
  }

  /** Nothing new comes any more, and all that was broken is whole again. */
  async end(): Promise<void> {
    for (const acts of this.#later.values()) for (const act of acts) await act()
    for (const { node } of this.#drains.splice(0)) this.#cordon(node, false)
  }

  /** Services that have fewer pods than they want, or others. */
  incomplete(): string[] {
    return this.#cluster.api.objects<Deployment>(deployments).flatMap(({ metadata, spec, status }) => {
      const [wanted, updated, ready] = [spec?.replicas, status?.updatedReplicas, status?.readyReplicas]
      if (wanted === updated && wanted === ready && wanted === status?.replicas) return []
      return [`${metadata.name}: ${ready} of ${wanted} are ready, ${updated} are of the newest kind`]
    })
  }

  async #maybe(chance: number, act: () => unknown): Promise<void> {
    for (let left = chance; left > 0; left--) if (this.#random() < left) await act()
  }

  #pick<T>(all: readonly T[]): T {
    return all[Math.floor(this.#random() * all.length)] as T
  }

  #between(least: number, most: number): number {
    return least + this.#random() * (most - least)
  }

  #in(seconds: number, act: () => unknown): void {
    const at = this.#second + Math.ceil(seconds)
    this.#later.set(at, [...(this.#later.get(at) ?? []), act])
  }

  #addNode(): Promise<void> {
    const zone = `zone-${this.#nodesMade % 4}`
    const size = this.#pick(sizes)
    if (this.#second === 0) this.#cores += Number(size.cpu)
    return this.#cluster.nodes.add(`node-${this.#nodesMade++}`, zone, size)
  }

  #spec(cores: number, priority: number, more: Partial<PodSpec> = {}): PodSpec {
    const requests = { cpu: `${cores * 1000}m`, memory: this.#pick(memories) }
    return {
      containers: [{ name: 'main', image: `image:${this.#version}`, resources: { requests } }],
      priority,
      tolerations: patience(30),
      terminationGracePeriodSeconds: 5,
      ...more,
    }
  }

  async #addApp(): Promise<void> {
    const at = this.#apps.length
    const namespace = `team-${at % 50}`
    const name = `app-${at}`
    const spreadOver = [undefined, zoneLabel, hostLabel, undefined][at % 4]
    const app: App = {
      namespace,
      name,
      usualReplicas: Math.round(this.#between(6, 36)),
      hasBudget: at % 3 === 0,
    }
    this.#apps.push(app)
    const each = this.#pick(cores)
    this.#asked += each * app.usualReplicas
    const labels = { app: name }
    if (app.hasBudget) {
      await this.#cluster.api.create(podDisruptionBudgets, {
        metadata: { namespace, name, labels },
        spec: { minAvailable: app.usualReplicas - 1, selector: { matchLabels: labels } },
      })
    }
    const constraint: TopologySpreadConstraint = {
      maxSkew: spreadOver === zoneLabel ? 1 : 2,
      topologyKey: spreadOver ?? '',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: labels },
    }
    const spread = spreadOver ? { topologySpreadConstraints: [constraint] } : {}
    await this.#cluster.api.create<Deployment>(deployments, {
      metadata: { namespace, name },
      spec: {
        replicas: app.usualReplicas,
        revisionHistoryLimit: 1,
        progressDeadlineSeconds: 600,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: this.#spec(each, app.hasBudget ? 500 : 100, spread) },
      },
    })
  }

  /** Short work comes and goes with the tide. */
  #work(height: number): Promise<void> {
    const [least, most] = [20, 100]
    const perSecond = (workShare * this.#cores) / (meanCores * ((least + most) / 2))
    return this.#maybe(perSecond * height, () =>
      this.#addPod(`work-${this.#made % 20}`, this.#between(least, most), this.#spec(this.#pick(cores), 0)),
    )
  }

  /** It may take the places of others. */
  async #somethingUrgent(): Promise<void> {
    for (let i = 0; i < 3; i++) await this.#addPod('urgent', 60, this.#spec(3.5, 1000))
  }

  async #addPod(namespace: string, seconds: number, spec: PodSpec): Promise<void> {
    const name = `pod-${++this.#made}`
    const annotations = { [runsForAnnotation]: String(Math.round(seconds * 1000)) }
    await this.#cluster.api.create<Pod>(pods, { metadata: { namespace, name, annotations }, spec })
    const remove = () => this.#cluster.api.delete(pods, { namespace, name }).catch(unlessGone)
    const look = async () => {
      const pod = await this.#cluster.api.get<Pod>(pods, { namespace, name }).catch(unlessGone)
      if (!pod) return
      if (pod.status?.phase === 'Succeeded') await remove()
      else this.#in(20, look)
    }
    this.#in(seconds + 10, look)
  }

  #change(app: App, change: (deployment: Live<Deployment>) => void): void {
    this.#cluster.api.edit<Deployment>(deployments, app, (deployment) => {
      change(deployment)
      deployment.metadata.generation = (deployment.metadata.generation ?? 0) + 1
    })
  }

  /** What has a budget keeps its size, so that everybody knows what the budget asks for. */
  #rescale(): void {
    const app = this.#pick(this.#apps)
    if (app.hasBudget) return
    this.#change(app, ({ spec }) => {
      spec!.replicas = Math.round(app.usualReplicas * this.#between(0.5, 1.5))
    })
  }

  #rollOut(): void {
    this.counts.rollouts++
    this.#version++
    this.#change(this.#pick(this.#apps), ({ spec }) => {
      spec!.template.spec!.containers[0]!.image = `image:${this.#version}`
    })
  }

  /** Most nodes come back; in place of the others there are new ones. */
  #fail(): void {
    this.counts.failures++
    const node = this.#pick(this.#cluster.nodes.names)
    this.#cluster.nodes.fallSilent(node)
    if (this.#random() < 0.7) this.#in(this.#between(20, 120), () => this.#cluster.nodes.speakAgain(node))
    else {
      this.#in(80, async () => {
        this.#drains = this.#drains.filter((drain) => drain.node !== node)
        await this.#cluster.nodes.remove(node).catch(unlessGone)
        await this.#addNode()
      })
    }
  }

  #drain(): void {
    const node = this.#pick(this.#cluster.nodes.names)
    if (this.#drains.some((drain) => drain.node === node)) return
    this.counts.drains++
    this.#cordon(node, true)
    this.#drains.push({ node, until: this.#second + 60 })
  }

  #cordon(name: string, unschedulable: boolean): void {
    this.#cluster.api.edit(nodes, { name }, (node: Live<{ spec?: { unschedulable?: boolean } }>) => {
      node.spec = { ...node.spec, unschedulable }
    })
  }

  /** Those who drain ask again and again, and give up after a minute. */
  async #goOnDraining(): Promise<void> {
    const left: Drain[] = []
    for (const drain of this.#drains) {
      const there = this.#cluster.judge.on(drain.node)
      for (const { namespace, name } of there) {
        await this.#cluster.api.post(pods, { namespace, name }, 'eviction', {}).catch((error: unknown) => {
          if (error instanceof StatusError && error.code === 429) this.counts.refusedEvictions++
          else unlessGone(error)
        })
      }
      if (there.length > 0 && drain.until > this.#second) left.push(drain)
      else this.#cordon(drain.node, false)
    }
    this.#drains = left
  }
}

/** For how long a pod stays on a node that has fallen silent. */
const patience = (tolerationSeconds: number): Toleration[] =>
  ['not-ready', 'unreachable'].map((name) => ({
    key: `node.kubernetes.io/${name}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds,
  }))

function unlessGone(error: unknown): undefined {
  if (!isNotFound(error) && !isConflict(error)) throw error
}
