import { CliError } from './errors.ts'
import type { FileFlags } from './flags.ts'
import type { Io } from './io.ts'
import { type ManifestObject, readManifests } from './manifests.ts'

/** The objects that `-f` or `-k` give. Throws for both. */
export async function manifestsGiven(io: Io, { filename, kustomize, recursive }: FileFlags): Promise<ManifestObject[]> {
  if (filename && kustomize) throw new CliError('only one of -f or -k can be specified')
  if (recursive && kustomize) throw new CliError("the -k flag can't be used with -f or -R")
  if (!kustomize) return readManifests(filename ?? [], { io, recursive })
  const { buildKustomization } = await import('./kustomize/build.ts')
  const objects = buildKustomization(kustomize)
  if (objects.length === 0) throw new CliError(`the kustomization of ${kustomize} makes no objects`)
  // They stand in no file as they are.
  return objects.map((object) => ({ object, source: kustomize, text: '', linesBefore: 0 }))
}

/** Those of the objects whose labels a selector fits; all without one. Throws where none is left for a verb. */
export async function selectedBy(
  selector: string | undefined,
  manifests: ManifestObject[],
  verb: string,
): Promise<ManifestObject[]> {
  if (!selector) return manifests
  const { compileSelector } = await import('../api/machinery/labels.ts')
  const matches = compileSelector(selector)
  const selected = manifests.filter(({ object }) => matches(object.metadata.labels ?? {}))
  if (selected.length === 0) throw new CliError(`no objects passed to ${verb}: none has the labels ${selector}`)
  return selected
}

/** The file of a request that is sent as it stands. Throws for several, and for what is no file. */
export function oneFile({ filename = [], kustomize }: FileFlags): string {
  const [file, ...more] = filename
  if (!file || more.length > 0 || kustomize) throw new CliError('--raw can only use a single local file or stdin')
  return file
}
