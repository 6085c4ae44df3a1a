import type { Duplex, Readable, Writable } from 'node:stream'
import type { AuthConfig, ContainerStats, ExecSyncResponse, FilesystemUsage, Image } from '../cri.ts'
import type { ContainerRecord, SandboxRecord } from './records.ts'

/** What makes a runtime of ours the one it is: everything else about the interface is the same for all of them. */
export interface Backend {
  readonly name: string
  readonly version: string
  /** Starts the container. `ended` is to be called once, when it has. Throws an Error that says why it cannot run. */
  start(container: ContainerRecord, sandbox: SandboxRecord, ended: (end: End) => void): Promise<Started>
  /** Takes over a container that was running when the last server went; calls `ended` as above. */
  adopt(container: ContainerRecord, sandbox: SandboxRecord, ended: (end: End) => void): void
  /** Asks a running container to end, and makes it after the time. `ended` tells when it has. */
  stop(container: ContainerRecord, timeoutSeconds: number, signal: string): void
  /** Frees what a container or a sandbox that has ended still takes up. */
  removeContainer(container: ContainerRecord): Promise<void>
  removeSandbox(sandbox: SandboxRecord): Promise<void>
  reopenLog(container: ContainerRecord): Promise<void>
  execSync(container: ContainerRecord, command: readonly string[], timeoutSeconds: number): Promise<ExecSyncResponse>
  /** Runs a command with streams; resolves to its exit code. */
  exec(container: ContainerRecord, command: readonly string[], streams: Streams): Promise<number>
  /** Joins the streams of the container itself; resolves when it has ended or the streams have. */
  attach(container: ContainerRecord, streams: Streams): Promise<void>
  /** A connection to a port of the sandbox. Throws an Error if nothing listens. */
  connect(sandbox: SandboxRecord, port: number): Promise<Duplex>
  stats(container: ContainerRecord): Promise<Omit<ContainerStats, 'attributes'>>
  readonly images: ImageBackend
  /** The next free address for a pod, from the range set last. */
  setPodRange(cidr: string): void
  allocateIp(taken: ReadonlySet<string>): string
  /** Lets go of what is running without ending it. */
  close(): void
}

export interface Started {
  pid?: number
  ticks?: string
}

export interface End {
  exitCode: number
  reason?: string
  message?: string
}

/** The streams of a command, as far as they were asked for. `resize` tells of a terminal's size. */
export interface Streams {
  tty: boolean
  stdin?: Readable
  stdout?: Writable
  stderr?: Writable
  onResize?(resized: (size: { width: number; height: number }) => void): void
  /** The other side has gone. */
  signal: AbortSignal
}

export interface ImageBackend {
  /** Where the files of an image lie; undefined: it has none. */
  directoryOf(id: string): string | undefined
  list(): Image[]
  find(reference: string): Image | undefined
  /** Resolves to the image's id. */
  pull(reference: string, auth: AuthConfig | undefined): Promise<string>
  remove(reference: string): Promise<void>
  usage(): FilesystemUsage[]
}
