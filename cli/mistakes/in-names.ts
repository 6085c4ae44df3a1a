import { StatusError } from '../../api/machinery/errors.ts'
import { pathOf } from '../../client/client.ts'
import type { ServedKind } from '../kinds.ts'
import { nearest } from '../nearest.ts'
import type { NamedObject } from '../objects.ts'
import type { Session } from '../session.ts'

const metadataList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
const most = '1000'

/** What was meant by a name that is not there, in a line; empty where nobody knows. */
export async function nameHint(session: Session, error: unknown): Promise<string> {
  if (!(error instanceof StatusError) || error.code !== 404) return ''
  const { kind: plural, group = '', name = '' } = error.details ?? {}
  if (!plural || !name) return ''
  return quietly(async () => {
    const { all } = await session.kinds()
    const kind = all.find((one) => one.plural === plural && one.group === group)
    if (!kind) return ''
    if (kind.namespaced) {
      const namespace = await namespaceHint(session)
      if (namespace !== '') return namespace
    }
    const found = await namesOf(session, kind, undefined)
    const here = found.filter(({ metadata }) => !kind.namespaced || metadata.namespace === session.namespace)
    const meant = nearest(
      name,
      here.map(({ metadata }) => metadata.name),
    )
    if (meant) return `Did you mean "${meant}"?\n`
    const elsewhere = found.find(({ metadata }) => metadata.name === name)?.metadata.namespace
    return elsewhere ? `There is one in the namespace "${elsewhere}": add -n ${elsewhere}\n` : ''
  })
}

/** Whether the namespace asked for is there at all, and which was meant; empty where it is. */
export function namespaceHint(session: Session): Promise<string> {
  return quietly(async () => {
    const kind = (await session.kinds()).named('namespaces')
    const names = (await namesOf(session, kind, undefined)).map(({ metadata }) => metadata.name)
    if (names.includes(session.namespace)) return ''
    const meant = nearest(session.namespace, names)
    return `There is no namespace "${session.namespace}"${meant ? `. Did you mean "${meant}"?` : ''}\n`
  })
}

async function namesOf(session: Session, kind: ServedKind, namespace: string | undefined): Promise<NamedObject[]> {
  const { items } = await session.json<{ items: NamedObject[] }>('GET', pathOf(kind, namespace), {
    query: { limit: most },
    headers: { accept: metadataList },
  })
  return items
}

/** A hint that cannot be had (for want of rights, say) is none; what went wrong has been told already. */
async function quietly(find: () => Promise<string>): Promise<string> {
  try {
    return await find()
  } catch {
    return ''
  }
}
