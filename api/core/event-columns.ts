import { toCoreEvent } from '../events/conversion.ts'
import type { CoreV1Event, EventsV1Event } from '../generated/types.ts'
import type { AnyObject, Stored } from '../machinery/object.ts'
import { age } from '../machinery/print.ts'
import type { Column } from '../machinery/resource.ts'

export type EventObject = Stored<CoreV1Event>

export const eventColumns: readonly Column<EventObject>[] = [
  { name: 'Last Seen', type: 'string', description: 'Time since it happened last.', value: lastSeen },
  { name: 'Type', type: 'string', description: 'Normal or Warning.', value: ({ type }) => type ?? '' },
  { name: 'Reason', type: 'string', description: 'Why, in one word.', value: ({ reason }) => reason ?? '' },
  { name: 'Object', type: 'string', description: 'What it is about.', value: objectText },
  {
    name: 'Subobject',
    type: 'string',
    priority: 1,
    description: 'The part of the object.',
    value: ({ involvedObject }) => involvedObject?.fieldPath ?? '',
  },
  { name: 'Source', type: 'string', priority: 1, description: 'Who reported it.', value: sourceText },
  {
    name: 'Message',
    type: 'string',
    description: 'What happened.',
    value: ({ message }) => (message ?? '').trim(),
  },
  {
    name: 'First Seen',
    type: 'string',
    priority: 1,
    description: 'Time since it happened first.',
    value: firstSeen,
  },
  { name: 'Count', type: 'string', priority: 1, description: 'How often it happened.', value: occurrences },
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    priority: 1,
    description: 'The name of the event itself.',
    value: ({ metadata }) => metadata.name ?? '',
  },
]

/** The same columns, of events in their newer form. */
export const eventsV1Columns: readonly Column<AnyObject>[] = eventColumns.map((column) => ({
  ...column,
  value: (object, nowMs) => column.value(toCoreEvent(object as unknown as Stored<EventsV1Event>), nowMs),
}))

function firstSeen({ firstTimestamp, eventTime }: EventObject, nowMs: number): string {
  return age(firstTimestamp ?? eventTime, nowMs)
}

function lastSeen(event: EventObject, nowMs: number): string {
  if (event.series) return age(event.series.lastObservedTime, nowMs)
  return event.lastTimestamp ? age(event.lastTimestamp, nowMs) : firstSeen(event, nowMs)
}

/** One that happened once has no count. */
function occurrences({ series, count }: EventObject): number {
  return series ? (series.count ?? 0) : count || 1
}

function objectText({ involvedObject }: EventObject): string {
  const kind = (involvedObject?.kind ?? '').toLowerCase()
  return involvedObject?.name ? `${kind}/${involvedObject.name}` : kind
}

function sourceText({ source, reportingComponent, reportingInstance }: EventObject): string {
  const component = source?.component || (reportingComponent ?? '')
  const instance = source?.host || (reportingInstance ?? '')
  return instance === '' ? component : `${component}, ${instance}`
}
