import type { LabelSelector, Service } from '../../api/generated/types.ts'
import { labelSelectorMatches } from '../../api/machinery/labels.ts'
import { pathOf } from '../../client/client.ts'
import { isForbidden, isNotFound } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import { type Health, healthOf } from '../health.ts'
import { kindName, type ServedKind } from '../kinds.ts'
import { getObject, listMetadata, listObjects, type NamedObject, namespaceFor } from '../objects.ts'
import type { Session } from '../session.ts'
import { type Subject, templateOf } from '../workloads.ts'
import { referencesOf } from './references.ts'

/** A line of a tree, and those below it. */
export interface Branch {
  name: string
  health: Health
  children: Branch[]
}

const mostShown = 500

/** An object with what it owns, what it needs, and who uses it. */
export async function collectTree(session: Session, subject: Subject): Promise<Branch> {
  const [owned, needed, users] = await Promise.all([
    ownedBy(session, subject),
    neededBy(session, subject),
    usersOf(session, subject),
  ])
  return {
    ...branchOf(subject),
    children: [group('owns', owned), group('needs', needed), group('is used by', users)].filter(
      ({ children }) => children.length > 0,
    ),
  }
}

const group = (name: string, children: Branch[]): Branch => ({ name, health: { state: 'unknown', text: '' }, children })

const branchOf = (subject: Subject): Branch => ({
  name: `${kindName(subject.kind)}/${subject.object.metadata.name}`,
  health: healthOf(subject),
  children: [],
})

/** What names it as its owner, and what names that, in the whole namespace, whatever kind it is of. */
async function ownedBy(session: Session, root: Subject): Promise<Branch[]> {
  const { namespace, uid = '' } = root.object.metadata
  const { all } = await session.kinds()
  const seen = new Set<string>()
  const listed = all.filter(({ group: of, plural, namespaced, verbs }) => {
    const name = `${of}/${plural}`
    const isOwnable = verbs.includes('list') && verbs.includes('delete') && plural !== 'events'
    if (!isOwnable || seen.has(name) || (namespace !== undefined && !namespaced)) return false
    seen.add(name)
    return true
  })
  const lists = await Promise.all(
    listed.map(async (kind) => ({ kind, items: await metadataOf(session, kind, namespace) })),
  )
  const byOwner = new Map<string, { kind: ServedKind; object: NamedObject }[]>()
  for (const { kind, items } of lists)
    for (const object of items)
      for (const { uid: owner } of object.metadata.ownerReferences ?? [])
        byOwner.set(owner, [...(byOwner.get(owner) ?? []), { kind, object }])
  let shown = 0
  const below = async (owner: string): Promise<Branch[]> =>
    Promise.all(
      (byOwner.get(owner) ?? []).map(async ({ kind, object: { metadata } }) => {
        if (++shown > mostShown) return { ...branchOf({ kind, object: { metadata } as NamedObject }), health: unknown }
        const whole = await present(session, kind, metadata.name, metadata.namespace)
        const own = whole ? branchOf({ kind, object: whole }) : branchOf({ kind, object: { metadata } as NamedObject })
        return { ...own, children: await below(metadata.uid ?? '') }
      }),
    )
  return below(uid)
}

const unknown: Health = { state: 'unknown', text: '' }

async function metadataOf(session: Session, kind: ServedKind, namespace: string | undefined): Promise<NamedObject[]> {
  try {
    return await listMetadata(session, pathOf(kind, namespace))
  } catch (error) {
    // What one may not see is not shown.
    if (isForbidden(error) || isNotFound(error)) return []
    throw error
  }
}

async function neededBy(session: Session, subject: Subject): Promise<Branch[]> {
  const kinds = await session.kinds()
  return Promise.all(
    referencesOf(subject).map(async ({ resource, name, optional }): Promise<Branch> => {
      const kind = kinds.named(resource)
      const namespace = kind.namespaced ? subject.object.metadata.namespace : undefined
      const label = `${kindName(kind)}/${name}`
      try {
        const object = await present(session, kind, name, namespace)
        if (object) return branchOf({ kind, object })
        const health: Health = optional
          ? { state: 'unknown', text: 'missing, and may be' }
          : { state: 'ill', text: 'missing' }
        return { name: label, health, children: [] }
      } catch (error) {
        if (!isForbidden(error)) throw error
        return { name: label, health: { state: 'unknown', text: 'not yours to see' }, children: [] }
      }
    }),
  )
}

/** Services, budgets and autoscalers that are about its pods, and what names it. */
async function usersOf(session: Session, subject: Subject): Promise<Branch[]> {
  const { namespace, name } = subject.object.metadata
  if (namespace === undefined) return []
  const kinds = await session.kinds()
  const labels =
    subject.kind.kind === 'Pod' ? subject.object.metadata.labels : templateOf(subject.object)?.metadata?.labels
  const candidates = [
    ...[
      'services',
      'poddisruptionbudgets.policy',
      'horizontalpodautoscalers.autoscaling',
      'ingresses.networking.k8s.io',
    ],
    ...['pods', 'deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'cronjobs.batch', 'persistentvolumeclaims'],
  ].map((word) => kinds.named(word))
  const lists = await Promise.all(
    candidates.map(async (kind) => {
      try {
        return (await listObjects(session, kind, { namespace })).map((object) => ({ kind, object }))
      } catch (error) {
        if (isForbidden(error)) return []
        throw error
      }
    }),
  )
  const isUser = (other: Subject): boolean => {
    const { kind, object } = other
    if (kind.kind === 'Service') {
      const { selector } = (object as unknown as Live<Service>).spec ?? {}
      return Boolean(labels && selector) && labelSelectorMatches({ matchLabels: selector ?? {} }, labels ?? {})
    }
    if (kind.kind === 'PodDisruptionBudget') {
      const { selector } = (object.spec ?? {}) as { selector?: LabelSelector }
      return Boolean(labels && selector) && labelSelectorMatches(selector ?? {}, labels ?? {})
    }
    // A pod that a workload made says nothing that the workload does not.
    if (kind.kind === 'Pod' && object.metadata.ownerReferences?.length) return false
    return referencesOf(other).some(
      (one) => one.name === name && kinds.named(one.resource) === kinds.named(resourceOf(subject.kind)),
    )
  }
  return lists.flat().filter(isUser).map(branchOf)
}

const resourceOf = ({ plural, group: of }: ServedKind): string => (of ? `${plural}.${of}` : plural)

async function present(
  session: Session,
  kind: ServedKind,
  name: string,
  namespace: string | undefined,
): Promise<NamedObject | undefined> {
  try {
    return await getObject(session, kind, name, namespace ?? namespaceFor(session, kind))
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
