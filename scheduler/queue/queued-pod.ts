import type { PodInfo } from '../framework/pod-info.ts'

/** A pod that waits for a node, with its history. */
export interface QueuedPod {
  pod: PodInfo
  /** Milliseconds since 1970: when it was last put into the queue. */
  queuedAt: number
  /** When it was first tried; what its scheduling took is measured from here. */
  firstTriedAt?: number
  attempts: number
  /** How often it was refused; decides its back-off. */
  refusals: number
  /** Failures in a row that were not its own: back-off that spares the API server. */
  errors: number
  /** Not to be tried before, in milliseconds since 1970. */
  backoffUntil: number
  /** Plugins that refused it the last time. */
  rejectors: ReadonlySet<string>
  pending: ReadonlySet<string>
  /** The plugin that keeps it out of the queue. */
  gate?: string | undefined
  /** Its last return to the queue was for the time that had passed, not for an event. */
  flushed: boolean
}

export const newQueuedPod = (pod: PodInfo, now: number): QueuedPod => ({
  pod,
  queuedAt: now,
  attempts: 0,
  refusals: 0,
  errors: 0,
  backoffUntil: 0,
  rejectors: new Set(),
  pending: new Set(),
  flushed: false,
})
