import type { CoreV1Event } from '../generated/types.ts'
import { type FieldError, invalid, required } from '../machinery/field-errors.ts'
import { immutable, semanticEqual } from '../machinery/field-rules.ts'
import { isDNS1123Subdomain, nameIsDNSSubdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { qualifiedName } from './field-formats.ts'

type EventObject = Stored<CoreV1Event>

/** Faults of an event. Those sent in the older form are held to less. */
export function validateEvent(event: EventObject, old: EventObject | undefined, ctx: RequestContext): FieldError[] {
  if (ctx.apiVersion !== 'events.k8s.io/v1') return validateLoosely(event, 'reportingComponent')
  return [
    ...validateLoosely(event, 'reportingController'),
    ...(old ? validateStrictUpdate(event, old) : validateStrictCreate(event)),
  ]
}

const maxShortText = 128
const maxNote = 1024
const mismatch = 'does not match event.namespace'

function validateLoosely(event: EventObject, controllerField: string): FieldError[] {
  const errors = event.eventTime ? validateNewForm(event, controllerField) : validateOldForm(event)
  const namespace = event.metadata.namespace ?? ''
  for (const fault of isDNS1123Subdomain(namespace)) errors.push(invalid('namespace', namespace, fault))
  return errors
}

function validateOldForm({ metadata, involvedObject }: EventObject): FieldError[] {
  const own = metadata.namespace ?? ''
  const about = involvedObject?.namespace ?? ''
  // Old clients put events on objects without namespace into the default one.
  const fits = about === '' ? own === '' || own === 'default' : own === about
  return fits ? [] : [invalid('involvedObject.namespace', about, mismatch)]
}

function validateNewForm(event: EventObject, controllerField: string): FieldError[] {
  const { metadata, involvedObject, reportingComponent: controller = '', reportingInstance, action, reason } = event
  const errors: FieldError[] = []
  if (!involvedObject?.namespace && metadata.namespace !== 'default' && metadata.namespace !== 'kube-system')
    errors.push(invalid('involvedObject.namespace', '', mismatch))
  if (controller === '') errors.push(required(controllerField))
  errors.push(...qualifiedName(controllerField, controller))
  for (const [field, value = ''] of Object.entries({ reportingInstance, action, reason })) {
    if (value === '') errors.push(required(field))
    errors.push(...lengthFaults(field, value, maxShortText))
  }
  return [...errors, ...lengthFaults('message', event.message ?? '', maxNote)]
}

function validateStrictCreate(event: EventObject): FieldError[] {
  const { metadata, eventTime, type, source } = event
  const name = metadata.name ?? ''
  const errors = [
    ...nameIsDNSSubdomain(name, false).map((fault) => invalid('metadata.name', name, fault)),
    ...validateSeries(event),
  ]
  if (!eventTime) errors.push(required('eventTime'))
  if (type !== 'Normal' && type !== 'Warning') errors.push(invalid('type', '', `has invalid value: ${type ?? ''}`))
  const deprecated = {
    firstTimestamp: event.firstTimestamp,
    lastTimestamp: event.lastTimestamp,
    count: event.count,
    source: source?.component || source?.host,
  }
  for (const [field, value] of Object.entries(deprecated))
    if (value) errors.push(invalid(field, '', 'needs to be unset'))
  return errors
}

function validateStrictUpdate(event: EventObject, old: EventObject): FieldError[] {
  const errors = semanticEqual(event.series, old.series) ? [] : validateSeries(event)
  for (const field of fixed) errors.push(...immutable(event[field], old[field], field))
  errors.push(...immutable(event.reportingComponent, old.reportingComponent, 'reportingController'))
  return errors
}

const fixed = [
  'involvedObject',
  'reason',
  'message',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingInstance',
] as const

function validateSeries({ series }: EventObject): FieldError[] {
  if (!series) return []
  return [
    ...((series.count ?? 0) < 2 ? [invalid('series.count', '', 'should be at least 2')] : []),
    ...(series.lastObservedTime ? [] : [required('series.lastObservedTime')]),
  ]
}

const lengthFaults = (field: string, value: string, max: number): FieldError[] =>
  Buffer.byteLength(value) > max ? [invalid(field, '', `can have at most ${max} characters`)] : []
