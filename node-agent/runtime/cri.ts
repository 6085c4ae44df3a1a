/**
 * The Container Runtime Interface, version 1, as the agent sees it: one promise a call, the published messages with
 * camelCase fields. In answers every field is there (the wire leaves defaults out, the client puts them back) and a message
 * that was not sent is null; in requests any field may be left out. Times are nanoseconds since 1970 as a number: exact
 * to a quarter of a microsecond.
 */
export interface Cri {
  version(): Promise<VersionResponse>
  status(request?: { verbose?: boolean }): Promise<StatusResponse>
  /** Not there in containerd 1.6: throws a CriError with code `unimplemented`. */
  runtimeConfig(): Promise<{ linux: { cgroupDriver: 'SYSTEMD' | 'CGROUPFS' } | null }>
  updateRuntimeConfig(request: { runtimeConfig: { networkConfig: { podCidr: string } } }): Promise<void>

  /** Resolves to the sandbox's id once it is ready. */
  runPodSandbox(request: { config: Given<PodSandboxConfig>; runtimeHandler?: string }): Promise<string>
  stopPodSandbox(podSandboxId: string): Promise<void>
  removePodSandbox(podSandboxId: string): Promise<void>
  podSandboxStatus(podSandboxId: string, verbose?: boolean): Promise<PodSandboxStatusResponse>
  listPodSandbox(filter?: {
    id?: string
    state?: PodSandboxState
    labelSelector?: Record<string, string>
  }): Promise<PodSandbox[]>
  updatePodSandboxResources(request: {
    podSandboxId: string
    overhead?: Given<LinuxContainerResources>
    resources?: Given<LinuxContainerResources>
  }): Promise<void>

  /** Resolves to the container's id. */
  createContainer(request: {
    podSandboxId: string
    config: Given<ContainerConfig>
    sandboxConfig: Given<PodSandboxConfig>
  }): Promise<string>
  startContainer(containerId: string): Promise<void>
  /** Resolves when the container has ended; killed after `timeoutSeconds`. */
  stopContainer(containerId: string, timeoutSeconds: number): Promise<void>
  removeContainer(containerId: string): Promise<void>
  listContainers(filter?: ContainerFilter): Promise<Container[]>
  containerStatus(containerId: string, verbose?: boolean): Promise<ContainerStatusResponse>
  updateContainerResources(request: {
    containerId: string
    linux: Given<LinuxContainerResources>
    annotations?: Record<string, string>
  }): Promise<void>
  reopenContainerLog(containerId: string): Promise<void>

  /** Throws a CriError with code `deadlineExceeded` when the command takes longer than `timeoutSeconds` (0: no limit). */
  execSync(containerId: string, command: readonly string[], timeoutSeconds?: number): Promise<ExecSyncResponse>
  /** These three resolve to the address of a stream: see server/streams. */
  exec(request: StreamRequest & { cmd: readonly string[] }): Promise<string>
  attach(request: StreamRequest): Promise<string>
  portForward(request: { podSandboxId: string; port?: number[] }): Promise<string>

  containerStats(containerId: string): Promise<ContainerStats | null>
  listContainerStats(filter?: {
    id?: string
    podSandboxId?: string
    labelSelector?: Record<string, string>
  }): Promise<ContainerStats[]>
  podSandboxStats(podSandboxId: string): Promise<PodSandboxStats | null>
  listPodSandboxStats(): Promise<PodSandboxStats[]>
  /** Throws a CriError with code `unimplemented` at the first step where the runtime cannot. */
  getContainerEvents(signal: AbortSignal): AsyncIterable<ContainerEvent>

  listImages(image?: string): Promise<Image[]>
  /** Null: there is no such image here. */
  imageStatus(image: Given<ImageSpec>, verbose?: boolean): Promise<ImageStatusResponse>
  /** Resolves to the reference of the image pulled. */
  pullImage(request: {
    image: Given<ImageSpec>
    auth?: Given<AuthConfig>
    sandboxConfig?: Given<PodSandboxConfig>
  }): Promise<string>
  removeImage(image: Given<ImageSpec>): Promise<void>
  imageFsInfo(): Promise<{ imageFilesystems: FilesystemUsage[]; containerFilesystems: FilesystemUsage[] }>

  /** Ends the connection; calls under way are refused. */
  close(): void
}

/** Why a runtime refused. `message` is its own words. */
export class CriError extends Error {
  readonly code: CriCode
  readonly method: string

  constructor(method: string, code: CriCode, message: string) {
    super(message)
    this.name = 'CriError'
    this.code = code
    this.method = method
  }
}

/** The codes of gRPC, in the order of their numbers. */
export const criCodes = [
  'ok',
  'cancelled',
  'unknown',
  'invalidArgument',
  'deadlineExceeded',
  'notFound',
  'alreadyExists',
  'permissionDenied',
  'resourceExhausted',
  'failedPrecondition',
  'aborted',
  'outOfRange',
  'unimplemented',
  'internal',
  'unavailable',
  'dataLoss',
  'unauthenticated',
] as const

export type CriCode = (typeof criCodes)[number]

/** Any field may be left out, at any depth. */
export type Given<T> = T extends readonly (infer Item)[]
  ? readonly Given<Item>[]
  : T extends Uint8Array
    ? T
    : T extends object
      ? { [Name in keyof T]?: Given<Exclude<T[Name], null>> | undefined }
      : T

export interface Value {
  value: number
}

export interface VersionResponse {
  version: string
  runtimeName: string
  runtimeVersion: string
  runtimeApiVersion: string
}

export interface StatusResponse {
  status: { conditions: { type: string; status: boolean; reason: string; message: string }[] } | null
  /** Only with `verbose`; each value is JSON. */
  info: Record<string, string>
  runtimeHandlers: {
    name: string
    features: { recursiveReadOnlyMounts: boolean; userNamespaces: boolean } | null
  }[]
  features: { supplementalGroupsPolicy: boolean; userNamespacesHostNetwork: boolean } | null
}

export interface PodSandboxMetadata {
  name: string
  uid: string
  namespace: string
  attempt: number
}

export type NamespaceMode = 'POD' | 'CONTAINER' | 'NODE' | 'TARGET'

export interface IDMapping {
  hostId: number
  containerId: number
  length: number
}

export interface NamespaceOption {
  network: NamespaceMode
  pid: NamespaceMode
  ipc: NamespaceMode
  targetId: string
  usernsOptions: { mode: NamespaceMode; uids: IDMapping[]; gids: IDMapping[] } | null
}

export interface SecurityProfile {
  profileType: 'RuntimeDefault' | 'Unconfined' | 'Localhost'
  localhostRef: string
}

export interface SELinuxOption {
  user: string
  role: string
  type: string
  level: string
}

export interface LinuxSandboxSecurityContext {
  namespaceOptions: NamespaceOption | null
  selinuxOptions: SELinuxOption | null
  runAsUser: Value | null
  runAsGroup: Value | null
  readonlyRootfs: boolean
  supplementalGroups: number[]
  supplementalGroupsPolicy: 'Merge' | 'Strict'
  privileged: boolean
  seccomp: SecurityProfile | null
  apparmor: SecurityProfile | null
  seccompProfilePath: string
}

export interface PodSandboxConfig {
  metadata: PodSandboxMetadata
  hostname: string
  logDirectory: string
  dnsConfig: { servers: string[]; searches: string[]; options: string[] } | null
  portMappings: { protocol: 'TCP' | 'UDP' | 'SCTP'; containerPort: number; hostPort: number; hostIp: string }[]
  labels: Record<string, string>
  annotations: Record<string, string>
  linux: {
    cgroupParent: string
    securityContext: LinuxSandboxSecurityContext | null
    sysctls: Record<string, string>
    overhead: LinuxContainerResources | null
    resources: LinuxContainerResources | null
  } | null
}

export type PodSandboxState = 'SANDBOX_READY' | 'SANDBOX_NOTREADY'

export interface PodSandbox {
  id: string
  metadata: PodSandboxMetadata
  state: PodSandboxState
  createdAt: number
  labels: Record<string, string>
  annotations: Record<string, string>
  runtimeHandler: string
}

export interface PodSandboxStatus extends PodSandbox {
  network: { ip: string; additionalIps: { ip: string }[] } | null
  linux: { namespaces: { options: NamespaceOption | null } | null } | null
}

export interface PodSandboxStatusResponse {
  status: PodSandboxStatus
  info: Record<string, string>
  /** Empty where the runtime does not say: ask `listContainers` then. */
  containersStatuses: ContainerStatus[]
  timestamp: number
}

export interface ImageSpec {
  image: string
  annotations: Record<string, string>
  userSpecifiedImage: string
  runtimeHandler: string
  imageRef: string
}

export interface LinuxContainerResources {
  cpuPeriod: number
  cpuQuota: number
  cpuShares: number
  memoryLimitInBytes: number
  oomScoreAdj: number
  cpusetCpus: string
  cpusetMems: string
  hugepageLimits: { pageSize: string; limit: number }[]
  unified: Record<string, string>
  memorySwapLimitInBytes: number
}

export interface LinuxContainerSecurityContext {
  capabilities: {
    addCapabilities: string[]
    dropCapabilities: string[]
    addAmbientCapabilities: string[]
  } | null
  privileged: boolean
  namespaceOptions: NamespaceOption | null
  selinuxOptions: SELinuxOption | null
  runAsUser: Value | null
  runAsGroup: Value | null
  runAsUsername: string
  readonlyRootfs: boolean
  supplementalGroups: number[]
  supplementalGroupsPolicy: 'Merge' | 'Strict'
  noNewPrivs: boolean
  maskedPaths: string[]
  readonlyPaths: string[]
  seccomp: SecurityProfile | null
  apparmor: SecurityProfile | null
  apparmorProfile: string
  seccompProfilePath: string
}

export interface Mount {
  containerPath: string
  hostPath: string
  readonly: boolean
  selinuxRelabel: boolean
  propagation: 'PROPAGATION_PRIVATE' | 'PROPAGATION_HOST_TO_CONTAINER' | 'PROPAGATION_BIDIRECTIONAL'
  uidMappings: IDMapping[]
  gidMappings: IDMapping[]
  recursiveReadOnly: boolean
  image: ImageSpec | null
  imageSubPath: string
}

export interface ContainerMetadata {
  name: string
  attempt: number
}

export interface ContainerConfig {
  metadata: ContainerMetadata
  image: ImageSpec
  command: string[]
  args: string[]
  workingDir: string
  envs: { key: string; value: string }[]
  mounts: Mount[]
  devices: { containerPath: string; hostPath: string; permissions: string }[]
  labels: Record<string, string>
  annotations: Record<string, string>
  /** Relative to the sandbox's log directory. */
  logPath: string
  stdin: boolean
  stdinOnce: boolean
  tty: boolean
  linux: { resources: LinuxContainerResources | null; securityContext: LinuxContainerSecurityContext | null } | null
  /** Fully qualified, `vendor.com/class=device`. containerd heeds them from 1.7 on. */
  CDIDevices: { name: string }[]
  /** `RUNTIME_DEFAULT`, or a signal's name. containerd heeds it from 2.2 on. */
  stopSignal: string
}

export type ContainerState = 'CONTAINER_CREATED' | 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' | 'CONTAINER_UNKNOWN'

export interface ContainerFilter {
  id?: string
  state?: ContainerState
  podSandboxId?: string
  labelSelector?: Record<string, string>
}

export interface Container {
  id: string
  podSandboxId: string
  metadata: ContainerMetadata
  image: ImageSpec
  imageRef: string
  state: ContainerState
  createdAt: number
  labels: Record<string, string>
  annotations: Record<string, string>
  imageId: string
}

export interface ContainerStatus {
  id: string
  metadata: ContainerMetadata
  state: ContainerState
  createdAt: number
  /** 0: not yet. */
  startedAt: number
  /** 0: not yet. */
  finishedAt: number
  exitCode: number
  image: ImageSpec
  imageRef: string
  /** `Completed`, `Error`, `OOMKilled`, `StartError` and the like. */
  reason: string
  message: string
  labels: Record<string, string>
  annotations: Record<string, string>
  mounts: Mount[]
  logPath: string
  resources: { linux: LinuxContainerResources | null } | null
  imageId: string
  user: { linux: { uid: number; gid: number; supplementalGroups: number[] } | null } | null
  stopSignal: string
}

export interface ContainerStatusResponse {
  status: ContainerStatus
  /** Only with `verbose`; the values of `info` are JSON: containerd's has `pid`. */
  info: Record<string, string>
}

export interface ExecSyncResponse {
  stdout: Uint8Array
  stderr: Uint8Array
  exitCode: number
}

export interface StreamRequest {
  containerId: string
  tty?: boolean
  stdin?: boolean
  stdout?: boolean
  stderr?: boolean
}

export interface CpuUsage {
  timestamp: number
  usageCoreNanoSeconds: Value | null
  usageNanoCores: Value | null
}

export interface MemoryUsage {
  timestamp: number
  workingSetBytes: Value | null
  availableBytes: Value | null
  usageBytes: Value | null
  rssBytes: Value | null
  pageFaults: Value | null
  majorPageFaults: Value | null
}

export interface FilesystemUsage {
  timestamp: number
  fsId: { mountpoint: string } | null
  usedBytes: Value | null
  inodesUsed: Value | null
}

export interface ContainerStats {
  attributes: {
    id: string
    metadata: ContainerMetadata
    labels: Record<string, string>
    annotations: Record<string, string>
  }
  cpu: CpuUsage | null
  memory: MemoryUsage | null
  writableLayer: FilesystemUsage | null
}

export interface NetworkInterfaceUsage {
  name: string
  rxBytes: Value | null
  rxErrors: Value | null
  txBytes: Value | null
  txErrors: Value | null
}

export interface PodSandboxStats {
  attributes: {
    id: string
    metadata: PodSandboxMetadata
    labels: Record<string, string>
    annotations: Record<string, string>
  }
  linux: {
    cpu: CpuUsage | null
    memory: MemoryUsage | null
    network: {
      timestamp: number
      defaultInterface: NetworkInterfaceUsage | null
      interfaces: NetworkInterfaceUsage[]
    } | null
    process: { timestamp: number; processCount: Value | null } | null
    containers: ContainerStats[]
  } | null
}

export interface ContainerEvent {
  containerId: string
  containerEventType:
    | 'CONTAINER_CREATED_EVENT'
    | 'CONTAINER_STARTED_EVENT'
    | 'CONTAINER_STOPPED_EVENT'
    | 'CONTAINER_DELETED_EVENT'
  createdAt: number
  podSandboxStatus: PodSandboxStatus | null
  containersStatuses: ContainerStatus[]
}

export interface Image {
  id: string
  repoTags: string[]
  repoDigests: string[]
  size: number
  uid: Value | null
  username: string
  spec: ImageSpec | null
  pinned: boolean
}

export interface ImageStatusResponse {
  image: Image | null
  info: Record<string, string>
}

export interface AuthConfig {
  username: string
  password: string
  auth: string
  serverAddress: string
  identityToken: string
  registryToken: string
}
