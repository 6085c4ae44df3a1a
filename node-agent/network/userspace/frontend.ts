import type { Backend } from '../services/backends.ts'

/** An address that this process answers for a service, and passes on. */
export interface Frontend {
  /** From now on these serve. What is open stays with those it has, unless they are gone and the protocol allows a change. */
  set(backends: readonly Backend[], affinitySeconds: number | undefined): void
  /** Closes the address; open connections end with it. */
  stop(): Promise<void>
}

export interface FrontendOptions {
  ip: string
  port: number
  /** Told once when the address cannot be had; it is tried again until it can. */
  unavailable(error: NodeJS.ErrnoException): void
}

/** How long until an address that somebody else has is tried again: another node's agent may hold it, and end. */
export const retryMs = 1000
