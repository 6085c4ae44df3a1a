import { CliError } from './errors.ts'
import { areGiven, type FileFlags } from './flags.ts'
import { manifestsGiven } from './manifests-given.ts'
import { getObject } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { readSubjects, type Subject } from './workloads.ts'

/** How verbs are told which objects they are about. */
export interface SubjectFlags extends FileFlags {
  all?: boolean
  allNamespaces?: boolean
  selector?: string
  fieldSelector?: string
}

/** The objects that words, files or a selection give. Throws where a kind stands alone and nothing says which of it. */
export async function subjectsGiven(
  session: Session,
  words: readonly string[],
  flags: SubjectFlags,
): Promise<Subject[]> {
  if (areGiven(flags)) {
    const kinds = await session.kinds()
    const manifests = await manifestsGiven(session.io, flags)
    return Promise.all(
      manifests.map(async ({ object }) => {
        const kind = kinds.of(object.apiVersion, object.kind)
        const namespace = kind.namespaced ? object.metadata.namespace || session.namespace : undefined
        return { kind, object: await getObject(session, kind, object.metadata.name ?? '', namespace) }
      }),
    )
  }
  if (words.length === 0)
    throw new CliError('one or more resources must be specified as <resource> <name> or <resource>/<name>')
  const selecting = flags.all || flags.selector || flags.fieldSelector
  if (!selecting && parseTargets(words, await session.kinds()).type === 'all')
    throw new CliError('resource(s) were provided, but no name was specified. Give names, -l LABELS, or --all')
  return readSubjects(session, words, {
    ...(flags.selector ? { labelSelector: flags.selector } : {}),
    ...(flags.fieldSelector ? { fieldSelector: flags.fieldSelector } : {}),
    ...(flags.allNamespaces ? { namespace: undefined } : {}),
  })
}
