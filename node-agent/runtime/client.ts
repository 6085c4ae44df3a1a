import { type CallOptions, Client, credentials, type ServiceDefinition, type ServiceError } from '@grpc/grpc-js'
import { maxTimerMs } from '../../api/machinery/timers.ts'
import { type ContainerEvent, type Cri, CriError, criCodes, type PodSandboxStatusResponse } from './cri.ts'
import { readServices } from './grpc.ts'
import criProto from './proto/cri.proto?raw'

const callTimeoutMs = 2 * 60_000
/** Upstream's agent gives every stop two minutes over the grace period. */
const stopTimeoutMs = 2 * 60_000

const channelOptions = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // A runtime that restarts is on this machine: look again soon.
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
}

/** Connects to a runtime at `unix:///…`. Connecting goes on behind; calls fail with `unavailable` until it has come about. */
export function connectCri(endpoint: string): Cri {
  const services = readServices(criProto)
  const client = new Client(endpoint, credentials.createInsecure(), channelOptions)
  const call = caller(client, {
    ...services('runtime.v1.RuntimeService'),
    ...services('runtime.v1.ImageService'),
  })
  return {
    version: () => call('Version', { version: 'v1' }),
    status: (request = {}) => call('Status', request),
    runtimeConfig: () => call('RuntimeConfig', {}),
    updateRuntimeConfig: (request) => call('UpdateRuntimeConfig', request),

    runPodSandbox: async (request) =>
      (await call<{ podSandboxId: string }>('RunPodSandbox', request, 2 * callTimeoutMs)).podSandboxId,
    stopPodSandbox: (podSandboxId) => call('StopPodSandbox', { podSandboxId }),
    removePodSandbox: (podSandboxId) => call('RemovePodSandbox', { podSandboxId }),
    podSandboxStatus: (podSandboxId, verbose = false) =>
      call<PodSandboxStatusResponse>('PodSandboxStatus', { podSandboxId, verbose }),
    listPodSandbox: async (filter) =>
      (await call<{ items: never[] }>('ListPodSandbox', { filter: withStateValue(filter) })).items,
    updatePodSandboxResources: (request) => call('UpdatePodSandboxResources', request),

    createContainer: async (request) => (await call<{ containerId: string }>('CreateContainer', request)).containerId,
    startContainer: (containerId) => call('StartContainer', { containerId }),
    stopContainer: (containerId, timeout) =>
      call('StopContainer', { containerId, timeout }, stopTimeoutMs + timeout * 1000),
    removeContainer: (containerId) => call('RemoveContainer', { containerId }),
    listContainers: async (filter) =>
      (await call<{ containers: never[] }>('ListContainers', { filter: withStateValue(filter) })).containers,
    containerStatus: (containerId, verbose = false) => call('ContainerStatus', { containerId, verbose }),
    updateContainerResources: (request) => call('UpdateContainerResources', request),
    reopenContainerLog: (containerId) => call('ReopenContainerLog', { containerId }),

    execSync: (containerId, cmd, timeout = 0) =>
      call('ExecSync', { containerId, cmd, timeout }, timeout > 0 ? timeout * 1000 + callTimeoutMs : Infinity),
    exec: async (request) => (await call<{ url: string }>('Exec', request)).url,
    attach: async (request) => (await call<{ url: string }>('Attach', request)).url,
    portForward: async (request) => (await call<{ url: string }>('PortForward', request)).url,

    containerStats: async (containerId) => (await call<{ stats: null }>('ContainerStats', { containerId })).stats,
    listContainerStats: async (filter) => (await call<{ stats: never[] }>('ListContainerStats', { filter })).stats,
    podSandboxStats: async (podSandboxId) => (await call<{ stats: null }>('PodSandboxStats', { podSandboxId })).stats,
    listPodSandboxStats: async () => (await call<{ stats: never[] }>('ListPodSandboxStats', {})).stats,
    getContainerEvents: (signal) => call.stream<ContainerEvent>('GetContainerEvents', {}, signal),

    listImages: async (image) =>
      (await call<{ images: never[] }>('ListImages', image === undefined ? {} : { filter: { image: { image } } }))
        .images,
    imageStatus: (image, verbose = false) => call('ImageStatus', { image, verbose }),
    // A pull is bounded by the runtime's own watch over its progress.
    pullImage: async (request) => (await call<{ imageRef: string }>('PullImage', request, Infinity)).imageRef,
    removeImage: (image) => call('RemoveImage', { image }),
    imageFsInfo: () => call('ImageFsInfo', {}),

    close: () => client.close(),
  }
}

/** Calls of a service by the names of its methods. */
export interface Caller {
  <T>(method: string, request: object, timeoutMs?: number): Promise<T>
  stream<T>(method: string, request: object, signal: AbortSignal): AsyncIterable<T>
}

/** Makes calls over one connection. Refusals are thrown as CriErrors. */
export function caller(client: Client, methods: ServiceDefinition): Caller {
  const methodOf = (name: string) => {
    const method = methods[name]
    if (!method) throw new Error(`the interface has no ${name}`)
    return method
  }
  const call = <T>(name: string, request: object, timeoutMs = callTimeoutMs): Promise<T> => {
    const { path, requestSerialize, responseDeserialize } = methodOf(name)
    // One beyond what a timer can take would be over at once.
    const options: CallOptions = timeoutMs > maxTimerMs ? {} : { deadline: Date.now() + timeoutMs }
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, (error, answer) => {
        if (error) reject(asCriError(name, error))
        else resolve(answer as T)
      })
    })
  }
  async function* stream<T>(name: string, request: object, signal: AbortSignal): AsyncGenerator<T> {
    const { path, requestSerialize, responseDeserialize } = methodOf(name)
    if (signal.aborted) return
    const answers = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request)
    const cancel = () => answers.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      for await (const answer of answers) yield answer as T
    } catch (error) {
      if (!signal.aborted) throw asCriError(name, error as ServiceError)
    } finally {
      signal.removeEventListener('abort', cancel)
      answers.cancel()
    }
  }
  return Object.assign(call, { stream })
}

const asCriError = (method: string, error: ServiceError): CriError =>
  new CriError(method, criCodes[error.code] ?? 'unknown', error.details || error.message)

/** Filters by state go over the wire wrapped, so that "any" can be told from the first state. */
const withStateValue = (filter: { state?: string } | undefined): object | undefined =>
  filter?.state === undefined ? filter : { ...filter, state: { state: filter.state } }
