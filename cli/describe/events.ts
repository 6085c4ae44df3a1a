import type { CoreV1Event } from '../../api/generated/types.ts'
import { age } from '../../api/machinery/print.ts'
import type { Live } from '../../client/types.ts'
import type { ServedKind } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import type { Surroundings } from './describer.ts'
import { indent, type Lines } from './lines.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'

/** The events about an object, the oldest first. */
export async function eventsOf(
  around: Surroundings,
  kind: ServedKind,
  object: NamedObject,
): Promise<Live<CoreV1Event>[]> {
  const { name, namespace = '', annotations, uid = '' } = object.metadata
  const about = (id: string) =>
    around.list<CoreV1Event>('events', {
      namespace: namespace || undefined,
      fieldSelector: [
        `involvedObject.name=${name}`,
        `involvedObject.namespace=${namespace}`,
        // As in kubectl, a pod's events are those with its uid, whatever kind they name.
        ...(kind.kind === 'Pod' ? [] : [`involvedObject.kind=${kind.kind}`]),
        ...(id ? [`involvedObject.uid=${id}`] : []),
      ].join(','),
    })
  // Node agents write a node's name in the place of its uid.
  const ids = kind.kind === 'Node' ? [uid, name] : [annotations?.[mirrorAnnotation] ?? uid]
  const found = (await Promise.all(ids.map(about))).flat()
  return found.sort((a, b) => lastSeen(a) - lastSeen(b))
}

const lastSeen = ({ lastTimestamp }: CoreV1Event): number => (lastTimestamp ? Date.parse(lastTimestamp) : 0)

/** The table of events that ends most descriptions. */
export function eventLines(events: readonly CoreV1Event[], nowMs: number): Lines {
  if (events.length === 0) return ['Events:\t<none>']
  const rows = events.map((event) => {
    const { type, reason, source, reportingComponent, message = '', involvedObject } = event
    const where = involvedObject?.fieldPath ? `${involvedObject.fieldPath}: ` : ''
    const from = source?.component || reportingComponent
    return [type, reason, lastSeenText(event, nowMs), from, `${where}${message.trim()}`].join('\t')
  })
  return ['Events:', ...indent(['Type\tReason\tAge\tFrom\tMessage', '----\t------\t----\t----\t-------', ...rows])]
}

/** `5s`, or `5s (x3 over 2m)` for what happened more than once. */
export function lastSeenText(
  { eventTime, firstTimestamp, lastTimestamp, series, count = 0 }: CoreV1Event,
  nowMs: number,
): string {
  const first = age(eventTime || firstTimestamp, nowMs)
  if (series) return `${age(series.lastObservedTime, nowMs)} (x${series.count} over ${first})`
  return count > 1 ? `${age(lastTimestamp, nowMs)} (x${count} over ${first})` : first
}
