import { parseDuration } from '../machinery/duration.ts'
import { answered } from './answered.ts'

/** On a pod: for how long its node keeps its logs when it has been deleted. */
export const keepLogsAnnotation = 'gantry.dev/keep-logs'

const shortestMs = 60_000
const longestMs = 7 * 24 * 3_600_000

/** What is wrong with a time that the annotation names; undefined: nothing. */
export function keepLogsFault(text: string): string | undefined {
  return keptMs(text) === undefined ? 'must be a duration from 1m to 168h, such as 2h' : undefined
}

/** For how long the pod's logs are to be kept after it, in milliseconds; 0: not at all. */
export function keepLogsMs(annotations: Readonly<Record<string, string>> | undefined): number {
  return keptMs(annotations?.[keepLogsAnnotation]) ?? 0
}

function keptMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseDuration(text)
  return ms === undefined || ms < shortestMs || ms > longestMs ? undefined : ms
}

/** A deleted pod whose logs a node still has. */
export interface KeptPod {
  namespace: string
  name: string
  uid: string
  labels: Readonly<Record<string, string>>
  owners: readonly { kind: string; name: string }[]
  /** Those that have a log. */
  containers: readonly string[]
  /** RFC 3339: when the pod was made, when it went, and until when its logs are kept. */
  createdAt: string
  deletedAt: string
  until: string
  bytes: number
}

/** The logs of deleted pods: a list of what there is, and the text of one. Answered, never stored. */
export const keptLogs = answered('KeptLog', 'keptlogs', true, ['list', 'get'])
