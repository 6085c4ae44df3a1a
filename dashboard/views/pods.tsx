import { useMemo, useState } from 'preact/hooks'
import { age } from '../../api/machinery/print.ts'
import { cpuText, memoryText } from '../model/amounts.ts'
import { type PodObject, viewOf } from '../model/pods.ts'
import { Choice, Filter, Heading } from '../parts/heading.tsx'
import { Await, Badge, Quiet } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { shownNamespace } from '../route.ts'
import { keyOf, kinds, linkTo } from '../server/kinds.ts'
import { type Usage, useUsage } from '../server/usage.ts'
import { useKind, useNow } from '../server/use.ts'
import type { ViewProps } from './views.tsx'

type Shown = 'all' | 'bad' | 'busy' | 'good' | 'over'
const shownWords: Record<Shown, string> = {
  all: 'All',
  bad: 'Not well',
  busy: 'On their way',
  good: 'Well',
  over: 'Over',
}

/** All pods, with what is wrong with those that are not well. */
export function Pods({ parts: [asked = ''] }: ViewProps) {
  const namespace = shownNamespace.use()
  const pods = useKind<PodObject>(kinds.pods, namespace)
  const { usage } = useUsage(namespace)
  const [words, setWords] = useState('')
  const shown: Shown = asked in shownWords ? (asked as Shown) : 'all'
  const { version } = pods
  const items = useMemo(() => {
    const wanted = words.toLowerCase()
    return [...pods.items.values()].filter((pod) => {
      const { health, status } = viewOf(pod)
      if (shown !== 'all' && health !== shown) return false
      return wanted === '' || `${keyOf(pod)} ${status} ${pod.spec?.nodeName ?? ''}`.toLowerCase().includes(wanted)
    })
  }, [pods, version, words, shown])
  return (
    <div class="view fill">
      <Heading title="Pods" sub={pods.phase === 'live' ? `${items.length} of ${pods.items.size}` : ''}>
        <Choice label="Which pods" value={shown} options={shownWords} onChange={showOnly} />
        <Filter label="Filter by name, status or node" value={words} onInput={setWords} />
      </Heading>
      <Await what="pods" of={pods}>
        <PodTable items={items} usage={usage} namespaced={namespace === ''} />
      </Await>
    </div>
  )
}

/** In the address, so that others can be shown it. */
function showOnly(shown: Shown): void {
  location.hash = shown === 'all' ? '#/pods' : `#/pods/${shown}`
}

interface PodTableProps {
  items: readonly PodObject[]
  usage: ReadonlyMap<string, Usage>
  /** Show the namespace. */
  namespaced: boolean
  withNode?: boolean
}

/** A table of pods. */
export function PodTable({ items, usage, namespaced, withNode = true }: PodTableProps) {
  const nowMs = useNow()
  const columns = useMemo(() => columnsOf(usage, nowMs, namespaced, withNode), [usage, nowMs, namespaced, withNode])
  return (
    <Table
      label="Pods"
      columns={columns}
      items={items}
      keyOf={keyOf}
      sortBy="name"
      empty={<Quiet title="No pods here">Nothing in this namespace, or nothing that the filter lets through.</Quiet>}
    />
  )
}

const healthOrder = { bad: 0, busy: 1, good: 2, over: 3 }

function columnsOf(
  usage: ReadonlyMap<string, Usage>,
  nowMs: number,
  namespaced: boolean,
  withNode: boolean,
): Column<PodObject>[] {
  const columns: (Column<PodObject> | false)[] = [
    {
      id: 'name',
      label: 'Name',
      width: 'minmax(200px, 2.6fr)',
      order: keyOf,
      cell: ({ metadata }) => (
        <a href={linkTo(kinds.pods, metadata.namespace ?? '', metadata.name ?? '')} title={metadata.name}>
          {namespaced && <span class="muted">{metadata.namespace}/</span>}
          {metadata.name}
        </a>
      ),
    },
    {
      id: 'status',
      label: 'Status',
      width: 'minmax(150px, 2fr)',
      order: (pod) => `${healthOrder[viewOf(pod).health]}${viewOf(pod).status}`,
      cell: (pod) => {
        const { health, status, why } = viewOf(pod)
        return (
          <span title={why}>
            <Badge health={health}>{status}</Badge>
            {why && <span class="why">{why}</span>}
          </span>
        )
      },
    },
    {
      id: 'ready',
      label: 'Ready',
      width: '58px',
      numeric: true,
      order: (pod) => viewOf(pod).ready,
      cell: (pod) => `${viewOf(pod).ready}/${viewOf(pod).containers}`,
    },
    {
      id: 'restarts',
      label: 'Restarts',
      width: '76px',
      numeric: true,
      order: (pod) => viewOf(pod).restarts,
      cell: (pod) => viewOf(pod).restarts,
    },
    {
      id: 'cpu',
      label: 'CPU',
      width: '56px',
      numeric: true,
      order: (pod) => usage.get(keyOf(pod))?.cpuCores ?? -1,
      cell: (pod) => cpuCell(usage.get(keyOf(pod))),
    },
    {
      id: 'memory',
      label: 'Memory',
      width: '84px',
      numeric: true,
      order: (pod) => usage.get(keyOf(pod))?.memoryBytes ?? -1,
      cell: (pod) => memoryCell(usage.get(keyOf(pod))),
    },
    withNode && {
      id: 'node',
      label: 'Node',
      width: 'minmax(70px, 0.7fr)',
      order: ({ spec }) => spec?.nodeName ?? '',
      cell: ({ spec }) =>
        spec?.nodeName ? (
          <a href={linkTo(kinds.nodes, '', spec.nodeName)}>{spec.nodeName}</a>
        ) : (
          <span class="muted">none</span>
        ),
    },
    {
      id: 'age',
      label: 'Age',
      width: '62px',
      numeric: true,
      order: ({ metadata }) => -Date.parse(metadata.creationTimestamp ?? ''),
      cell: ({ metadata }) => age(metadata.creationTimestamp, nowMs),
    },
  ]
  return columns.filter((column) => column !== false)
}

const cpuCell = (usage: Usage | undefined) => (usage ? cpuText(usage.cpuCores) : <span class="muted">–</span>)
const memoryCell = (usage: Usage | undefined) => (usage ? memoryText(usage.memoryBytes) : <span class="muted">–</span>)
