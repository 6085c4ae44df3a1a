import { eventsV1 } from '../events/conversion.ts'
import { pathSegmentName } from '../machinery/names.ts'
import { defineResource } from '../machinery/resource.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { type EventObject, eventColumns, eventsV1Columns } from './event-columns.ts'
import { validateEvent } from './event-validation.ts'

export type { EventObject }

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
  versions: [{ ...eventsV1, columns: eventsV1Columns }],
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
  columns: eventColumns,
})
