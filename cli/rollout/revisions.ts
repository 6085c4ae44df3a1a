import { isDeepStrictEqual } from 'node:util'
import type { Deployment, PodTemplateSpec, ReplicaSet } from '../../api/generated/types.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import { CliError } from '../errors.ts'
import { listObjects } from '../objects.ts'
import type { Session } from '../session.ts'

const revisionAnnotation = 'deployment.kubernetes.io/revision'
const hashLabel = 'pod-template-hash'

/** What a rollback leaves as it is. */
const keptAnnotations = [
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  'deployment.kubernetes.io/revision-history',
  'deployment.kubernetes.io/desired-replicas',
  'deployment.kubernetes.io/max-replicas',
  'deprecated.deployment.rollback.to',
]

/** The replica sets a deployment owns, by revision, the oldest first. */
export async function revisionsOf(
  session: Session,
  deployment: Live<Deployment>,
): Promise<Map<number, Live<ReplicaSet>>> {
  const kind = (await session.kinds()).named('replicasets.apps')
  const selector = formatSelectorString(deployment.spec?.selector)
  const sets = (await listObjects(session, kind, {
    namespace: deployment.metadata.namespace,
    labelSelector: selector,
  })) as Live<ReplicaSet>[]
  const own = sets.filter(({ metadata }) =>
    metadata.ownerReferences?.some(({ uid }) => uid === deployment.metadata.uid),
  )
  const found = own.map((set) => [Number(set.metadata.annotations?.[revisionAnnotation] ?? 0), set] as const)
  return new Map(found.filter(([revision]) => revision > 0).sort(([a], [b]) => a - b))
}

/** The revision to go back to: the one named, or with 0 the one before the newest. */
export function rollbackTarget(revisions: ReadonlyMap<number, Live<ReplicaSet>>, wanted: number): Live<ReplicaSet> {
  if (wanted > 0) {
    const found = revisions.get(wanted)
    if (!found) throw new CliError(`unable to find specified revision ${wanted} in history`)
    return found
  }
  const before = [...revisions.values()].at(-2)
  if (!before) throw new CliError('no rollout history found: there is no earlier revision to go back to')
  return before
}

/** The template of a revision as the deployment had it. */
export function templateWithoutHash({ spec }: Live<ReplicaSet>): PodTemplateSpec {
  const template = spec?.template ?? {}
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {}
  return { ...template, metadata: { ...template.metadata, labels } }
}

/** The JSON patch that brings the template of a revision back; undefined where the deployment has it already. */
export function rollbackPatch(deployment: Live<Deployment>, revision: Live<ReplicaSet>): object[] | undefined {
  const template = templateWithoutHash(revision)
  if (isDeepStrictEqual(template, deployment.spec?.template)) return undefined
  const entries = (object: Live<Deployment> | Live<ReplicaSet>, kept: boolean) =>
    Object.entries(object.metadata.annotations ?? {}).filter(([key]) => keptAnnotations.includes(key) === kept)
  return [
    { op: 'replace', path: '/spec/template', value: template },
    {
      op: deployment.metadata.annotations ? 'replace' : 'add',
      path: '/metadata/annotations',
      value: Object.fromEntries([...entries(deployment, true), ...entries(revision, false)]),
    },
  ]
}

/** Why somebody made a revision, if it was said. */
export const changeCause = ({ metadata }: { metadata: { annotations?: Record<string, string> } }): string =>
  metadata.annotations?.['kubernetes.io/change-cause'] || '<none>'
