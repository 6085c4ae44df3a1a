import type { ObservedContainer } from './observed.ts'
import type { ContainerRole } from './types.ts'

/** Why a container is stopped decides whose grace period counts. */
export type KillReason = 'unknown' | 'liveness' | 'startup' | 'postStart'

export interface KillStep {
  containerId: string
  name: string
  message: string
  reason: KillReason
}

export interface StartStep {
  role: ContainerRole
  index: number
}

export type ProbeVerdict = 'success' | 'failure' | 'unknown'

/** What the probes last said of a container; undefined: nothing yet. */
export interface ProbeVerdicts {
  liveness(containerId: string): ProbeVerdict | undefined
  startup(containerId: string): ProbeVerdict | undefined
}

export const killStep = ({ id, name }: ObservedContainer, message: string, reason: KillReason): KillStep => ({
  containerId: id,
  name,
  message,
  reason,
})
