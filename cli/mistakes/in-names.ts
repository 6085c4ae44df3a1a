import { StatusError } from '../../api/machinery/errors.ts'
import { pathOf } from '../../client/client.ts'
import { WhileDoing } from '../errors.ts'
import type { ServedKind } from '../kinds.ts'
import { nearest } from '../nearest.ts'
import { listMetadata, type NamedObject, type Selection, selectionQuery } from '../objects.ts'
import type { Session } from '../session.ts'
import { workloadKinds } from '../workloads.ts'

const most = '1000'

/** What was meant by a name that is not there, in a line; empty where nobody knows. */
export async function nameHint(session: Session, error: unknown): Promise<string> {
  const refusal = error instanceof WhileDoing ? error.refusal : error
  if (!(refusal instanceof StatusError) || refusal.code !== 404) return ''
  const { kind: plural, group = '', name = '' } = refusal.details ?? {}
  if (!plural || !name) return ''
  return quietly(async () => {
    // Usage is told of what has another kind: `podmetrics.metrics.k8s.io "default/web"`.
    if (group === 'metrics.k8s.io') {
      const kind = (await session.kinds()).named(plural.startsWith('node') ? 'nodes' : 'pods')
      return hintOf(session, kind, name.split('/').at(-1) as string)
    }
    const kind = (await session.kinds()).all.find((one) => one.plural === plural && one.group === group)
    if (!kind) return ''
    const hint = await hintOf(session, kind, name)
    // What was to be written there is not lost: the namespace is easily made.
    const isWritten = plural === 'namespaces' && (error instanceof WhileDoing || name === session.namespace)
    return hint === '' && isWritten ? `Make it first: gantry create namespace ${name}\n` : hint
  })
}

/** The same of an object of a kind that is not there. */
export const missingHint = (session: Session, kind: ServedKind, name: string): Promise<string> =>
  quietly(() => hintOf(session, kind, name))

async function hintOf(session: Session, kind: ServedKind, name: string): Promise<string> {
  if (kind.namespaced) {
    const namespace = await namespaceHint(session)
    if (namespace !== '') return namespace
  }
  const found = await namesOf(session, kind)
  const here = found.filter(({ metadata }) => !kind.namespaced || metadata.namespace === session.namespace)
  if (here.some(({ metadata }) => metadata.name === name)) return ''
  const maker = await makerOf(session, kind, name)
  if (maker !== '') return `Did you mean ${maker}/${name}?\n`
  const elsewhere = found.find(({ metadata }) => metadata.name === name)?.metadata.namespace
  if (elsewhere) return `There is one in the namespace "${elsewhere}": add -n ${elsewhere}\n`
  const meant = nearest(
    name,
    here.map(({ metadata }) => metadata.name),
  )
  return meant ? `Did you mean "${meant}"?\n` : ''
}

/** What makes pods under the name that a pod was looked for by, in the words of the command line; empty where nothing does. */
async function makerOf(session: Session, kind: ServedKind, name: string): Promise<string> {
  if (kind.plural !== 'pods' || kind.group !== '') return ''
  const kinds = (await session.kinds()).all.filter(({ group, plural }) => workloadKinds.includes(`${plural}.${group}`))
  const found = await Promise.all(
    kinds.map(async (one) => {
      const path = pathOf(one, session.namespace)
      return listMetadata(session, path, { fieldSelector: `metadata.name=${name}` }).catch(() => [])
    }),
  )
  return kinds.find((_, i) => found[i]?.length)?.singular ?? ''
}

/** Where there are objects of a kind when none are in the namespace that was looked in; empty where there are none. */
export function elsewhereHint(
  session: Session,
  kind: ServedKind,
  { labelSelector, fieldSelector }: Pick<Selection, 'labelSelector' | 'fieldSelector'> = {},
): Promise<string> {
  return quietly(async () => {
    if (!kind.namespaced) return ''
    const wrong = session.namespaceGiven ? await namespaceHint(session) : ''
    if (wrong !== '') return wrong
    const found = await namesOf(session, kind, selectionQuery({ labelSelector, fieldSelector }))
    const [first, ...others] = new Set(found.flatMap(({ metadata }) => metadata.namespace ?? []))
    if (first === undefined || first === session.namespace) return ''
    return others.length === 0
      ? `There ${found.length === 1 ? 'is one' : `are ${found.length}`} in the namespace "${first}": add -n ${first}\n`
      : `There are some in other namespaces (${[first, ...others.slice(0, 2)].join(', ')}${others.length > 2 ? ', …' : ''}): add -n NAME, or -A for all\n`
  })
}

/** Whether the namespace asked for is there at all, and which was meant; empty where it is. */
export function namespaceHint(session: Session): Promise<string> {
  return quietly(async () => {
    const kind = (await session.kinds()).named('namespaces')
    const names = (await namesOf(session, kind)).map(({ metadata }) => metadata.name)
    if (names.includes(session.namespace)) return ''
    const meant = nearest(session.namespace, names)
    return `There is no namespace "${session.namespace}"${meant ? `. Did you mean "${meant}"?` : ''}\n`
  })
}

const namesOf = (session: Session, kind: ServedKind, query: Record<string, string> = {}): Promise<NamedObject[]> =>
  listMetadata(session, pathOf(kind), { ...query, limit: most })

/** A hint that cannot be had (for want of rights, say) is none; what went wrong has been told already. */
async function quietly(find: () => Promise<string>): Promise<string> {
  try {
    return await find()
  } catch {
    return ''
  }
}
