import type { CoreV1Event } from '../../api/generated/types.ts'
import { isForbidden } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import { listObjects } from '../objects.ts'
import type { Session } from '../session.ts'
import { type Subject, workloadKinds } from '../workloads.ts'
import type { World } from './overview.ts'

/**
 * Reads what an overview is made of: of one namespace, or of all where none is named; where that is not allowed, of the
 * session's.
 */
export async function gather(session: Session, namespace?: string): Promise<World> {
  const kinds = await session.kinds()
  const list = async (word: string, more: { fieldSelector?: string } = {}): Promise<Subject[]> => {
    const kind = kinds.named(word)
    const of = (place: string | undefined) => listObjects(session, kind, { namespace: place, ...more })
    try {
      return (await of(kind.namespaced ? namespace : undefined)).map((object) => ({ kind, object }))
    } catch (error) {
      if (!isForbidden(error)) throw error
      if (!kind.namespaced) return []
      return (await of(session.namespace)).map((object) => ({ kind, object }))
    }
  }
  const [nodes, pods, claims, warnings, pulls, ...workloads] = await Promise.all([
    list('nodes'),
    list('pods'),
    list('persistentvolumeclaims'),
    list('events', { fieldSelector: 'type=Warning' }),
    list('events', { fieldSelector: 'reason=Pulling' }),
    ...workloadKinds.map((word) => list(word)),
  ])
  return {
    nodes,
    pods,
    claims,
    workloads: workloads.flat(),
    events: [...warnings, ...pulls].map(({ object }) => object as unknown as Live<CoreV1Event>),
  }
}
