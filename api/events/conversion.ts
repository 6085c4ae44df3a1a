import type { CoreV1Event, EventsV1Event } from '../generated/types.ts'
import type { AnyObject, Stored } from '../machinery/object.ts'
import type { ServedVersion } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'

/** The newer API of events: the same objects under other field names. */
export const eventsV1: ServedVersion = {
  group: 'events.k8s.io',
  version: 'v1',
  schema: builtinSchema('io.k8s.api.events.v1.Event'),
  fromStorage: (object) => toEventsV1(object as unknown as Stored<CoreV1Event>) as unknown as AnyObject,
  toStorage: (object) => toCoreEvent(object as unknown as Stored<EventsV1Event>) as unknown as AnyObject,
}

/** The core form of an event of events.k8s.io/v1. */
export function toCoreEvent(event: Stored<EventsV1Event>): Stored<CoreV1Event> {
  return {
    ...renamed(event as unknown as AnyObject, coreNames),
    kind: 'Event',
    apiVersion: 'v1',
  } as unknown as Stored<CoreV1Event>
}

/** The reverse of {@link toCoreEvent}; nothing is lost either way. */
export function toEventsV1(event: Stored<CoreV1Event>): Stored<EventsV1Event> {
  return {
    ...renamed(event as unknown as AnyObject, newNames),
    kind: 'Event',
    apiVersion: 'events.k8s.io/v1',
  } as unknown as Stored<EventsV1Event>
}

/** What a field of events.k8s.io/v1 is called in the core form. */
const coreNames: ReadonlyMap<string, string> = new Map([
  ['regarding', 'involvedObject'],
  ['note', 'message'],
  ['reportingController', 'reportingComponent'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
])
const newNames: ReadonlyMap<string, string> = new Map([...coreNames].map(([name, coreName]) => [coreName, name]))

function renamed(object: AnyObject, names: ReadonlyMap<string, string>): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(object)) result[names.get(name) ?? name] = value
  return result
}
