import { useEffect, useMemo, useState } from 'preact/hooks'
import type { KubeObject } from '../../api/machinery/object.ts'
import { age } from '../../api/machinery/print.ts'
import { Filter, Heading } from '../parts/heading.tsx'
import { Await, Failure, Loading, Quiet } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { shownNamespace } from '../route.ts'
import { servedKinds } from '../server/discovery.ts'
import { type Kind, keyOf, linkTo } from '../server/kinds.ts'
import { useKind, useNow } from '../server/use.ts'
import type { ViewProps } from './views.tsx'

/** Every kind the server has, and the objects of one. */
export function Kinds({ parts: [group = '', version = '', plural = ''] }: ViewProps) {
  const [served, setServed] = useState<readonly Kind[]>()
  const [fault, setFault] = useState('')
  useEffect(() => {
    servedKinds().then(setServed, (error: Error) => setFault(error.message))
  }, [])
  if (fault) return <Failure>The kinds cannot be listed: {fault}</Failure>
  if (!served) return <Loading what="kinds" />
  const chosen = served.find(
    (kind) => (kind.group || 'core') === group && kind.version === version && kind.plural === plural,
  )
  return chosen ? <Objects kind={chosen} /> : <AllKinds served={served} />
}

function AllKinds({ served }: { served: readonly Kind[] }) {
  const [words, setWords] = useState('')
  const items = served.filter(({ kind, group, plural }) =>
    `${kind} ${plural}.${group}`.toLowerCase().includes(words.toLowerCase()),
  )
  return (
    <div class="view fill">
      <Heading title="Everything else" sub={`${items.length} kinds`}>
        <Filter label="Filter by name" value={words} onInput={setWords} />
      </Heading>
      <Table
        label="Kinds"
        columns={kindColumns}
        items={items}
        keyOf={({ group, plural }) => `${plural}.${group}`}
        sortBy="kind"
        empty={<Quiet title="No such kind" />}
      />
    </div>
  )
}

const kindColumns: Column<Kind>[] = [
  {
    id: 'kind',
    label: 'Kind',
    width: '1fr',
    order: ({ kind }) => kind,
    cell: ({ group, version, plural, kind }) => <a href={`#/kinds/${group || 'core'}/${version}/${plural}`}>{kind}</a>,
  },
  { id: 'name', label: 'Name', width: '1fr', order: ({ plural }) => plural, cell: ({ plural }) => plural },
  {
    id: 'group',
    label: 'Group',
    width: '1.4fr',
    order: ({ group }) => group,
    cell: ({ group, version }) => (group ? `${group}/${version}` : version),
  },
  {
    id: 'scope',
    label: 'Scope',
    width: '140px',
    order: ({ namespaced }) => (namespaced ? 1 : 0),
    cell: ({ namespaced }) => (namespaced ? 'Namespace' : 'Cluster'),
  },
]

function Objects({ kind }: { kind: Kind }) {
  const namespace = shownNamespace.use()
  const objects = useKind<KubeObject>(kind, namespace)
  const [words, setWords] = useState('')
  const nowMs = useNow()
  const items = [...objects.items.values()].filter((object) => keyOf(object).includes(words))
  const columns = useMemo(
    () => objectColumns(kind, nowMs, kind.namespaced && namespace === ''),
    [kind, nowMs, namespace],
  )
  return (
    <div class="view fill">
      <Heading
        title={kind.kind}
        sub={
          <>
            <a href="#/kinds">All kinds</a> · {objects.phase === 'live' ? `${items.length} objects` : ''}
          </>
        }
      >
        <Filter label="Filter by name" value={words} onInput={setWords} />
      </Heading>
      <Await what={kind.plural} of={objects}>
        <Table
          label={kind.kind}
          columns={columns}
          items={items}
          keyOf={keyOf}
          sortBy="name"
          empty={<Quiet title={`No ${kind.plural} here`} />}
        />
      </Await>
    </div>
  )
}

const objectColumns = (kind: Kind, nowMs: number, namespaced: boolean): Column<KubeObject>[] => [
  {
    id: 'name',
    label: 'Name',
    width: '2fr',
    order: keyOf,
    cell: ({ metadata }) => (
      <a href={linkTo(kind, metadata.namespace ?? '', metadata.name ?? '')}>
        {namespaced && <span class="muted">{metadata.namespace}/</span>}
        {metadata.name}
      </a>
    ),
  },
  {
    id: 'labels',
    label: 'Labels',
    width: '2fr',
    cell: ({ metadata }) => (
      <span class="muted">
        {Object.entries(metadata.labels ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(', ')}
      </span>
    ),
  },
  {
    id: 'age',
    label: 'Age',
    width: '90px',
    numeric: true,
    order: ({ metadata }) => -Date.parse(metadata.creationTimestamp ?? ''),
    cell: ({ metadata }) => age(metadata.creationTimestamp, nowMs),
  },
]
