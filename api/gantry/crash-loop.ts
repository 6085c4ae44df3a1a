import { parseDuration } from '../machinery/duration.ts'

/** On a pod: the longest wait before a container that crashes is started again. */
export const maxBackOffAnnotation = 'gantry.dev/crash-loop-max-backoff'
/** On a pod: the first such wait, which doubles from crash to crash. */
export const initialBackOffAnnotation = 'gantry.dev/crash-loop-initial-backoff'

const shortestMs = 1000
/** A crash is forgotten after ten quiet minutes: longer waits would be quiet themselves. */
const longestMs = 300_000

/** What is wrong with a wait that an annotation names; undefined: nothing. */
export function backOffFault(text: string): string | undefined {
  return backOffMs(text) === undefined ? 'must be a duration from 1s to 5m, such as 30s' : undefined
}

/** The waits that the pod asks for, in milliseconds, where it does. */
export function backOffOfPod(annotations: Readonly<Record<string, string>> | undefined): {
  initialMs?: number
  maxMs?: number
} {
  const initialMs = backOffMs(annotations?.[initialBackOffAnnotation])
  const maxMs = backOffMs(annotations?.[maxBackOffAnnotation])
  return { ...(initialMs === undefined ? {} : { initialMs }), ...(maxMs === undefined ? {} : { maxMs }) }
}

function backOffMs(text: string | undefined): number | undefined {
  const ms = text === undefined ? undefined : parseDuration(text)
  return ms === undefined || ms < shortestMs || ms > longestMs ? undefined : ms
}
