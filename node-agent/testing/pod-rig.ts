import { setMaxListeners } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Node, Pod } from '../../api/generated/types.ts'
import { Informer } from '../../client/informer.ts'
import { silentLogger } from '../../client/logger.ts'
import { pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { KeptLogs } from '../logs/kept-logs.ts'
import { BackOff } from '../pods/backoff.ts'
import type { PodDeps } from '../pods/deps.ts'
import { PodEvents } from '../pods/pod-events.ts'
import { RuntimeView } from '../pods/runtime-view.ts'
import { StatusWriter } from '../pods/status-writer.ts'
import { asBoundPod } from '../pods/types.ts'
import { PodWorkers } from '../pods/workers.ts'
import type { CheckResult } from '../probes/checks.ts'
import { Probes } from '../probes/manager.ts'
import { FakeCri, type FakeCriOptions } from './fake-cri.ts'

export interface ToldEvent {
  type: string
  reason: string
  message: string
}

/** The pods of one node, in memory: an API, a runtime, time that stands still, and an agent that can be started again. */
export class PodRig {
  readonly clock = new FakeClock()
  readonly api: MemoryApi
  readonly cri: FakeCri
  readonly told: ToldEvent[] = []
  /** What a probe finds; by name of the container. */
  readonly answers = new Map<string, CheckResult['verdict']>()
  /** Why images cannot be had, by name. */
  readonly missingImages = new Set<string>()
  node: Live<Node> = {
    metadata: { name: 'n1' },
    status: { allocatable: { cpu: '8', memory: '8Gi', pods: '110' } },
  }
  directory = ''
  /** What becomes of a pod that has its address, before anything runs in it. */
  podStarts: PodDeps['network']['podStarts'] = async () => undefined
  workers!: PodWorkers
  #abort = new AbortController()

  constructor(options: { faults?: Omit<FakeCriOptions, 'clock'>; apiFault?: () => void } = {}) {
    const { faults, apiFault } = options
    this.api = new MemoryApi({ clock: this.clock, ...(apiFault ? { fault: apiFault } : {}) })
    this.cri = new FakeCri({ clock: this.clock, ...faults })
  }

  /** Starts an agent; an earlier one is stopped first, and its runtime goes on. */
  async startAgent(): Promise<void> {
    await this.stopAgent()
    if (this.directory === '') this.directory = await mkdtemp(join(tmpdir(), 'pods-'))
    this.#abort = new AbortController()
    const { signal } = this.#abort
    setMaxListeners(0, signal)
    const deps = this.#deps()
    const workers = new PodWorkers(deps, () => this.node, signal)
    this.workers = workers
    this.cri.onEvent = (type, id) => {
      const uid = deps.view.ownerOf(id)
      if (uid !== undefined) workers[type === 'started' ? 'started' : 'ended'](uid, id)
    }
    const bound = new Informer<Pod>(this.api, pods, { fieldSelector: 'spec.nodeName=n1', clock: this.clock })
    const set = (object: Live<Pod>): void => {
      const pod = asBoundPod(object)
      if (pod) workers.set(pod)
    }
    bound.on({
      add: set,
      update: (_, after) => set(after),
      delete: ({ metadata }) => workers.remove(metadata.uid ?? ''),
    })
    await bound.start(signal)
    for (const { pod } of (await deps.view.listAll()).values()) await workers.endOrphan(pod)
  }

  async stopAgent(): Promise<void> {
    this.cri.onEvent = () => undefined
    this.#abort.abort(new Error('the agent ends'))
    await Promise.allSettled(this.workers?.list().map(({ done }) => done) ?? [])
  }

  async close(): Promise<void> {
    await this.stopAgent()
    await rm(this.directory, { recursive: true, force: true })
  }

  async create(name: string, spec: Partial<Pod['spec']> & object = {}): Promise<Live<Pod>> {
    const containers = [{ name: 'main', image: 'busybox:1' }]
    return this.api.create<Pod>(pods, {
      metadata: { name, namespace: 'default' },
      spec: { nodeName: 'n1', restartPolicy: 'Always', terminationGracePeriodSeconds: 30, containers, ...spec },
    })
  }

  async get(name: string): Promise<Live<Pod> | undefined> {
    return this.api.get<Pod>(pods, { namespace: 'default', name }).catch(() => undefined)
  }

  delete(name: string): Promise<void> {
    return this.api.delete(pods, { namespace: 'default', name })
  }

  /** Lets time pass, `stepMs` at a time, until it is so. Throws when it is not so within `limitMs`. */
  async until(what: string, holds: () => boolean | Promise<boolean>, limitMs = 600_000, stepMs = 100): Promise<void> {
    for (let passed = 0; passed < limitMs; passed += stepMs) {
      if (await holds()) return
      await this.pass(stepMs)
    }
    throw new Error(`not within ${limitMs} ms: ${what}`)
  }

  /** Waits for work that itself waits for time to pass. */
  async through(work: Promise<unknown>): Promise<void> {
    let over = false
    const end = (): void => {
      over = true
    }
    work.then(end, end)
    while (!over) await this.pass(20)
  }

  /** Lets time pass; files are written in real time, which is given too. */
  async pass(ms: number): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1))
    await this.clock.advance(ms)
  }

  /** What pods get of devices; changed by the test. */
  readonly devices: PodDeps['devices'] = {
    prepare: async () => undefined,
    cdiDevices: () => [],
    release: async () => undefined,
  }

  reasons(): string[] {
    return this.told.map(({ reason }) => reason)
  }

  #deps(): PodDeps {
    const { api, clock } = this
    const cri = this.cri.asCri()
    const events = new PodEvents({ event: (_, type, reason, message) => this.told.push({ type, reason, message }) })
    const objects = {
      configMap: async () => undefined,
      secret: async () => undefined,
      retain: () => undefined,
      release: () => undefined,
    }
    return {
      api,
      clock,
      log: silentLogger,
      cri,
      runtimeName: 'fake',
      view: new RuntimeView(cri, async () => ''),
      devices: this.devices,
      images: {
        ensure: async (_, container) => {
          if (this.missingImages.has(container.image ?? '')) {
            throw Object.assign(new Error('there is no such image'), { reason: 'ErrImagePull' })
          }
          return { imageRef: container.image ?? '', imageId: 'sha256:1' }
        },
        nextTry: () => undefined,
      },
      volumes: {
        prepare: async () => new Map(),
        prepareImage: async () => ({ hostPath: '/', readOnly: true, ownedByPod: false }),
        refresh: () => undefined,
        teardown: async () => undefined,
      },
      objects,
      tokens: { forget: () => undefined },
      probes: new Probes({
        clock,
        check: async (_, { container }) => ({ verdict: this.answers.get(container.name) ?? 'success', output: '' }),
        changed: (uid) => this.workers.wake(uid),
        unhealthy: (pod, slot, reason, message) => events.warning(pod, reason, message, slot),
      }),
      backOff: new BackOff(),
      cgroups: undefined,
      events,
      statuses: new StatusWriter(api, clock, silentLogger),
      keptLogs: new KeptLogs({ directory: join(this.directory, 'kept-logs'), clock, log: silentLogger }),
      network: {
        setHostPorts: async () => undefined,
        podStarts: async (pod, ip) => this.podStarts(pod, ip),
        podEnded: async () => undefined,
      },
      node: {
        nodeName: 'n1',
        hostIps: ['192.0.2.1'],
        dns: { clusterDns: [], clusterDomain: 'cluster.local', host: { servers: [], searches: [], options: [] } },
        logRoot: join(this.directory, 'logs'),
        podsDirectory: join(this.directory, 'pods'),
        mayMount: false,
        recursiveReadOnly: () => false,
        resolvesCdi: () => true,
        seccompRoot: '',
        memoryCapacity: 8 * 2 ** 30,
        facts: (podIps) => ({ podIps, hostIps: ['192.0.2.1'], nodeName: 'n1', allocatable: {} }),
        services: () => [],
        networkFault: () => undefined,
        readHostsFile: async () => '',
      },
    }
  }
}
