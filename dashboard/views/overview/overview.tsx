import { useState } from 'preact/hooks'
import { age } from '../../../api/machinery/print.ts'
import { type EventObject, eventTime } from '../../model/events.ts'
import type { NodeObject } from '../../model/node-map.ts'
import { type PodObject, viewOf } from '../../model/pods.ts'
import { Chart } from '../../parts/chart.tsx'
import { Choice, Heading } from '../../parts/heading.tsx'
import { RolloutBar } from '../../parts/rollout-bar.tsx'
import { Badge } from '../../parts/states.tsx'
import { UsagePair } from '../../parts/usage-pair.tsx'
import { shownNamespace } from '../../route.ts'
import type { View } from '../../server/collection.ts'
import { keyOf, kinds, linkTo } from '../../server/kinds.ts'
import { useUsage } from '../../server/usage.ts'
import { useKind, useNow } from '../../server/use.ts'
import { useWorkloads } from '../workloads.tsx'
import { NodeMap, type Scale, scaleWords } from './node-map.tsx'

/** The cluster at a glance: what it has and uses, and what needs somebody. */
export function Overview() {
  const namespace = shownNamespace.use()
  const nodes = useKind<NodeObject>(kinds.nodes)
  const pods = useKind<PodObject>(kinds.pods, namespace)
  const { workloads, sources } = useWorkloads(namespace)
  const [scale, setScale] = useState<Scale>('cpu')
  const views = [...pods.items.values()].map(viewOf)
  const count = (health: string) => views.filter((view) => view.health === health).length
  const ready = [...nodes.items.values()].filter(({ status }) =>
    status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True'),
  ).length
  const moving = workloads.filter(({ health }) => health !== 'good' && health !== 'over')
  const firstRefusal = sources.find(({ phase }) => phase === 'refused')
  return (
    <div class="view">
      <Heading title={namespace === '' ? 'The cluster' : `The namespace ${namespace}`} />
      <div class="tiles">
        <Tile
          label="Nodes ready"
          value={told(nodes, `${ready}/${nodes.items.size}`)}
          health={nodes.phase === 'live' && ready < nodes.items.size ? 'bad' : 'good'}
          href="#/nodes"
        />
        <Tile label="Pods well" value={told(pods, String(count('good')))} health="good" href="#/pods/good" />
        <Tile label="On their way" value={told(pods, String(count('busy')))} health="busy" href="#/pods/busy" />
        <Tile label="Not well" value={told(pods, String(count('bad')))} health="bad" href="#/pods/bad" />
        <Tile
          label="Workloads as wanted"
          value={firstRefusal ? 'hidden' : `${workloads.length - moving.length}/${workloads.length}`}
          health={moving.some(({ health }) => health === 'bad') ? 'bad' : 'good'}
          href="#/workloads"
        />
      </div>
      <Charts namespace={namespace} />
      <section class="card" aria-labelledby="map">
        <div class="card-head">
          <h2 id="map">Nodes and their pods</h2>
          <Choice label="Drawn by" value={scale} options={scaleWords} onChange={setScale} />
        </div>
        <NodeMap scale={scale} atMost={6} />
      </section>
      <div class="columns">
        <Troubles pods={pods} />
        <section class="card" aria-labelledby="moving">
          <h2 id="moving">Not as wanted</h2>
          {firstRefusal ? (
            <p class="muted">{firstRefusal.message}</p>
          ) : moving.length === 0 ? (
            <p class="muted">Every workload is as it should be.</p>
          ) : (
            <ul class="plain-list">
              {moving.slice(0, 8).map(({ kind, object, rollout, health, state }) => (
                <li key={object.metadata.uid} class="moving">
                  <a href={linkTo(kind, object.metadata.namespace ?? '', object.metadata.name ?? '')}>
                    {keyOf(object)}
                  </a>
                  <Badge health={health}>{state}</Badge>
                  {rollout && <RolloutBar rollout={rollout} name={object.metadata.name ?? ''} />}
                </li>
              ))}
            </ul>
          )}
        </section>
      </div>
      <Warnings namespace={namespace} />
    </div>
  )
}

const told = ({ phase }: Pick<View, 'phase'>, value: string): string =>
  phase === 'refused' ? 'hidden' : phase === 'loading' ? '…' : value

function Tile({ label, value, health, href }: { label: string; value: string; health: string; href: string }) {
  const calm = value === '0' || value === 'hidden'
  return (
    <a class={`tile ${calm ? 'calm' : health}`} href={href}>
      <span class="tile-value">{value}</span>
      <span class="tile-label">{label}</span>
    </a>
  )
}

/** The last hours: what the nodes use, and how the server answers. */
function Charts({ namespace }: { namespace: string }) {
  const { known, times, total, requests, denied } = useUsage(namespace)
  const waiting = known ? undefined : 'Waiting for the server…'
  return (
    <section class="charts" aria-label="The last hours">
      <UsagePair of=" used by the nodes" times={times} {...total} without={denied.nodes ?? waiting} />
      <Chart
        title="Requests a second"
        times={times}
        lines={[
          { label: 'reads', values: requests?.reads ?? [] },
          { label: 'writes', values: requests?.writes ?? [], class: 'second' },
        ]}
        text={(value) => (value < 10 ? value.toFixed(1) : value.toFixed(0))}
        without={denied.requests ?? waiting}
      />
      <Chart
        title="Answered within"
        times={times}
        lines={[
          { label: 'half', values: requests?.p50 ?? [] },
          { label: '99 %', values: requests?.p99 ?? [], class: 'second' },
        ]}
        text={(value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`}
        without={denied.requests ?? waiting}
      />
    </section>
  )
}

/** Pods that wait or fail, and why, in the words of whoever knows. */
function Troubles({ pods }: { pods: View<PodObject> }) {
  const all = [...pods.items.values()].filter((pod) => {
    const { health, why } = viewOf(pod)
    return health === 'bad' || (health === 'busy' && why !== '')
  })
  return (
    <section class="card" aria-labelledby="troubles">
      <h2 id="troubles">Pods that wait or fail</h2>
      {pods.phase === 'refused' ? (
        <p class="muted">{pods.message}</p>
      ) : all.length === 0 ? (
        <p class="muted">None. Every pod runs, or is about to.</p>
      ) : (
        <ul class="plain-list">
          {all.slice(0, 8).map((pod) => (
            <li key={pod.metadata.uid}>
              <a href={linkTo(kinds.pods, pod.metadata.namespace ?? '', pod.metadata.name ?? '')}>{keyOf(pod)}</a>{' '}
              <Badge health={viewOf(pod).health}>{viewOf(pod).status}</Badge>
              <p class="reason">{viewOf(pod).why}</p>
            </li>
          ))}
          {all.length > 8 && (
            <li>
              <a href="#/pods/bad">All {all.length}</a>
            </li>
          )}
        </ul>
      )}
    </section>
  )
}

function Warnings({ namespace }: { namespace: string }) {
  const events = useKind<EventObject>(kinds.events, namespace)
  const nowMs = useNow()
  const warnings = [...events.items.values()].filter(({ type }) => type === 'Warning')
  warnings.sort((a, b) => eventTime(b) - eventTime(a))
  return (
    <section class="card" aria-labelledby="warnings">
      <h2 id="warnings">Latest warnings</h2>
      {events.phase === 'refused' ? (
        <p class="muted">{events.message}</p>
      ) : warnings.length === 0 ? (
        <p class="muted">No warnings in the last hour.</p>
      ) : (
        <ul class="plain-list">
          {warnings.slice(0, 6).map((event) => (
            <li key={event.metadata.uid}>
              <span class="muted">{age(new Date(eventTime(event)).toISOString(), nowMs)} ago</span>{' '}
              <strong>{event.reason}</strong> {event.involvedObject?.kind}/{event.involvedObject?.name}
              <p class="reason">{event.message}</p>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
