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
