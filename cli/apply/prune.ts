import { pathOf } from '../../client/client.ts'
import { CliError } from '../errors.ts'
import type { Kinds, ServedKind } from '../kinds.ts'
import { listObjects, type NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'
import { lastApplied } from './last-applied.ts'

/** What kubectl looks through where no list is given. */
const defaultKinds = [
  'core/v1/ConfigMap',
  'core/v1/Endpoints',
  'core/v1/Namespace',
  'core/v1/PersistentVolumeClaim',
  'core/v1/PersistentVolume',
  'core/v1/Pod',
  'core/v1/ReplicationController',
  'core/v1/Secret',
  'core/v1/Service',
  'batch/v1/Job',
  'batch/v1/CronJob',
  'networking.k8s.io/v1/Ingress',
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'apps/v1/ReplicaSet',
  'apps/v1/StatefulSet',
]

/** The kinds to look through, as `group/version/kind`, or those of kubectl. Throws for what is none. */
export async function kindsToPrune(
  session: Session,
  allowlist: readonly string[] = defaultKinds,
): Promise<ServedKind[]> {
  const kinds = await session.kinds()
  return allowlist.map((text) => kindNamed(kinds, text))
}

/** An object that goes. */
export interface Doomed {
  kind: ServedKind
  object: NamedObject
}

/**
 * What was applied some time before with these labels, in the namespaces of what is applied now, and is not among that.
 * With a namespace given by name, only what is in one is looked for.
 */
export async function noLongerApplied(
  session: Session,
  applied: readonly NamedObject[],
  looked: readonly ServedKind[],
  selector: string | undefined,
): Promise<Doomed[]> {
  const namespaces = new Set(applied.flatMap(({ metadata }) => metadata.namespace ?? []))
  const kept = new Set(applied.map(({ metadata }) => metadata.uid))
  const places = [
    ...looked.filter(({ namespaced }) => namespaced).flatMap((kind) => [...namespaces].map((at) => ({ kind, at }))),
    ...(session.namespaceGiven ? [] : looked.filter(({ namespaced }) => !namespaced)).map((kind) => ({
      kind,
      at: undefined,
    })),
  ]
  const found = await Promise.all(
    places.map(async ({ kind, at }) => {
      const objects = await listObjects(session, kind, { namespace: at, labelSelector: selector })
      return objects
        .filter((object) => lastApplied(object) && !kept.has(object.metadata.uid))
        .map((object) => ({ kind, object }))
    }),
  )
  return found.flat()
}

function kindNamed(kinds: Kinds, text: string): ServedKind {
  const [group = '', version = '', kind = '', ...more] = text.split('/')
  if (kind === '' || more.length > 0)
    throw new CliError(`invalid GroupVersionKind format: ${text}, please follow <group/version/kind>`)
  return kinds.of(group === 'core' ? version : `${group}/${version}`, kind)
}

/** Deletes it, as the flags say how. */
export function prune(session: Session, { kind, object }: Doomed, options: object): Promise<unknown> {
  const { namespace, name, uid } = object.metadata
  const body = JSON.stringify({ preconditions: { uid }, ...options })
  return session.json('DELETE', pathOf(kind, namespace, name), { body })
}
