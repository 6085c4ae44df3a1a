import type { ComponentChildren } from 'preact'
import { useMemo } from 'preact/hooks'
import type { Condition, Pod } from '../../../api/generated/types.ts'
import type { AnyObject, Stored } from '../../../api/machinery/object.ts'
import { age } from '../../../api/machinery/print.ts'
import { type EventObject, eventTime } from '../../model/events.ts'
import { viewOf } from '../../model/pods.ts'
import { daemonSetRollout, deploymentRollout, type Rollout, statefulSetRollout } from '../../model/rollout.ts'
import { RolloutBar } from '../../parts/rollout-bar.tsx'
import { Await } from '../../parts/states.tsx'
import { kinds } from '../../server/kinds.ts'
import { useKind, useNow } from '../../server/use.ts'
import { Actions } from './actions.tsx'
import { Containers } from './containers.tsx'
import type { TabProps } from './object.tsx'
import { Tree } from './tree.tsx'
import { UsageCharts } from './usage-charts.tsx'

/** What matters of an object: how it does, what it owns, what has happened to it. */
export function Facts({ kind, object }: TabProps) {
  const pod = kind.kind === 'Pod' ? (object as unknown as Stored<Pod>) : undefined
  const rollout = rolloutOf(kind.kind, object)
  const why = pod ? viewOf(pod).why : ''
  return (
    <div class="facts">
      {why && (
        <div class="notice bad" role="note">
          {why}
        </div>
      )}
      {rollout && (
        <section class="card" aria-label="Rollout">
          <h2>{rollout.state}</h2>
          <RolloutBar rollout={rollout} name={object.metadata.name ?? ''} />
        </section>
      )}
      <Actions kind={kind} object={object} />
      <UsageCharts kind={kind} object={object} />
      <div class="columns">
        <div>
          {pod && <Containers pod={pod} />}
          <Tree kind={kind} object={object} />
        </div>
        <div>
          <Conditions object={object} />
          <Labels object={object} />
        </div>
      </div>
      <ObjectEvents object={object} />
    </div>
  )
}

function rolloutOf(kind: string, object: AnyObject): Rollout | undefined {
  switch (kind) {
    case 'Deployment':
      return deploymentRollout(object as never)
    case 'StatefulSet':
      return statefulSetRollout(object as never)
    case 'DaemonSet':
      return daemonSetRollout(object as never)
    default:
      return undefined
  }
}

function Conditions({ object }: { object: AnyObject }) {
  const conditions = ((object.status as { conditions?: Condition[] } | undefined)?.conditions ?? []) as Condition[]
  const nowMs = useNow()
  if (conditions.length === 0) return null
  return (
    <section class="card" aria-labelledby="conditions">
      <h2 id="conditions">Conditions</h2>
      <dl class="conditions">
        {conditions.map(({ type, status, reason, message, lastTransitionTime }) => (
          <div key={type}>
            <dt>
              {type} <span class="muted">{status}</span>
            </dt>
            <dd>
              {message || reason || ''}
              {lastTransitionTime && <span class="muted"> since {age(lastTransitionTime, nowMs)}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function Labels({ object: { metadata } }: { object: AnyObject }) {
  const row = (title: string, entries: [string, string][]): ComponentChildren =>
    entries.length > 0 && (
      <>
        <h3>{title}</h3>
        <ul class="tags">
          {entries.map(([name, value]) => (
            <li key={name} title={value}>
              {name}
              <span class="muted">={value.length > 60 ? `${value.slice(0, 60)}…` : value}</span>
            </li>
          ))}
        </ul>
      </>
    )
  const labels = Object.entries(metadata.labels ?? {})
  const annotations = Object.entries(metadata.annotations ?? {}).filter(
    ([name]) => !name.endsWith('last-applied-configuration'),
  )
  if (labels.length + annotations.length === 0) return null
  return (
    <section class="card" aria-label="Labels and annotations">
      {row('Labels', labels)}
      {row('Annotations', annotations)}
    </section>
  )
}

/** What has happened to the object, the newest first. */
function ObjectEvents({ object: { metadata } }: { object: AnyObject }) {
  const selector = encodeURIComponent(`involvedObject.uid=${metadata.uid ?? ''}`)
  // Events of what has no namespace lie in any.
  const events = useKind<EventObject>(kinds.events, metadata.namespace ?? '', `?fieldSelector=${selector}`)
  const nowMs = useNow()
  const { version } = events
  const sorted = useMemo(
    () => [...events.items.values()].sort((a, b) => eventTime(b) - eventTime(a)),
    [events, version],
  )
  return (
    <section class="card" aria-labelledby="events">
      <h2 id="events">Events</h2>
      <Await what="events" of={events}>
        {sorted.length === 0 ? (
          <p class="muted">Nothing in the last hour.</p>
        ) : (
          <ul class="plain-list events">
            {sorted.slice(0, 50).map((event) => (
              <li key={event.metadata.uid} class={event.type === 'Warning' ? 'warning' : ''}>
                <span class="muted when">{age(new Date(eventTime(event)).toISOString(), nowMs)}</span>
                <strong>{event.reason}</strong>
                <span>
                  {event.message}
                  {(event.count ?? 1) > 1 && <span class="muted"> ({event.count} times)</span>}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Await>
    </section>
  )
}
