import { useMemo, useState } from 'preact/hooks'
import type { CronJob, DaemonSet, Deployment, Job, StatefulSet } from '../../api/generated/types.ts'
import type { KubeObject, Stored } from '../../api/machinery/object.ts'
import { age } from '../../api/machinery/print.ts'
import { cronJobState, jobState } from '../model/jobs.ts'
import type { Health } from '../model/pods.ts'
import { daemonSetRollout, deploymentRollout, type Rollout, statefulSetRollout } from '../model/rollout.ts'
import { Filter, Heading } from '../parts/heading.tsx'
import { RolloutBar } from '../parts/rollout-bar.tsx'
import { Badge, Loading, Quiet, Refused } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { shownNamespace } from '../route.ts'
import type { View } from '../server/collection.ts'
import { type Kind, keyOf, kinds, linkTo } from '../server/kinds.ts'
import { useKind, useNow } from '../server/use.ts'

interface Workload {
  kind: Kind
  object: KubeObject
  health: Health
  state: string
  rollout?: Rollout
}

/** Everything that makes pods, and how far it is from what it is to be. */
export function Workloads() {
  const namespace = shownNamespace.use()
  const nowMs = useNow()
  const [words, setWords] = useState('')
  const { workloads, sources } = useWorkloads(namespace)
  const wanted = words.toLowerCase()
  const items = workloads.filter(({ kind, object }) => `${kind.kind} ${keyOf(object)}`.toLowerCase().includes(wanted))
  const refused = sources.filter(({ phase }) => phase === 'refused')
  const loading = sources.every(({ phase }) => phase === 'loading')
  const columns = useMemo(() => columnsOf(nowMs, namespace === ''), [nowMs, namespace])
  const moving = items.filter(({ health }) => health === 'busy').length
  const bad = items.filter(({ health }) => health === 'bad').length
  return (
    <div class="view fill">
      <Heading
        title="Workloads"
        sub={
          loading
            ? ''
            : `${items.length} in all${moving ? `, ${moving} on the way` : ''}${bad ? `, ${bad} not well` : ''}`
        }
      >
        <Filter label="Filter by kind or name" value={words} onInput={setWords} />
      </Heading>
      {refused.length > 0 && <Refused what="all workloads" message={refused[0]?.message ?? ''} />}
      {loading ? (
        <Loading what="workloads" />
      ) : (
        <Table
          label="Workloads"
          columns={columns}
          items={items}
          keyOf={({ kind, object }) => `${kind.plural}/${keyOf(object)}`}
          sortBy="name"
          empty={
            <Quiet title="No workloads here">
              <code>gantry run hello --image IMAGE</code> or <code>kubectl apply -f FILE</code> makes one.
            </Quiet>
          }
        />
      )}
    </div>
  )
}

/** The workloads of a namespace, worked out anew when one of them changes. */
export function useWorkloads(namespace: string): { workloads: Workload[]; sources: View[] } {
  const deployments = useKind<Stored<Deployment>>(kinds.deployments, namespace)
  const statefulSets = useKind<Stored<StatefulSet>>(kinds.statefulSets, namespace)
  const daemonSets = useKind<Stored<DaemonSet>>(kinds.daemonSets, namespace)
  const jobs = useKind<Stored<Job>>(kinds.jobs, namespace)
  const cronJobs = useKind<Stored<CronJob>>(kinds.cronJobs, namespace)
  const rolled = <T extends KubeObject>(kind: Kind, from: View<T>, judge: (object: T) => Rollout): Workload[] =>
    [...from.items.values()].map((object) => {
      const rollout = judge(object)
      return { kind, object, rollout, health: rollout.health, state: rollout.state }
    })
  const workloads = [
    ...rolled(kinds.deployments, deployments, deploymentRollout),
    ...rolled(kinds.statefulSets, statefulSets, statefulSetRollout),
    ...rolled(kinds.daemonSets, daemonSets, daemonSetRollout),
    // Those of a cron job are told by it.
    ...[...jobs.items.values()]
      .filter(({ metadata }) => !metadata.ownerReferences?.some(({ kind }) => kind === 'CronJob'))
      .map((object) => ({ kind: kinds.jobs, object, ...jobState(object) })),
    ...[...cronJobs.items.values()].map((object) => ({ kind: kinds.cronJobs, object, ...cronJobState(object) })),
  ]
  return { workloads, sources: [deployments, statefulSets, daemonSets, jobs, cronJobs] as View[] }
}

const healthOrder: Record<Health, number> = { bad: 0, busy: 1, good: 2, over: 3 }

const columnsOf = (nowMs: number, namespaced: boolean): Column<Workload>[] => [
  {
    id: 'name',
    label: 'Name',
    width: 'minmax(180px, 1.4fr)',
    order: ({ object }) => keyOf(object),
    cell: ({ kind, object: { metadata } }) => (
      <a href={linkTo(kind, metadata.namespace ?? '', metadata.name ?? '')} title={metadata.name}>
        {namespaced && <span class="muted">{metadata.namespace}/</span>}
        {metadata.name}
      </a>
    ),
  },
  { id: 'kind', label: 'Kind', width: '120px', order: ({ kind }) => kind.kind, cell: ({ kind }) => kind.kind },
  {
    id: 'state',
    label: 'State',
    width: 'minmax(150px, 1fr)',
    order: ({ health, state }) => `${healthOrder[health]}${state}`,
    cell: ({ health, state }) => <Badge health={health}>{state}</Badge>,
  },
  {
    id: 'rollout',
    label: 'Pods',
    width: 'minmax(180px, 1.4fr)',
    cell: ({ rollout, object }) => rollout && <RolloutBar rollout={rollout} name={object.metadata.name ?? ''} />,
  },
  {
    id: 'age',
    label: 'Age',
    width: '80px',
    numeric: true,
    order: ({ object }) => -Date.parse(object.metadata.creationTimestamp ?? ''),
    cell: ({ object }) => age(object.metadata.creationTimestamp, nowMs),
  },
]
