import { CliError } from './errors.ts'
import { areGiven, type FileFlags } from './flags.ts'
import type { ServedKind } from './kinds.ts'
import { manifestsGiven } from './manifests-given.ts'
import { getObject, type NamedObject } from './objects.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import { wellKnownKinds } from './well-known.ts'
import { readSubjects, type Subject } from './workloads.ts'

/** How verbs are told which objects they are about. */
export interface SubjectFlags extends FileFlags {
  all?: boolean
  allNamespaces?: boolean
  selector?: string
  fieldSelector?: string
  /** The files themselves are changed: nobody is asked what is there. */
  local?: boolean
}

/** The objects that words, files or a selection give. Throws where a kind stands alone and nothing says which of it. */
export async function subjectsGiven(
  session: Session,
  words: readonly string[],
  flags: SubjectFlags,
): Promise<Subject[]> {
  if (flags.local) return localSubjects(session, words, flags)
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

async function localSubjects(session: Session, words: readonly string[], flags: SubjectFlags): Promise<Subject[]> {
  if (!areGiven(flags))
    throw new CliError('--local changes what files say: name them with -f, or a kustomization with -k')
  if (words.length > 0)
    throw new CliError(`--local asks no server, which alone knows ${words.join(' ')}: give files with -f instead`)
  const manifests = await manifestsGiven(session.io, flags)
  return manifests.map(({ object }) => ({ kind: kindSaid(object), object: object as NamedObject }))
}

/** The kind of a manifest as far as can be told without a server: enough to change it. */
function kindSaid({ apiVersion, kind }: { apiVersion: string; kind: string }): ServedKind {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const known = wellKnownKinds.find((one) => one.kind === kind && one.group === group && one.version === version)
  if (known) return known
  const singular = kind.toLowerCase()
  const unknown = { namespaced: true, shortNames: [], categories: [], verbs: [], subresources: [] }
  return { group, version, kind, singular, plural: `${singular}s`, ...unknown }
}
