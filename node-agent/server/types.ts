import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Pod } from '../../api/generated/types.ts'
import type { Logger } from '../../client/logger.ts'
import type { Live } from '../../client/types.ts'
import type { Relay } from '../csi/relay.ts'
import type { KeptLogs } from '../logs/kept-logs.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Volumes } from '../volumes/manager.ts'

/** Who asks: from a client certificate of the cluster's authority, or from a token. */
export interface User {
  name: string
  groups: readonly string[]
  uid?: string
}

/** What they ask for, in upstream's terms: a verb on a subresource of this node. */
export interface NodeAttributes {
  verb: string
  subresource: string
  path: string
}

/** The pods of this node, as the agent knows them. */
export interface PodView {
  list(): Live<Pod>[]
  find(namespace: string, name: string): Live<Pod> | undefined
  /** The container's id in the runtime, with or without `containerd://` before it; with `previous`, of the one before. */
  containerId(namespace: string, name: string, container: string, options: { previous: boolean }): string | undefined
}

/** What a handler has to work with. */
export interface ServerContext {
  pods: PodView
  runtime: Runtime
  volumes: Pick<Volumes, 'usage' | 'pathOf'>
  log: Logger
  stats: StatsSource
  keptLogs: Pick<KeptLogs, 'list' | 'file'>
  csi?: Relay
  /** Answered at `/configz`. */
  config: object
}

/** Where the numbers come from. */
export interface StatsSource {
  nodeName: string
  /** The agent's own metrics, in Prometheus' text format. */
  metrics(): Promise<string>
  /** When the node came up, in milliseconds since 1970. */
  startMs: number
}

export type Handler = (context: ServerContext, request: Request) => Promise<void>

export interface Request {
  req: IncomingMessage
  res: ServerResponse
  /** The parts of the path after the first. */
  parts: readonly string[]
  query: URLSearchParams
  /** Fires when the other side has gone. */
  signal: AbortSignal
}

/** Refused with a status and a line of text. */
export class HttpError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.status = status
  }
}
