import { CliError } from './errors.ts'
import { areGiven } from './flags.ts'
import { manifestsGiven } from './manifests-given.ts'
import { listObjects, namespaceFor } from './objects.ts'
import type { Session } from './session.ts'
import type { SubjectFlags } from './subjects.ts'
import { parseTargets } from './targets.ts'
import type { Place } from './until.ts'

/** Where the objects are that words, files or a selection give, whether they are there or not. `unnamed` is said of nothing. */
export async function placesGiven(
  session: Session,
  words: readonly string[],
  flags: SubjectFlags,
  unnamed: string,
): Promise<Place[]> {
  const kinds = await session.kinds()
  if (areGiven(flags)) {
    const manifests = await manifestsGiven(session.io, flags)
    return manifests.map(({ object }) => {
      const kind = kinds.of(object.apiVersion, object.kind)
      const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
      return { kind, name: object.metadata.name ?? '', namespace }
    })
  }
  if (words.length === 0) throw new CliError(unnamed)
  const targets = parseTargets(words, kinds)
  if (targets.type === 'named')
    return targets.objects.map(({ kind, name }) => ({ kind, name, namespace: namespaceFor(session, kind) }))
  if (!flags.all && !flags.selector && !flags.fieldSelector)
    throw new CliError('resource(s) were provided, but no name was specified. Give names, -l LABELS, or --all')
  const lists = await Promise.all(
    targets.kinds.map(async (kind) => {
      const objects = await listObjects(session, kind, {
        namespace: namespaceFor(session, kind, flags.allNamespaces),
        labelSelector: flags.selector,
        fieldSelector: flags.fieldSelector,
      })
      return objects.map(({ metadata }) => ({ kind, name: metadata.name, namespace: metadata.namespace }))
    }),
  )
  return lists.flat()
}
