import type { ContainerStatus, Pod } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import { age } from '../../../api/machinery/print.ts'
import type { Health } from '../../model/pods.ts'
import { Badge } from '../../parts/states.tsx'
import { kinds, linkTo } from '../../server/kinds.ts'
import { useNow } from '../../server/use.ts'

/** The containers of a pod and how each of them does. */
export function Containers({ pod: { spec, status } }: { pod: Stored<Pod> }) {
  const nowMs = useNow()
  const statuses = new Map(
    [
      ...(status?.initContainerStatuses ?? []),
      ...(status?.containerStatuses ?? []),
      ...(status?.ephemeralContainerStatuses ?? []),
    ].map((each) => [each.name, each]),
  )
  const rows = [
    ...(spec?.initContainers ?? []).map((each) => ({
      ...each,
      part: each.restartPolicy === 'Always' ? 'sidecar' : 'init',
    })),
    ...(spec?.containers ?? []).map((each) => ({ ...each, part: '' })),
    ...(spec?.ephemeralContainers ?? []).map((each) => ({ ...each, part: 'ephemeral' })),
  ]
  return (
    <section class="card" aria-labelledby="containers">
      <h2 id="containers">Containers</h2>
      <ul class="plain-list">
        {rows.map(({ name, image, part }) => {
          const { health, text } = containerState(statuses.get(name), nowMs)
          return (
            <li key={name}>
              <strong>{name}</strong> {part && <span class="muted">{part} </span>}
              <Badge health={health}>{text}</Badge>
              <p class="muted mono">{image}</p>
            </li>
          )
        })}
      </ul>
      <p class="muted">
        {spec?.nodeName ? (
          <>
            on <a href={linkTo(kinds.nodes, '', spec.nodeName)}>{spec.nodeName}</a>
          </>
        ) : (
          'on no node yet'
        )}
        {status?.podIP && `, ${status.podIP}`}
        {status?.qosClass && `, ${status.qosClass}`}
      </p>
    </section>
  )
}

function containerState(status: ContainerStatus | undefined, nowMs: number): { health: Health; text: string } {
  const { waiting, running, terminated } = status?.state ?? {}
  const restarts = status?.restartCount ? `, restarted ${status.restartCount} times` : ''
  if (running)
    return { health: status?.ready ? 'good' : 'busy', text: `running ${age(running.startedAt, nowMs)}${restarts}` }
  if (terminated) {
    const well = terminated.exitCode === 0
    return {
      health: well ? 'over' : 'bad',
      text: `${terminated.reason || 'ended'}, exit code ${terminated.exitCode}${restarts}`,
    }
  }
  const reason = waiting?.reason ?? 'waiting'
  const fails = /BackOff|Err|Invalid|Cannot|Failed/.test(reason)
  return { health: fails ? 'bad' : 'busy', text: `${reason}${restarts}` }
}
