import type { Logger } from '../../client/logger.ts'
import type { Cri } from './cri.ts'

export type { Cri } from './cri.ts'
export { CriError } from './cri.ts'

/** A container runtime that answers, and how to be told of what happens in it. */
export interface Runtime {
  readonly name: RuntimeKind
  readonly version: string
  /** `unix:///…` */
  readonly endpoint: string
  readonly cri: Cri
  /**
   * What happens, as it happens, until the signal fires. What happened while nobody listened is not told, and after a
   * break in the connection comes one `resync`: list then. Sandboxes' own events carry `sandboxId`, containers'
   * `containerId` (and their sandbox's where the runtime says it).
   */
  events(signal: AbortSignal): AsyncIterable<RuntimeEvent>
  /** The files of an image on this node, kept under the key until it is released; asked again, the same. */
  viewImage(imageId: string, key: string): Promise<ImageView>
  /** One that is not there is released already. */
  releaseView(key: string): Promise<void>
  /** Ends a runtime that was started here, and not what runs in it; the next start takes over. */
  stop(): Promise<void>
}

/** What to mount, or a directory as it lies there. */
export type ImageView = { type: string; source: string; options: readonly string[] } | { directory: string }

export interface RuntimeEvent {
  sandboxId?: string
  containerId?: string
  type: 'started' | 'exited' | 'deleted' | 'resync'
}

export type RuntimeKind = 'containerd' | 'process' | 'hollow'

export interface RuntimeOptions {
  kind: RuntimeKind
  /** Where the runtime keeps what is its own. */
  dataDir: string
  /** The socket of a runtime that already runs, `unix:///…`; absent: one of our own. */
  endpoint?: string
  nodeName: string
  /** Used by containerd only. Absent: a tiny image of our own, made here. */
  sandboxImage?: string
  cniConfDir: string
  cniBinDir: string
  /** The hollow runtime's containers: how long after their start they run, in milliseconds. */
  hollowStartMs?: number
  signal: AbortSignal
  log: Logger
}

/** Starts the runtime, or finds the one that still runs, and resolves when it answers. Throws an Error that says what is missing. */
export async function openRuntime(options: RuntimeOptions): Promise<Runtime> {
  switch (options.kind) {
    case 'containerd':
      return (await import('./containerd/open.ts')).openContainerd(options)
    case 'process':
      return (await import('./process/open.ts')).openProcessRuntime(options)
    case 'hollow':
      return (await import('./hollow/open.ts')).openHollowRuntime(options)
  }
}
