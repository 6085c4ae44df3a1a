import { useMemo, useState } from 'preact/hooks'
import { age } from '../../api/machinery/print.ts'
import { type EventObject, eventTime } from '../model/events.ts'
import { Choice, Filter, Heading } from '../parts/heading.tsx'
import { Await, Badge, Quiet } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { shownNamespace } from '../route.ts'
import { keyOf, kinds, knownKind, linkTo } from '../server/kinds.ts'
import { useKind, useNow } from '../server/use.ts'

type Shown = 'all' | 'Warning'
const shownWords: Record<Shown, string> = { all: 'All', Warning: 'Warnings' }

/** What has happened, the newest first. */
export function Events() {
  const namespace = shownNamespace.use()
  const events = useKind<EventObject>(kinds.events, namespace)
  const [shown, setShown] = useState<Shown>('all')
  const [words, setWords] = useState('')
  const nowMs = useNow()
  const { version } = events
  const items = useMemo(() => {
    const wanted = words.toLowerCase()
    return [...events.items.values()].filter(
      ({ type, reason, message, involvedObject }) =>
        (shown === 'all' || type === shown) &&
        `${reason} ${message} ${involvedObject?.kind}/${involvedObject?.name}`.toLowerCase().includes(wanted),
    )
  }, [events, version, shown, words])
  const columns = useMemo(() => eventColumns(nowMs), [nowMs])
  return (
    <div class="view fill">
      <Heading title="Events" sub={events.phase === 'live' ? `${items.length} of the last hour` : ''}>
        <Choice label="Which events" value={shown} options={shownWords} onChange={setShown} />
        <Filter label="Filter by words" value={words} onInput={setWords} />
      </Heading>
      <Await what="events" of={events}>
        <Table
          label="Events"
          columns={columns}
          items={items}
          keyOf={keyOf}
          sortBy="time"
          descending
          empty={<Quiet title="Nothing has happened">Events are kept for an hour.</Quiet>}
        />
      </Await>
    </div>
  )
}

/** The columns of a table of events. */
export const eventColumns = (nowMs: number): Column<EventObject>[] => [
  {
    id: 'time',
    label: 'Last seen',
    width: '100px',
    order: eventTime,
    cell: (event) => age(new Date(eventTime(event)).toISOString(), nowMs),
  },
  {
    id: 'reason',
    label: 'Reason',
    width: 'minmax(150px, 0.8fr)',
    order: ({ reason }) => reason ?? '',
    cell: ({ type, reason }) => <Badge health={type === 'Warning' ? 'bad' : 'over'}>{reason}</Badge>,
  },
  {
    id: 'object',
    label: 'Object',
    width: 'minmax(160px, 1fr)',
    order: ({ involvedObject }) => `${involvedObject?.kind}/${involvedObject?.name}`,
    cell: ({ involvedObject: of = {} }) => {
      const kind = knownKind(of.apiVersion ?? '', of.kind ?? '')
      const text = `${of.kind ?? ''}/${of.name ?? ''}`
      return kind ? <a href={linkTo(kind, kind.namespaced ? (of.namespace ?? '') : '', of.name ?? '')}>{text}</a> : text
    },
  },
  {
    id: 'message',
    label: 'Message',
    width: 'minmax(240px, 3fr)',
    cell: ({ message, count, series }) => (
      <span title={message}>
        {message}
        {(series?.count ?? count ?? 1) > 1 && <span class="muted"> ({series?.count ?? count} times)</span>}
      </span>
    ),
  },
]
