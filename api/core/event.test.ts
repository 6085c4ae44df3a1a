import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toCoreEvent, toEventsV1 } from '../events/conversion.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type EventObject, events } from './event.ts'

const core: RequestContext = {
  nowMs: 0,
  user: { name: 'test', groups: [] },
  subresource: '',
  dryRun: false,
  apiVersion: 'v1',
}
const strict: RequestContext = { ...core, apiVersion: 'events.k8s.io/v1' }

const event = (content: Partial<EventObject> = {}): EventObject => ({
  metadata: { name: 'e', namespace: 'ns' },
  involvedObject: { kind: 'Pod', name: 'p', namespace: 'ns' },
  ...content,
})
const modern = (content: Partial<EventObject> = {}): EventObject =>
  event({
    eventTime: '2024-01-01T00:00:00.000000Z',
    reportingComponent: 'a.b/c',
    reportingInstance: 'i',
    action: 'Do',
    reason: 'Because',
    type: 'Normal',
    ...content,
  })
const faults = (made: EventObject, ctx: RequestContext, old?: EventObject) =>
  events.validate?.(made, old, ctx).map(formatFieldError)
const mismatch = 'does not match event.namespace'

describe('an event of the core group', () => {
  it.each<[string, EventObject, string[]]>([
    ['of the same namespace', event(), []],
    ['on a node, in the default namespace', event({ metadata: { namespace: 'default' }, involvedObject: {} }), []],
    [
      'on a node, elsewhere',
      event({ involvedObject: {} }),
      [`involvedObject.namespace: Invalid value: "": ${mismatch}`],
    ],
    [
      'of another namespace',
      event({ involvedObject: { namespace: 'x' } }),
      [`involvedObject.namespace: Invalid value: "x": ${mismatch}`],
    ],
    ['in the new form', modern(), []],
    [
      'in the new form with little in it',
      modern({ reportingComponent: '', reportingInstance: '', action: '', reason: 'r'.repeat(129) }),
      [
        'reportingComponent: Required value',
        'reportingComponent: Invalid value: "": name part must be non-empty',
        "reportingComponent: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
        'reportingInstance: Required value',
        'action: Required value',
        'reason: Invalid value: "": can have at most 128 characters',
      ],
    ],
    [
      'with too long a message',
      modern({ message: 'm'.repeat(1025) }),
      ['message: Invalid value: "": can have at most 1024 characters'],
    ],
  ])('%s', (_, made, expected) => {
    expect(faults(made, core)).toEqual(expected)
  })

  it('may change in any way', () => {
    expect(faults(event({ reason: 'b' }), core, event({ reason: 'a' }))).toEqual([])
  })
})

describe('an event of events.k8s.io', () => {
  it.each<[string, EventObject, string[]]>([
    ['in order', modern(), []],
    [
      'with deprecated fields',
      modern({ count: 1, firstTimestamp: '2024-01-01T00:00:00Z', source: { host: 'h' } }),
      [
        'firstTimestamp: Invalid value: "": needs to be unset',
        'count: Invalid value: "": needs to be unset',
        'source: Invalid value: "": needs to be unset',
      ],
    ],
    ['of an unknown type', modern({ type: 'Odd' }), ['type: Invalid value: "": has invalid value: Odd']],
    ['without time', event({ type: 'Normal' }), ['eventTime: Required value']],
    [
      'with a series of one',
      modern({ series: { count: 1 } }),
      ['series.count: Invalid value: "": should be at least 2', 'series.lastObservedTime: Required value'],
    ],
  ])('%s', (_, made, expected) => {
    expect(faults(made, strict)).toEqual(expected)
  })

  it('may only continue its series', () => {
    const series = { count: 2, lastObservedTime: '2024-01-01T00:00:00.000000Z' }
    expect(faults(modern({ series }), strict, modern())).toEqual([])
    expect(faults(modern({ reason: 'Other', reportingComponent: 'x' }), strict, modern())).toEqual([
      'reason: Invalid value: "Other": field is immutable',
      'reportingController: Invalid value: "x": field is immutable',
    ])
  })
})

describe('the two forms of an event', () => {
  it('say the same under other names', () => {
    const made = modern({ message: 'm', source: { component: 'c' }, count: 3, firstTimestamp: 'f', lastTimestamp: 'l' })
    expect(toEventsV1(made)).toEqual({
      kind: 'Event',
      apiVersion: 'events.k8s.io/v1',
      metadata: made.metadata,
      regarding: made.involvedObject,
      eventTime: made.eventTime,
      reportingController: 'a.b/c',
      reportingInstance: 'i',
      action: 'Do',
      reason: 'Because',
      type: 'Normal',
      note: 'm',
      deprecatedSource: { component: 'c' },
      deprecatedCount: 3,
      deprecatedFirstTimestamp: 'f',
      deprecatedLastTimestamp: 'l',
    })
  })

  it('turn into one another without loss', () => {
    const text = fc.string()
    const content = fc.record(
      {
        message: text,
        reason: text,
        action: text,
        type: text,
        eventTime: text,
        firstTimestamp: text,
        lastTimestamp: text,
        reportingComponent: text,
        reportingInstance: text,
        count: fc.nat(),
        source: fc.record({ component: text, host: text }, { requiredKeys: [] }),
        related: fc.record({ name: text }),
        series: fc.record({ count: fc.nat(), lastObservedTime: text }),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(content, (fields) => {
        const made = { ...event(fields), kind: 'Event', apiVersion: 'v1' }
        const before = structuredClone(made)
        expect(toCoreEvent(toEventsV1(made))).toEqual(before)
        expect(made).toEqual(before)
      }),
    )
  })
})

describe('columns and selectors of an event', () => {
  const now = Date.parse('2024-01-01T01:00:00Z')
  it.each<[string, Partial<EventObject>, unknown[]]>([
    [
      'old',
      {
        firstTimestamp: '2024-01-01T00:00:00Z',
        lastTimestamp: '2024-01-01T00:50:00Z',
        count: 5,
        source: { component: 'kubelet', host: 'n' },
      },
      ['10m', '60m', 5, 'kubelet, n'],
    ],
    [
      'new',
      { eventTime: '2024-01-01T00:30:00.000000Z', reportingComponent: 'c', reportingInstance: 'i' },
      ['30m', '30m', 1, 'c, i'],
    ],
    [
      'in a series',
      {
        eventTime: '2024-01-01T00:00:00.000000Z',
        series: { count: 9, lastObservedTime: '2024-01-01T00:59:00.000000Z' },
      },
      ['60s', '60m', 9, ''],
    ],
  ])('tell when and how often it happened: %s', (_, content, [last, first, count, source]) => {
    const cells = events.columns?.map(({ value }) => value(event({ ...content, message: ' m\n' }), now))
    expect(cells).toEqual([last, '', '', 'pod/p', '', source, 'm', first, count, 'e'])
  })

  it('are the same for either form', () => {
    const made = event({ message: 'm', reason: 'r', firstTimestamp: '2024-01-01T00:00:00Z', count: 2 })
    const newForm = toEventsV1(made) as unknown as AnyObject
    const cells = events.columns?.map(({ value }) => value(made, now))
    expect(events.versions[0]?.columns?.map(({ value }) => value(newForm, now))).toEqual(cells)
  })

  it('select by either name of a field', () => {
    const made = event({ reportingComponent: 'r' })
    const select = (field: string) => events.selectableFields?.[field]?.(made)
    expect(['involvedObject.kind', 'regarding.kind', 'source', 'reportingComponent'].map(select)).toEqual([
      'Pod',
      'Pod',
      'r',
      'r',
    ])
  })
})
