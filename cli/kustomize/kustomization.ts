import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parseYaml } from '../../api/machinery/json.ts'
import { CliError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import type { FieldSpec } from './fields.ts'
import type { Identity } from './resource.ts'

/** Which objects a patch or a replacement is about: parts are regular expressions for the whole. */
export interface Selector extends Identity {
  labelSelector?: string
  annotationSelector?: string
}

export interface Patch {
  patch?: string
  path?: string
  target?: Selector
  options?: { allowNameChange?: boolean; allowKindChange?: boolean }
}

export interface GeneratorOptions {
  labels?: Record<string, string>
  annotations?: Record<string, string>
  disableNameSuffixHash?: boolean
  immutable?: boolean
}

export interface Generated {
  name?: string
  namespace?: string
  behavior?: string
  files?: string[]
  literals?: string[]
  envs?: string[]
  env?: string
  type?: string
  options?: GeneratorOptions
}

export interface Image {
  name: string
  newName?: string
  newTag?: string
  digest?: string
  tagSuffix?: string
}

interface FieldOptions {
  delimiter?: string
  index?: number
  create?: boolean
}

export interface Replacement {
  path?: string
  source?: Identity & { fieldPath?: string; options?: FieldOptions }
  sourceValue?: string
  targets?: { select?: Selector; reject?: Selector[]; fieldPaths?: string[]; options?: FieldOptions }[]
}

export interface LabelSet {
  pairs?: Record<string, string>
  includeSelectors?: boolean
  includeTemplates?: boolean
  fields?: FieldSpec[]
}

/** A kustomization file. */
export interface Kustomization {
  apiVersion?: string
  kind?: string
  resources?: string[]
  bases?: string[]
  components?: string[]
  namespace?: string
  namePrefix?: string
  nameSuffix?: string
  commonLabels?: Record<string, string>
  labels?: LabelSet[]
  commonAnnotations?: Record<string, string>
  images?: Image[]
  imageTags?: Image[]
  replicas?: { name: string; count: number }[]
  configMapGenerator?: Generated[]
  secretGenerator?: Generated[]
  generatorOptions?: GeneratorOptions
  patches?: Patch[]
  patchesStrategicMerge?: string[]
  patchesJson6902?: Patch[]
  replacements?: Replacement[]
  sortOptions?: { order?: string; legacySortOptions?: { orderFirst?: string[]; orderLast?: string[] } }
}

const fields = new Set(
  `apiVersion kind metadata resources bases components namespace namePrefix nameSuffix commonLabels labels commonAnnotations
  images imageTags replicas configMapGenerator secretGenerator generatorOptions patches patchesStrategicMerge
  patchesJson6902 replacements sortOptions`.split(/\s+/),
)

/** What kustomize has beside, and what to do instead. */
const unsupported: Readonly<Record<string, string>> = {
  vars: 'write replacements',
  helmCharts: 'run helm template, and name its output in resources',
  helmGlobals: 'run helm template, and name its output in resources',
  helmChartInflationGenerator: 'run helm template, and name its output in resources',
  generators: 'run kustomize itself',
  transformers: 'run kustomize itself',
  validators: 'run kustomize itself',
  configurations: 'run kustomize itself',
  crds: 'run kustomize itself',
  openapi: 'run kustomize itself',
  buildMetadata: 'run kustomize itself',
}

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** The kustomization of a directory. Throws a CliError for what is unknown in it, with what was meant. */
export function readKustomization(directory: string): Kustomization {
  const found = names.map((name) => join(directory, name)).filter((file) => existsSync(file))
  const [file, another] = found
  if (!file)
    throw new CliError(
      `unable to find one of '${names.slice(0, 2).join("', '")}' or '${names[2]}' in directory '${directory}'`,
    )
  if (another) throw new CliError(`Found multiple kustomization files under: ${directory}`)
  const value = parsed(readFileSync(file, 'utf8'), file)
  if (typeof value !== 'object' || value === null) throw new CliError(`kustomization.yaml is empty: ${file}`)
  for (const field of Object.keys(value)) {
    if (fields.has(field)) continue
    if (unsupported[field]) throw new CliError(`${file}: ${field} is not supported here: ${unsupported[field]}`)
    const meant = nearest(field, fields)
    throw new CliError(
      `invalid Kustomization: ${file}: unknown field "${field}"${meant ? `. Did you mean "${meant}"?` : ''}`,
    )
  }
  return value as Kustomization
}

function parsed(text: string, file: string): unknown {
  try {
    const { value, duplicates } = parseYaml(text)
    if (duplicates.length > 0) throw new Error(duplicates.join(', '))
    return value
  } catch (error) {
    throw new CliError(`error parsing ${file}: ${(error as Error).message}`)
  }
}

/** Whether a place is on another machine. */
const isRemote = (path: string): boolean => /^[a-z+]+:\/\/|^git@|^github\.com[/:]|\?ref=|\.git(?:\/|$)/.test(path)

/** Where a path leads. Throws for one on another machine. */
export function placeOf(path: string, directory: string): string {
  if (isRemote(path))
    throw new CliError(
      `${path} is on another machine, from where nothing is fetched here: clone it, and name the directory in its place`,
    )
  return resolve(directory, path)
}

/** How files are read: those outside the directory of the kustomization only where that is allowed. */
export type ReadFile = (path: string, directory: string) => Buffer

/** Reads files; `anywhere` also those outside. */
export const fileReader =
  (anywhere: boolean): ReadFile =>
  (path, directory) => {
    const place = placeOf(path, directory)
    if (!anywhere && relative(directory, place).startsWith('..'))
      throw new CliError(
        `security; file '${place}' is not in or below '${directory}'; --load-restrictor=LoadRestrictionsNone allows it`,
      )
    const stat = statSync(place, { throwIfNoEntry: false })
    if (!stat) throw new CliError(`${place}: no such file or directory, named in the kustomization of ${directory}`)
    if (stat.isDirectory()) throw new CliError(`'${place}' is a directory, where a file should be`)
    return readFileSync(place)
  }
