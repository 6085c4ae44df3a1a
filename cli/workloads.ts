import type { Deployment, LabelSelector, PodSpec, PodTemplateSpec } from '../api/generated/types.ts'
import { formatSelectorString } from '../api/machinery/labels.ts'
import { pathOf } from '../client/client.ts'
import { type DryRun, dryRunQuery } from './dry-run.ts'
import { CliError } from './errors.ts'
import type { ServedKind } from './kinds.ts'
import { getObject, listObjects, type NamedObject, namespaceFor, type Selection } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'

/** The kinds of which people make pods, rather than of those that such a one makes itself. */
export const workloadKinds: readonly string[] = [
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
]

/** An object that a verb is about, with its kind. */
export interface Subject {
  kind: ServedKind
  object: NamedObject
}

/** Reads the objects that the words name, or all that a selection takes. */
export async function readSubjects(
  session: Session,
  args: readonly string[],
  selection: Selection = {},
): Promise<Subject[]> {
  const targets = parseTargets(args, await session.kinds())
  if (targets.type === 'named')
    return Promise.all(
      targets.objects.map(async ({ kind, name }) => ({
        kind,
        object: await getObject(session, kind, name, namespaceFor(session, kind)),
      })),
    )
  const lists = await Promise.all(
    targets.kinds.map(async (kind) => {
      const namespace = 'namespace' in selection ? selection.namespace : namespaceFor(session, kind)
      return (await listObjects(session, kind, { ...selection, namespace })).map((object) => ({ kind, object }))
    }),
  )
  return lists.flat()
}

/** Changes an object by a patch. */
export function patchSubject(
  session: Session,
  { kind, object }: Subject,
  patch: object,
  { type = 'strategic-merge', manager, dryRun = 'none' }: { type?: string; manager: string; dryRun?: DryRun },
): Promise<NamedObject> {
  return session.json<NamedObject>('PATCH', pathOf(kind, object.metadata.namespace, object.metadata.name), {
    query: { fieldManager: manager, ...dryRunQuery(dryRun) },
    headers: { 'content-type': `application/${type}-patch+json` },
    body: JSON.stringify(patch),
  })
}

/** The pods' template of a workload; undefined for what has none. */
export const templateOf = (object: NamedObject): PodTemplateSpec | undefined =>
  (object.spec as { template?: PodTemplateSpec } | undefined)?.template

/** How the pods are made that an object is, or asks for; undefined for what has no pods. */
export function podSpecOf(object: NamedObject): PodSpec | undefined {
  if (object.kind === 'Pod') return object.spec as PodSpec | undefined
  if (object.kind === 'CronJob')
    return (object.spec as { jobTemplate?: { spec?: { template?: PodTemplateSpec } } }).jobTemplate?.spec?.template
      ?.spec
  return templateOf(object)?.spec
}

/** The selector of a workload's or a service's pods, as text. Throws for what has no pods. */
export function podSelector({ kind, object }: Subject): string {
  const selector = (object.spec as { selector?: LabelSelector | Record<string, string> } | undefined)?.selector
  const text = formatSelectorString(selector)
  if (text === '') throw new CliError(`${kind.plural}/${object.metadata.name} has no pods of its own`)
  return text
}

export const isDeployment = (subject: Subject): subject is { kind: ServedKind; object: NamedObject & Deployment } =>
  subject.kind.kind === 'Deployment' && subject.kind.group === 'apps'
