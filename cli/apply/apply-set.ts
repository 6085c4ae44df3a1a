import { createHash } from 'node:crypto'
import { pathOf } from '../../client/client.ts'
import { isForbidden, isNotFound } from '../../client/errors.ts'
import { CliError } from '../errors.ts'
import { type Kinds, kindName, type ServedKind } from '../kinds.ts'
import { listObjects, type NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'
import { objectAt } from '../until.ts'

/** Names that KEP-3659 gives; other tools read them, too. */
export const partOfLabel = 'applyset.kubernetes.io/part-of'
const idLabel = 'applyset.kubernetes.io/id'
const toolingAnnotation = 'applyset.kubernetes.io/tooling'
const kindsAnnotation = 'applyset.kubernetes.io/contains-group-kinds'
const namespacesAnnotation = 'applyset.kubernetes.io/additional-namespaces'
const tooling = 'gantry/v1'

/** What was applied together, kept by an object that remembers which kinds and namespaces it is spread over. */
export interface ApplySet {
  kind: ServedKind
  name: string
  namespace: string
  id: string
  /** What it was spread over before; undefined where it is new. */
  before: { kinds: string[]; namespaces: string[] } | undefined
}

/** `settings`, `configmaps/settings`, `secrets/settings`: where a set is remembered. */
export async function readApplySet(session: Session, text: string): Promise<ApplySet> {
  const kinds = await session.kinds()
  const [word = '', named] = text.split('/')
  const kind = kinds.named(named === undefined ? 'secrets' : word)
  const name = named ?? word
  if (kind.plural !== 'secrets' && kind.plural !== 'configmaps')
    throw new CliError(`--applyset: ${kind.plural} cannot remember a set: write NAME, secrets/NAME or configmaps/NAME`)
  const { namespace } = session
  const id = applySetId(name, namespace, kind)
  const parent = await objectAt(session, { kind, name, namespace })
  if (!parent) return { kind, name, namespace, id, before: undefined }
  const { labels = {}, annotations = {} } = parent.metadata
  if (labels[idLabel] !== id)
    throw new CliError(`${kindName(kind)}/${name} is something else than a set: choose another name for --applyset`)
  const by = annotations[toolingAnnotation] ?? ''
  if (by.split('/')[0] !== tooling.split('/')[0])
    throw new CliError(`the set ${kindName(kind)}/${name} belongs to ${by || 'another tool'}: only that may change it`)
  const words = (key: string) => (annotations[key] ?? '').split(',').filter((part) => part !== '')
  return {
    kind,
    name,
    namespace,
    id,
    before: { kinds: words(kindsAnnotation), namespaces: words(namespacesAnnotation) },
  }
}

/** By which its members know it: a digest of where it is remembered. */
export function applySetId(
  name: string,
  namespace: string,
  { kind, group }: Pick<ServedKind, 'kind' | 'group'>,
): string {
  const digest = createHash('sha256').update([name, namespace, kind, group].join('.')).digest('base64url')
  return `applyset-${digest}-v1`
}

export interface Member {
  kind: ServedKind
  object: NamedObject
}

/** The object that remembers the set, spread over these members and, while not all is done, over what it was before. */
export function parentOf(set: ApplySet, members: readonly Member[], withBefore: boolean): NamedObject {
  const before = (withBefore && set.before) || { kinds: [], namespaces: [] }
  const kinds = new Set([...before.kinds, ...members.map(({ kind }) => groupKind(kind))])
  const namespaces = new Set([
    ...before.namespaces,
    ...members.flatMap(({ object }) => object.metadata.namespace ?? []),
  ])
  namespaces.delete(set.namespace)
  return {
    apiVersion: 'v1',
    kind: set.kind.kind,
    metadata: {
      name: set.name,
      namespace: set.namespace,
      labels: { [idLabel]: set.id },
      annotations: {
        [toolingAnnotation]: tooling,
        [kindsAnnotation]: [...kinds].sort().join(','),
        [namespacesAnnotation]: [...namespaces].sort().join(','),
      },
    },
  }
}

/** Writes what the set is spread over. */
export function writeParent(
  session: Session,
  parent: NamedObject,
  { kind, namespace, name }: ApplySet,
): Promise<unknown> {
  return session.json('PATCH', pathOf(kind, namespace, name), {
    query: { fieldManager: 'gantry-applyset', force: 'true' },
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: JSON.stringify(parent),
  })
}

/** What belongs to the set and was not applied this time. */
export async function leftOver(session: Session, set: ApplySet, members: readonly Member[]): Promise<Member[]> {
  if (!set.before) return []
  const kinds = await session.kinds()
  const applied = new Set(members.map(keyOf))
  const namespaces = new Set([set.namespace, ...set.before.namespaces])
  const found = await Promise.all(
    set.before.kinds.flatMap((text) => {
      const kind = kindOf(kinds, text)
      // A kind that is no longer served has no members.
      if (!kind) return []
      return (kind.namespaced ? [...namespaces] : [undefined]).map((namespace) =>
        membersIn(session, set, kind, namespace),
      )
    }),
  )
  return found.flat().filter((member) => !applied.has(keyOf(member)))
}

async function membersIn(
  session: Session,
  set: ApplySet,
  kind: ServedKind,
  namespace: string | undefined,
): Promise<Member[]> {
  try {
    const objects = await listObjects(session, kind, { namespace, labelSelector: `${partOfLabel}=${set.id}` })
    return objects.map((object) => ({ kind, object }))
  } catch (error) {
    if (isForbidden(error) || !isNotFound(error)) throw error
    return []
  }
}

const keyOf = ({ kind, object: { metadata } }: Member): string =>
  [groupKind(kind), metadata.namespace ?? '', metadata.name].join('/')

const groupKind = ({ kind, group }: ServedKind): string => (group === '' ? kind : `${kind}.${group}`)

function kindOf(kinds: Kinds, text: string): ServedKind | undefined {
  return kinds.all.find((kind) => groupKind(kind) === text && kind.verbs.includes('list'))
}
