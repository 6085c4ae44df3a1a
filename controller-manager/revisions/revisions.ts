import type { ControllerRevision, JsonValue, PodTemplateSpec } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { Live } from '../../client/types.ts'
import { controllerReference, type Owner } from '../pods/ownership.ts'
import { templateHash } from '../pods/template-hash.ts'

/** Names a StatefulSet's revision by the hash of its template. */
export const hashLabel = 'controller.kubernetes.io/hash'
/** The same for a DaemonSet's; and what tells on the pods of both from which revision they are. */
export const revisionLabel = 'controller-revision-hash'

type Revision = Live<ControllerRevision>

/** What the present template is among the revisions: the newest, an older one that must become the newest, or a new one. */
export type RevisionPlan =
  | { do: 'nothing'; revision: Revision }
  | { do: 'renumber'; revision: Revision; number: number }
  | { do: 'create'; number: number }

/** Compares the template with all revisions, sorted by {@link byNumber}. */
export function planRevision(template: PodTemplateSpec, revisions: readonly Revision[]): RevisionPlan {
  const data = dataOf(template)
  const newest = revisions.at(-1)
  const equal = revisions.findLast((revision) => semanticEqual(revision.data, data))
  const number = (newest?.revision ?? 0) + 1
  if (!equal) return { do: 'create', number }
  if (equal === newest) return { do: 'nothing', revision: equal }
  return { do: 'renumber', revision: equal, number }
}

/** The object that keeps a template: as a patch of its owner, which is how kubectl puts it back. */
export function revisionObject(
  owner: Owner,
  template: PodTemplateSpec,
  number: number,
  collisionCount: number,
  label: string,
): ControllerRevision & { metadata: { name: string } } {
  const hash = templateHash(template, collisionCount)
  const { name, namespace, annotations } = owner.metadata
  return {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name: `${name.slice(0, 223)}-${hash}`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { ...template.metadata?.labels, [label]: hash },
      ...(annotations ? { annotations: { ...annotations } } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    data: dataOf(template),
    revision: number,
  }
}

/** The template that a revision keeps. */
export function templateOf({ data }: Revision): PodTemplateSpec {
  const { $patch: _, ...template } = (data as unknown as RevisionData | undefined)?.spec.template ?? {}
  return template
}

/** The oldest first. */
export const byNumber = (a: Revision, b: Revision): number =>
  a.revision - b.revision ||
  compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
  compare(a.metadata.name, b.metadata.name)

/** The oldest revisions beyond the limit. Those in use do not count, and stay. */
export function surplusRevisions(
  revisions: readonly Revision[],
  inUse: (revision: Revision) => boolean,
  limit: number,
): Revision[] {
  const unused = revisions.filter((revision) => !inUse(revision))
  return unused.slice(0, Math.max(0, unused.length - limit))
}

interface RevisionData {
  spec: { template: PodTemplateSpec & { $patch?: string } }
}

/** Keys in order, at every level: clients compare it byte by byte with what they make of the template themselves. */
const dataOf = (template: PodTemplateSpec): JsonValue =>
  inOrder({ spec: { template: { ...template, $patch: 'replace' } } } as unknown as JsonValue)

function inOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(inOrder)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => compare(a, b))
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner as JsonValue)]))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
