import { randomBytes } from 'node:crypto'
import { EventEmitter, on } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AuthConfig,
  type ContainerConfig,
  type ContainerEvent,
  type ContainerFilter,
  type ContainerStats,
  type ContainerStatus,
  CriError,
  type ImageSpec,
  type PodSandboxConfig,
  type PodSandboxStatus,
} from '../cri.ts'
import type { Backend, End } from './backend.ts'
import { type ContainerRecord, Records, type SandboxRecord } from './records.ts'
import type { StreamServer } from './stream-server.ts'

/** A method of the interface: takes the request as it came, resolves to the answer. */
type Method = (request: never) => Promise<object> | object

/** Hears what a client that lists and watches would hear. */
export type EventListener = AsyncIterable<ContainerEvent>

export interface LocalService {
  methods: Record<string, Method>
  events(signal: AbortSignal): EventListener
  close(): void
}

const nowNs = () => Date.now() * 1e6
const newId = () => randomBytes(32).toString('hex')
const startFailedCode = 128

/** The Container Runtime Interface over a backend: who exists, in what state, and what became of them. */
export function localService(options: { dataDir: string; backend: Backend; streams: StreamServer }): LocalService {
  const { dataDir, backend, streams } = options
  const sandboxes = new Records<SandboxRecord>(join(dataDir, 'sandboxes'))
  const containers = new Records<ContainerRecord>(join(dataDir, 'containers'))
  const bySandbox = new Map<string, Set<string>>()
  const changes = new EventEmitter().setMaxListeners(0)

  const sandboxOf = (method: string, id: string): SandboxRecord => {
    const record = sandboxes.get(id)
    if (!record) throw new CriError(method, 'notFound', `an error occurred when try to find sandbox: not found`)
    return record
  }
  const containerOf = (method: string, id: string): ContainerRecord => {
    const record = containers.get(id)
    if (!record) {
      throw new CriError(
        method,
        'notFound',
        `an error occurred when try to find container ${JSON.stringify(id)}: not found`,
      )
    }
    return record
  }
  const runningOf = (method: string, id: string): ContainerRecord => {
    const record = containerOf(method, id)
    if (record.state !== 'CONTAINER_RUNNING') {
      throw new CriError(method, 'unknown', `container is in ${record.state} state`)
    }
    return record
  }
  const containersOf = (sandboxId: string): ContainerRecord[] =>
    [...(bySandbox.get(sandboxId) ?? [])].map((id) => containers.get(id)!)
  const tell = (
    containerId: string,
    containerEventType: ContainerEvent['containerEventType'],
    sandbox: SandboxRecord | undefined,
  ) => {
    if (changes.listenerCount('event') === 0) return
    const event: ContainerEvent = {
      containerId,
      containerEventType,
      createdAt: nowNs(),
      podSandboxStatus: sandbox ? sandboxStatus(sandbox) : null,
      containersStatuses: sandbox ? containersOf(sandbox.id).map(containerStatus) : [],
    }
    changes.emit('event', event)
  }
  const whenEnded = (record: ContainerRecord) => (end: End) => {
    if (record.state === 'CONTAINER_EXITED') return
    record.state = 'CONTAINER_EXITED'
    record.finishedAt = nowNs()
    record.exitCode = end.exitCode
    record.reason = end.reason ?? (end.exitCode === 0 ? 'Completed' : 'Error')
    record.message = end.message ?? ''
    if (containers.get(record.id)) containers.save(record)
    tell(record.id, 'CONTAINER_STOPPED_EVENT', sandboxes.get(record.sandboxId))
    changes.emit(record.id)
  }
  const endOf = (record: ContainerRecord): Promise<void> =>
    record.state === 'CONTAINER_RUNNING'
      ? new Promise((resolve) => changes.once(record.id, () => resolve()))
      : Promise.resolve()
  const stopContainer = async (record: ContainerRecord, timeoutSeconds: number) => {
    if (record.state !== 'CONTAINER_RUNNING') return
    const ended = endOf(record)
    const { stopSignal } = record.config
    backend.stop(record, timeoutSeconds, !stopSignal || stopSignal === 'RUNTIME_DEFAULT' ? 'SIGTERM' : stopSignal)
    await ended
  }
  const removeContainer = async (record: ContainerRecord) => {
    await stopContainer(record, 0)
    await backend.removeContainer(record)
    containers.delete(record.id)
    bySandbox.get(record.sandboxId)?.delete(record.id)
    tell(record.id, 'CONTAINER_DELETED_EVENT', sandboxes.get(record.sandboxId))
  }
  const stopSandbox = async (record: SandboxRecord) => {
    await Promise.all(containersOf(record.id).map((container) => stopContainer(container, 0)))
    if (record.state === 'SANDBOX_NOTREADY') return
    record.state = 'SANDBOX_NOTREADY'
    sandboxes.save(record)
    tell(record.id, 'CONTAINER_STOPPED_EVENT', record)
  }
  const stats = async (record: ContainerRecord): Promise<ContainerStats> => {
    const { metadata, labels, annotations } = record.config
    return { attributes: { id: record.id, metadata, labels, annotations }, ...(await backend.stats(record)) }
  }
  const isRunning = (record: ContainerRecord) => record.state === 'CONTAINER_RUNNING'

  for (const record of containers.all()) {
    remember(bySandbox, record)
    const sandbox = sandboxes.get(record.sandboxId)
    if (isRunning(record) && sandbox) backend.adopt(record, sandbox, whenEnded(record))
  }

  const methods: Record<string, Method> = {
    Version: () => ({
      version: '0.1.0',
      runtimeName: backend.name,
      runtimeVersion: backend.version,
      runtimeApiVersion: 'v1',
    }),
    Status: () => ({
      status: { conditions: ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true })) },
      runtimeHandlers: [{ name: '', features: {} }],
      features: {},
    }),
    RuntimeConfig: () => ({ linux: { cgroupDriver: 'CGROUPFS' } }),
    UpdateRuntimeConfig: ({
      runtimeConfig,
    }: {
      runtimeConfig: { networkConfig: { podCidr: string } | null } | null
    }) => {
      const cidr = runtimeConfig?.networkConfig?.podCidr
      if (cidr) backend.setPodRange(cidr)
      return {}
    },

    RunPodSandbox: ({ config, runtimeHandler }: { config: PodSandboxConfig; runtimeHandler: string }) => {
      const { name, namespace, uid, attempt } = config.metadata
      for (const other of sandboxes.all()) {
        const taken = other.config.metadata
        if (taken.uid === uid && taken.attempt === attempt && taken.name === name && taken.namespace === namespace) {
          throw new CriError(
            'RunPodSandbox',
            'unknown',
            `failed to reserve sandbox name "${name}_${namespace}_${uid}_${attempt}": it is reserved for "${other.id}"`,
          )
        }
      }
      const taken = new Set([...sandboxes.all()].filter(({ state }) => state === 'SANDBOX_READY').map(({ ip }) => ip))
      const onNode = config.linux?.securityContext?.namespaceOptions?.network === 'NODE'
      const record: SandboxRecord = {
        id: newId(),
        config,
        runtimeHandler,
        state: 'SANDBOX_READY',
        createdAt: nowNs(),
        ip: onNode ? '' : backend.allocateIp(taken),
      }
      if (config.logDirectory) mkdirSync(config.logDirectory, { recursive: true })
      sandboxes.save(record)
      tell(record.id, 'CONTAINER_STARTED_EVENT', record)
      return { podSandboxId: record.id }
    },
    StopPodSandbox: async ({ podSandboxId }: { podSandboxId: string }) => {
      const record = sandboxes.get(podSandboxId)
      if (record) await stopSandbox(record)
      return {}
    },
    RemovePodSandbox: async ({ podSandboxId }: { podSandboxId: string }) => {
      const record = sandboxes.get(podSandboxId)
      if (!record) return {}
      await stopSandbox(record)
      for (const container of containersOf(podSandboxId)) await removeContainer(container)
      await backend.removeSandbox(record)
      sandboxes.delete(podSandboxId)
      bySandbox.delete(podSandboxId)
      tell(podSandboxId, 'CONTAINER_DELETED_EVENT', record)
      return {}
    },
    PodSandboxStatus: ({ podSandboxId }: { podSandboxId: string }) => {
      const record = sandboxOf('PodSandboxStatus', podSandboxId)
      return {
        status: sandboxStatus(record),
        containersStatuses: containersOf(podSandboxId).map(containerStatus),
        timestamp: nowNs(),
      }
    },
    ListPodSandbox: ({ filter }: { filter: WireFilter | null }) => ({
      items: [...sandboxes.all()]
        .filter(
          ({ id, state, config }) =>
            (!filter?.id || id.startsWith(filter.id)) &&
            (!filter?.state || filter.state.state === state) &&
            carries(config.labels, filter?.labelSelector),
        )
        .map(sandboxStatus),
    }),
    UpdatePodSandboxResources: () => ({}),

    CreateContainer: ({ podSandboxId, config }: { podSandboxId: string; config: ContainerConfig }) => {
      const sandbox = sandboxOf('CreateContainer', podSandboxId)
      const image = backend.images.find(config.image.image)
      if (!image) {
        const name = JSON.stringify(config.image.image)
        throw new CriError('CreateContainer', 'notFound', `failed to resolve image ${name}: not found`)
      }
      const { name, attempt } = config.metadata
      const same = containersOf(podSandboxId).find(
        ({ config: { metadata } }) => metadata.name === name && metadata.attempt === attempt,
      )
      if (same) {
        const words = `failed to reserve container name "${name}_${attempt}": it is reserved for "${same.id}"`
        throw new CriError('CreateContainer', 'unknown', words)
      }
      const directory = sandbox.config.logDirectory
      const record: ContainerRecord = {
        id: newId(),
        sandboxId: podSandboxId,
        config,
        imageId: image.id,
        imageRef: image.repoDigests[0] ?? image.id,
        state: 'CONTAINER_CREATED',
        createdAt: nowNs(),
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        reason: '',
        message: '',
        logPath: directory && config.logPath ? join(directory, config.logPath) : '',
      }
      containers.save(record)
      remember(bySandbox, record)
      return { containerId: record.id }
    },
    StartContainer: async ({ containerId }: { containerId: string }) => {
      const record = containerOf('StartContainer', containerId)
      const sandbox = sandboxOf('StartContainer', record.sandboxId)
      if (record.state !== 'CONTAINER_CREATED') {
        throw new CriError('StartContainer', 'unknown', `container ${containerId} is in ${record.state} state`)
      }
      record.startedAt = nowNs()
      try {
        const ended = whenEnded(record)
        const { pid, ticks } = await backend.start(record, sandbox, (end) => {
          // A command may be over before it is known to have begun.
          if (record.state === 'CONTAINER_CREATED') record.state = 'CONTAINER_RUNNING'
          ended(end)
        })
        if (pid !== undefined) record.pid = pid
        if (ticks !== undefined) record.ticks = ticks
      } catch (error) {
        const message = `failed to start containerd task ${JSON.stringify(record.config.metadata.name)}: ${(error as Error).message}`
        record.startedAt = 0
        whenEnded(record)({ exitCode: startFailedCode, reason: 'StartError', message })
        throw new CriError('StartContainer', 'unknown', message)
      }
      if (record.state === 'CONTAINER_CREATED') record.state = 'CONTAINER_RUNNING'
      containers.save(record)
      tell(containerId, 'CONTAINER_STARTED_EVENT', sandbox)
      return {}
    },
    StopContainer: async ({ containerId, timeout }: { containerId: string; timeout: number }) => {
      await stopContainer(containerOf('StopContainer', containerId), timeout)
      return {}
    },
    RemoveContainer: async ({ containerId }: { containerId: string }) => {
      const record = containers.get(containerId)
      if (record) await removeContainer(record)
      return {}
    },
    ListContainers: ({ filter }: { filter: WireFilter | null }) => ({
      containers: [...(filter?.podSandboxId ? containersOf(filter.podSandboxId) : containers.all())]
        .filter(
          ({ id, state, config }) =>
            (!filter?.id || id.startsWith(filter.id)) &&
            (!filter?.state || filter.state.state === state) &&
            carries(config.labels, filter?.labelSelector),
        )
        .map((record) => ({ ...containerStatus(record), podSandboxId: record.sandboxId })),
    }),
    ContainerStatus: ({ containerId, verbose }: { containerId: string; verbose: boolean }) => {
      const record = containerOf('ContainerStatus', containerId)
      const info = verbose ? { info: JSON.stringify({ sandboxID: record.sandboxId, pid: record.pid ?? 0 }) } : {}
      return { status: containerStatus(record), info }
    },
    UpdateContainerResources: ({ containerId, linux }: { containerId: string; linux: object | null }) => {
      const record = containerOf('UpdateContainerResources', containerId)
      const before = record.config.linux
      const resources = { ...before?.resources, ...linux } as never
      record.config.linux = { securityContext: before?.securityContext ?? null, resources }
      containers.save(record)
      return {}
    },
    ReopenContainerLog: async ({ containerId }: { containerId: string }) => {
      await backend.reopenLog(runningOf('ReopenContainerLog', containerId))
      return {}
    },

    ExecSync: async ({ containerId, cmd, timeout }: { containerId: string; cmd: string[]; timeout: number }) =>
      backend.execSync(runningOf('ExecSync', containerId), cmd, timeout),
    Exec: (request: { containerId: string; cmd: string[]; tty: boolean }) => {
      const record = runningOf('Exec', request.containerId)
      return { url: streams.offer({ ...request, kind: 'exec', run: (io) => backend.exec(record, request.cmd, io) }) }
    },
    Attach: (request: { containerId: string; tty: boolean }) => {
      const record = runningOf('Attach', request.containerId)
      const run = async (io: Parameters<Backend['attach']>[1]) => {
        await backend.attach(record, io)
        return 0
      }
      return { url: streams.offer({ ...request, kind: 'attach', run }) }
    },
    PortForward: ({ podSandboxId }: { podSandboxId: string }) => {
      const record = sandboxOf('PortForward', podSandboxId)
      return { url: streams.offer({ kind: 'portforward', connect: (port) => backend.connect(record, port) }) }
    },

    ContainerStats: async ({ containerId }: { containerId: string }) => ({
      stats: await stats(containerOf('ContainerStats', containerId)),
    }),
    ListContainerStats: async ({ filter }: { filter: ContainerFilter | null }) => {
      const wanted = [...(filter?.podSandboxId ? containersOf(filter.podSandboxId) : containers.all())].filter(
        (record) =>
          isRunning(record) &&
          (!filter?.id || record.id.startsWith(filter.id)) &&
          carries(record.config.labels, filter?.labelSelector),
      )
      return { stats: await Promise.all(wanted.map(stats)) }
    },
    PodSandboxStats: async ({ podSandboxId }: { podSandboxId: string }) => {
      const { id, config } = sandboxOf('PodSandboxStats', podSandboxId)
      const own = await Promise.all(containersOf(podSandboxId).filter(isRunning).map(stats))
      const { metadata, labels, annotations } = config
      return { stats: { attributes: { id, metadata, labels, annotations }, linux: { containers: own } } }
    },

    ListImages: ({ filter }: { filter: { image: ImageSpec | null } | null }) => {
      const name = filter?.image?.image
      if (!name) return { images: backend.images.list() }
      const image = backend.images.find(name)
      return { images: image ? [image] : [] }
    },
    ImageStatus: ({ image }: { image: ImageSpec }) => ({ image: backend.images.find(image.image) ?? null }),
    PullImage: async ({ image, auth }: { image: ImageSpec; auth: AuthConfig | null }) => ({
      imageRef: await backend.images.pull(image.image, auth ?? undefined),
    }),
    RemoveImage: async ({ image }: { image: ImageSpec }) => {
      await backend.images.remove(image.image)
      return {}
    },
    ImageFsInfo: () => ({ imageFilesystems: backend.images.usage(), containerFilesystems: [] }),
  }

  return {
    methods,
    async *events(signal) {
      try {
        for await (const [event] of on(changes, 'event', { signal })) yield event as ContainerEvent
      } catch (error) {
        if (!signal.aborted) throw error
      }
    },
    close: () => backend.close(),
  }
}

interface WireFilter {
  id?: string
  podSandboxId?: string
  state?: { state: string } | null
  labelSelector?: Record<string, string>
}

function remember(bySandbox: Map<string, Set<string>>, { id, sandboxId }: ContainerRecord): void {
  const ids = bySandbox.get(sandboxId)
  if (ids) ids.add(id)
  else bySandbox.set(sandboxId, new Set([id]))
}

const carries = (labels: Record<string, string>, selector: Record<string, string> = {}): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value)

function sandboxStatus({ id, config, state, createdAt, runtimeHandler, ip }: SandboxRecord): PodSandboxStatus {
  const { metadata, labels, annotations, linux } = config
  return {
    id,
    metadata,
    state,
    createdAt,
    labels,
    annotations,
    runtimeHandler,
    network: { ip: state === 'SANDBOX_READY' ? ip : '', additionalIps: [] },
    linux: { namespaces: { options: linux?.securityContext?.namespaceOptions ?? null } },
  }
}

function containerStatus(record: ContainerRecord): ContainerStatus {
  const { id, config, state, createdAt, startedAt, finishedAt, exitCode, reason, message } = record
  return {
    id,
    metadata: config.metadata,
    state,
    createdAt,
    startedAt,
    finishedAt,
    exitCode,
    image: config.image,
    imageRef: record.imageRef,
    imageId: record.imageId,
    reason,
    message,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: record.logPath,
    resources: { linux: config.linux?.resources ?? null },
    user: null,
    stopSignal: config.stopSignal,
  }
}
