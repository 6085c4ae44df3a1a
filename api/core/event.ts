import { eventsV1 } from '../events/conversion.ts'
import type { CoreV1Event } from '../generated/types.ts'
import { pathSegmentName } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { age } from '../machinery/print.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateEvent } from './event-validation.ts'

export type EventObject = Stored<CoreV1Event>

const hourSeconds = 3600

/** Stored once, in the core form, and served as events.k8s.io/v1 too. */
export const events = defineResource<EventObject>({
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  shortNames: ['ev'],
  namespaced: true,
  ttlSeconds: hourSeconds,
  schema: builtinSchema('io.k8s.api.core.v1.Event'),
  // Events of old have names that no other object may have: whatever a path allows.
  validateName: pathSegmentName,
  validate: validateEvent,
  strategy: { createOnUpdate: true },
  versions: [eventsV1],
  selectableFields: {
    'involvedObject.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'involvedObject.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'involvedObject.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'involvedObject.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'involvedObject.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'involvedObject.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'involvedObject.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    'regarding.kind': ({ involvedObject }) => involvedObject?.kind ?? '',
    'regarding.namespace': ({ involvedObject }) => involvedObject?.namespace ?? '',
    'regarding.name': ({ involvedObject }) => involvedObject?.name ?? '',
    'regarding.uid': ({ involvedObject }) => involvedObject?.uid ?? '',
    'regarding.apiVersion': ({ involvedObject }) => involvedObject?.apiVersion ?? '',
    'regarding.resourceVersion': ({ involvedObject }) => involvedObject?.resourceVersion ?? '',
    'regarding.fieldPath': ({ involvedObject }) => involvedObject?.fieldPath ?? '',
    reason: ({ reason }) => reason ?? '',
    reportingComponent: ({ reportingComponent }) => reportingComponent ?? '',
    reportingController: ({ reportingComponent }) => reportingComponent ?? '',
    source: ({ source, reportingComponent }) => source?.component || (reportingComponent ?? ''),
    type: ({ type }) => type ?? '',
  },
  columns: [
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
  ],
})

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
