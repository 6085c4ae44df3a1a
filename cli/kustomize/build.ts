import { statSync } from 'node:fs'
import { basename, resolve } from 'node:path'
import { CliError } from '../errors.ts'
import { type ManifestObject, parseManifest } from '../manifests.ts'
import { generate } from './generators.ts'
import { fileReader, type Kustomization, placeOf, type ReadFile, readKustomization } from './kustomization.ts'
import { addHashes, fixReferences } from './names.ts'
import { applyJsonPatches, applyPatches } from './patches.ts'
import { applyReplacements } from './replacements.ts'
import { described, identityOf, known, newResource, type Resource } from './resource.ts'
import { inOrder, setImages, setLabels, setNames, setNamespace, setReplicas } from './transform.ts'

/**
 * The objects that the kustomization of a directory makes, in the order in which kustomize shows them. Throws a CliError
 * that says what is wrong in which file.
 */
export function buildKustomization(path: string, { anywhere = false } = {}): ManifestObject['object'][] {
  const directory = resolve(placeOf(path, '.'))
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw new CliError(`must build at directory: '${directory}' is none`)
  const kustomization = readKustomization(directory)
  const resources: Resource[] = []
  accumulate(resources, kustomization, { directory, read: fileReader(anywhere), above: [directory] })
  addHashes(resources)
  fixReferences(resources)
  return inOrder(resources, kustomization)
    .map(({ object }) => object)
    .filter(({ metadata }) => (metadata.annotations?.['config.kubernetes.io/local-config'] ?? 'false') === 'false')
}

interface Place {
  directory: string
  read: ReadFile
  /** The directories that led here, so that none leads back to one of them. */
  above: readonly string[]
}

/** Does what a kustomization says, to what it names and to what is there. */
function accumulate(resources: Resource[], kustomization: Kustomization, place: Place): void {
  for (const path of [...(kustomization.resources ?? []), ...(kustomization.bases ?? [])])
    for (const resource of loaded(path, place)) add(resources, resource)
  generate(resources, kustomization, place)
  for (const path of kustomization.components ?? []) {
    const below = enter(path, place)
    const component = readKustomization(below.directory)
    if (component.kind !== 'Component')
      throw new CliError(
        `expected kind 'Component' for path '${below.directory}' but got '${component.kind ?? 'Kustomization'}'`,
      )
    accumulate(resources, component, below)
  }
  applyPatches(resources, kustomization, place)
  setNamespace(resources, kustomization)
  setNames(resources, kustomization)
  setLabels(resources, kustomization)
  applyJsonPatches(resources, kustomization, place)
  setReplicas(resources, kustomization)
  setImages(resources, kustomization)
  applyReplacements(resources, kustomization, place)
}

/** The objects of a file, or of the kustomization of a directory. */
function loaded(path: string, place: Place): Resource[] {
  const full = placeOf(path, place.directory)
  if (!statSync(full, { throwIfNoEntry: false })?.isDirectory())
    return parseManifest(place.read(path, place.directory).toString(), full).map(({ object }) => newResource(object))
  const below = enter(path, place)
  const kustomization = readKustomization(below.directory)
  if (kustomization.kind === 'Component')
    throw new CliError(`expected kind != 'Component' for path '${below.directory}': name it under components`)
  const resources: Resource[] = []
  accumulate(resources, kustomization, below)
  return resources
}

function enter(path: string, { directory, read, above }: Place): Place {
  const place = placeOf(path, directory)
  if (above.includes(place))
    throw new CliError(`cycle detected: ${[...above, place].map((one) => basename(one)).join(' -> ')}`)
  return { directory: place, read, above: [...above, place] }
}

function add(resources: Resource[], resource: Resource): void {
  const identity = identityOf(resource.object)
  if (known(resources, identity).some(({ object }) => described(identityOf(object)) === described(identity)))
    throw new CliError(`may not add resource with an already registered id: ${described(identity)}`)
  resources.push(resource)
}
