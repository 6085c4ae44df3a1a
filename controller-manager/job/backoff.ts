import type { Pod } from '../../api/generated/types.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { Live } from '../../client/types.ts'

const firstMs = 10_000
const mostMs = 10 * 60_000

/** When a pod ended, as nearly as it can be known; milliseconds since 1970. */
export function finishedAtMs({ metadata, spec, status }: Live<Pod>): number {
  const sidecars = new Set(
    (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  )
  const statuses = [
    ...(status?.containerStatuses ?? []),
    ...(status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ]
  const ends = statuses.map(({ state }) => parseTime(state?.terminated?.finishedAt ?? ''))
  if (ends.length > 0 && ends.every((end) => end !== undefined)) return Math.max(...(ends as number[]))
  const notReady = status?.conditions?.find(({ type, status: is }) => type === 'Ready' && is === 'False')
  const since = parseTime(notReady?.lastTransitionTime ?? '')
  if (since !== undefined) return since
  const deleted = parseTime(metadata.deletionTimestamp ?? '')
  if (deleted !== undefined) return deleted - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
  return parseTime(metadata.creationTimestamp ?? '') ?? 0
}

/**
 * How long the next pod must wait after failures in a row: 10 seconds after the first, twice as long after each further one, up
 * to ten minutes. Read from the pods, so that a restart of the manager forgets nothing.
 */
export function waitAfterFailuresMs(
  failed: readonly Live<Pod>[],
  succeeded: readonly Live<Pod>[],
  nowMs: number,
): number {
  const lastSuccess = Math.max(Number.NEGATIVE_INFINITY, ...succeeded.map(finishedAtMs))
  const since = failed.map(finishedAtMs).filter((at) => at > lastSuccess)
  return since.length === 0 ? 0 : waitMs(since.length, Math.max(...since), nowMs)
}

/** The same for a known number of failures. */
export function waitMs(failures: number, lastAtMs: number, nowMs: number): number {
  if (failures === 0) return 0
  const delay = Math.min(firstMs * 2 ** Math.min(failures - 1, 30), mostMs)
  return Math.max(0, delay - Math.max(0, nowMs - lastAtMs))
}
