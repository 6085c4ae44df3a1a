import { isDeepStrictEqual } from 'node:util'
import type { ControllerRevision, PodTemplateSpec } from '../../api/generated/types.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import { listObjects } from '../objects.ts'
import type { Session } from '../session.ts'
import { type Subject, templateOf } from '../workloads.ts'

type Revision = Live<ControllerRevision>

/** The revisions that a stateful set or a daemon set has had, by number, the oldest first. */
export async function controllerRevisionsOf(session: Session, { object }: Subject): Promise<Map<number, Revision>> {
  const kind = (await session.kinds()).named('controllerrevisions.apps')
  const { selector } = (object.spec ?? {}) as { selector?: unknown }
  const all = (await listObjects(session, kind, {
    namespace: object.metadata.namespace,
    labelSelector: formatSelectorString(selector),
  })) as unknown as Revision[]
  const own = all.filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid))
  return new Map(own.map((each) => [each.revision, each] as const).sort(([a], [b]) => a - b))
}

/** The pod template of a revision: it is kept as a patch that puts it in the place of another. */
export function templateOfRevision({ data }: Revision): PodTemplateSpec {
  const { spec } = (data ?? {}) as { spec?: { template?: PodTemplateSpec & { $patch?: string } } }
  const { $patch: _, ...template } = spec?.template ?? {}
  return template
}

/** The revision to go back to: the one named, or with 0 the one before the newest. */
export function revisionToRestore(revisions: ReadonlyMap<number, Revision>, wanted: number): Revision {
  if (wanted > 0) {
    const found = revisions.get(wanted)
    if (!found) throw new CliError(`unable to find specified revision ${wanted} in history`)
    return found
  }
  const before = [...revisions.values()].at(-2)
  if (!before) throw new CliError('no last revision to roll back to')
  return before
}

/** Whether the template that stands is that of the revision. */
export const isAt = ({ object }: Subject, revision: Revision): boolean =>
  isDeepStrictEqual(templateOf(object), templateOfRevision(revision))
