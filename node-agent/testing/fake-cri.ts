import type { Clock } from '../../client/types.ts'
import type {
  Container,
  ContainerConfig,
  ContainerState,
  ContainerStats,
  ContainerStatus,
  Cri,
  Given,
  LinuxContainerResources,
  PodSandbox,
  PodSandboxConfig,
} from '../runtime/cri.ts'
import { CriError } from '../runtime/cri.ts'

export interface FakeContainer {
  id: string
  podSandboxId: string
  config: Given<ContainerConfig>
  state: ContainerState
  createdAt: number
  startedAt: number
  finishedAt: number
  exitCode: number
  /** As it was changed since it was made. */
  resources?: LinuxContainerResources
}

interface FakeSandbox {
  id: string
  config: Given<PodSandboxConfig>
  ready: boolean
  createdAt: number
  ip: string
}

export interface FakeCriOptions {
  clock: Clock
  /** Asked before each call that changes something: what it throws is the answer, what it resolves after is the delay. */
  fault?(method: string): Promise<void> | void
  /** Whether the fault comes after the work was done: the answer is lost. */
  loses?(method: string): boolean
}

/** A runtime in memory. Containers run until they are stopped or `exit` is called. */
export class FakeCri {
  readonly sandboxes = new Map<string, FakeSandbox>()
  readonly containers = new Map<string, FakeContainer>()
  /** Called with the id of what has started or ended. */
  onEvent: (type: 'started' | 'exited', id: string) => void = () => undefined
  /** Every start there ever was, as `pod/container`. */
  readonly starts: string[] = []
  /** Bytes, by name of the container. */
  readonly memoryInUse = new Map<string, number>()
  readonly #options: FakeCriOptions
  #next = 0

  constructor(options: FakeCriOptions) {
    this.#options = options
  }

  /** As the agent sees it. What is missing throws when it is called. */
  asCri(): Cri {
    return this as unknown as Cri
  }

  exit(id: string, exitCode: number): void {
    const container = this.containers.get(id)
    if (container?.state !== 'CONTAINER_RUNNING') return
    container.state = 'CONTAINER_EXITED'
    container.exitCode = exitCode
    container.finishedAt = this.#now()
    this.onEvent('exited', id)
  }

  running(): FakeContainer[] {
    return [...this.containers.values()].filter(({ state }) => state === 'CONTAINER_RUNNING')
  }

  async runPodSandbox({ config }: { config: Given<PodSandboxConfig> }): Promise<string> {
    return this.#attempt('runPodSandbox', () => {
      const id = `sandbox-${this.#next++}`
      this.sandboxes.set(id, { id, config, ready: true, createdAt: this.#now(), ip: `10.244.0.${this.#next}` })
      return id
    })
  }

  async stopPodSandbox(id: string): Promise<void> {
    await this.#attempt('stopPodSandbox', () => {
      const sandbox = this.sandboxes.get(id)
      if (sandbox) sandbox.ready = false
      for (const container of this.containers.values()) if (container.podSandboxId === id) this.exit(container.id, 137)
    })
  }

  async removePodSandbox(id: string): Promise<void> {
    await this.#attempt('removePodSandbox', () => {
      this.sandboxes.delete(id)
      for (const container of this.containers.values()) {
        if (container.podSandboxId === id) this.containers.delete(container.id)
      }
    })
  }

  async createContainer(request: { podSandboxId: string; config: Given<ContainerConfig> }): Promise<string> {
    return this.#attempt('createContainer', () => {
      if (!this.sandboxes.get(request.podSandboxId)?.ready)
        throw new CriError('createContainer', 'notFound', 'no sandbox')
      const id = `container-${this.#next++}`
      const { podSandboxId, config } = request
      this.containers.set(id, {
        id,
        podSandboxId,
        config,
        state: 'CONTAINER_CREATED',
        createdAt: this.#now() + this.#next,
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
      })
      return id
    })
  }

  async startContainer(id: string): Promise<void> {
    await this.#attempt('startContainer', () => {
      const container = this.#get(id)
      container.state = 'CONTAINER_RUNNING'
      container.startedAt = this.#now()
      const labels = container.config.labels ?? {}
      this.starts.push(`${labels['io.kubernetes.pod.name']}/${labels['io.kubernetes.container.name']}`)
      this.onEvent('started', id)
    })
  }

  async stopContainer(id: string, timeoutSeconds: number): Promise<void> {
    void timeoutSeconds
    await this.#attempt('stopContainer', () => this.exit(id, 143))
  }

  async removeContainer(id: string): Promise<void> {
    await this.#attempt('removeContainer', () => {
      this.containers.delete(id)
    })
  }

  async listPodSandbox(filter: { labelSelector?: Record<string, string> } = {}): Promise<PodSandbox[]> {
    return [...this.sandboxes.values()]
      .filter(({ config }) => matches(config.labels, filter.labelSelector))
      .map((sandbox) => this.#describeSandbox(sandbox))
  }

  async podSandboxStatus(id: string) {
    const sandbox = this.sandboxes.get(id)
    if (!sandbox) throw new CriError('podSandboxStatus', 'notFound', `sandbox ${id} not found`)
    const network = sandbox.config.linux?.securityContext?.namespaceOptions?.network ?? 'POD'
    return {
      status: {
        ...this.#describeSandbox(sandbox),
        network: { ip: sandbox.ip, additionalIps: [] },
        linux: { namespaces: { options: { network } } },
      },
    }
  }

  async listContainers(filter: { labelSelector?: Record<string, string> } = {}): Promise<Container[]> {
    return [...this.containers.values()]
      .filter(({ config }) => matches(config.labels, filter.labelSelector))
      .map((container) => this.#describe(container))
  }

  async containerStatus(id: string): Promise<{ status: ContainerStatus }> {
    const container = this.#get(id)
    const { exitCode, startedAt, finishedAt } = container
    return {
      status: {
        ...this.#describe(container),
        startedAt: startedAt * 1e6,
        finishedAt: finishedAt * 1e6,
        exitCode,
        reason: '',
        message: '',
        mounts: [],
        logPath: '',
        resources: { linux: container.resources ?? resourcesOf(container.config) },
        user: null,
        stopSignal: '',
      },
    }
  }

  async updateContainerResources({ containerId, linux }: Parameters<Cri['updateContainerResources']>[0]) {
    await this.#attempt('updateContainerResources', () => {
      const container = this.#get(containerId)
      container.resources = { ...(container.resources ?? resourcesOf(container.config)), ...linux } as never
    })
  }

  async listContainerStats(): Promise<ContainerStats[]> {
    return [...this.containers.values()].map((container) => {
      const { id, metadata, labels, annotations } = this.#describe(container)
      const bytes = { value: this.memoryInUse.get(metadata.name) ?? 0 }
      const memory = { timestamp: 0, usageBytes: bytes, workingSetBytes: bytes }
      return { attributes: { id, metadata, labels, annotations }, cpu: null, memory, writableLayer: null } as never
    })
  }

  async imageStatus() {
    return { image: null, info: {} }
  }

  async execSync() {
    return { exitCode: 0, stdout: new Uint8Array(), stderr: new Uint8Array() }
  }

  #describeSandbox({ id, config, ready, createdAt }: FakeSandbox): PodSandbox {
    return {
      id,
      metadata: { name: '', uid: '', namespace: '', attempt: 0, ...config.metadata } as PodSandbox['metadata'],
      state: ready ? 'SANDBOX_READY' : 'SANDBOX_NOTREADY',
      createdAt: createdAt * 1e6,
      labels: (config.labels ?? {}) as Record<string, string>,
      annotations: (config.annotations ?? {}) as Record<string, string>,
      runtimeHandler: '',
    }
  }

  #describe({ id, podSandboxId, config, state, createdAt }: FakeContainer): Container {
    const image = { image: 'busybox:1', annotations: {}, userSpecifiedImage: '', runtimeHandler: '', imageRef: '' }
    return {
      id,
      podSandboxId,
      metadata: { name: '', attempt: 0, ...config.metadata } as Container['metadata'],
      image,
      imageRef: 'sha256:1',
      imageId: 'sha256:1',
      state,
      createdAt: createdAt * 1e6,
      labels: (config.labels ?? {}) as Record<string, string>,
      annotations: (config.annotations ?? {}) as Record<string, string>,
    }
  }

  #get(id: string): FakeContainer {
    const container = this.containers.get(id)
    if (!container) throw new CriError('containerStatus', 'notFound', `container ${id} not found`)
    return container
  }

  #now(): number {
    return this.#options.clock.now()
  }

  async #attempt<T>(method: string, work: () => T): Promise<T> {
    if (this.#options.loses?.(method)) {
      work()
      throw new CriError(method, 'unavailable', 'the answer was lost')
    }
    await this.#options.fault?.(method)
    return work()
  }
}

const resourcesOf = ({ linux }: Given<ContainerConfig>): LinuxContainerResources =>
  ({ cpuShares: 0, cpuPeriod: 0, cpuQuota: 0, memoryLimitInBytes: 0, ...linux?.resources }) as LinuxContainerResources

function matches(labels: Given<Record<string, string>> = {}, wanted: Record<string, string> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value)
}
