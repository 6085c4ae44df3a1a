import { parseYaml } from '../../api/machinery/json.ts'
import { CliError } from '../errors.ts'
import type { Kustomization, ReadFile, Replacement } from './kustomization.ts'
import type { Resource } from './resource.ts'
import { exactly, selected } from './selection.ts'

interface Place {
  directory: string
  read: ReadFile
}

type Values = Record<string, unknown>
type Target = NonNullable<Replacement['targets']>[number]

/** Copies values from fields of objects into those of others. */
export function applyReplacements(
  resources: readonly Resource[],
  { replacements = [] }: Kustomization,
  { directory, read }: Place,
): void {
  for (const given of replacements) {
    const all = given.path
      ? (parseYaml(read(given.path, directory).toString()).value as Replacement | Replacement[])
      : given
    for (const replacement of Array.isArray(all) ? all : [all]) {
      const { source, sourceValue, targets } = replacement
      if ((!source && sourceValue === undefined) || !targets)
        throw new CliError('replacements must specify a source and at least one target')
      if (source && sourceValue !== undefined) throw new CliError('value and resource selectors are mutually exclusive')
      const value = source ? sourceOf(resources, source) : sourceValue
      for (const target of targets) for (const resource of meantBy(resources, target)) copy(resource, target, value)
    }
  }
}

function sourceOf(resources: readonly Resource[], source: NonNullable<Replacement['source']>): unknown {
  const { fieldPath = 'metadata.name', options, ...identity } = source
  const found = exactly(resources, identity)
  const named = Object.values(identity).join(' ')
  const [one, another] = found
  if (!one) throw new CliError(`nothing selected by ${named}:${fieldPath} for a replacement`)
  if (another) throw new CliError(`multiple matches for selector ${named}:${fieldPath} of a replacement`)
  const value = stepsOf(fieldPath).reduce<unknown>((at, step) => itemOf(at, step), one.object)
  if (value === undefined || value === null || value === '')
    throw new CliError(`fieldPath \`${fieldPath}\` is missing for replacement source ${named}`)
  if (!options?.delimiter) return value
  const index = options.index ?? 0
  const part = String(value).split(options.delimiter)[index]
  if (part === undefined) throw new CliError(`options.index ${index} is out of bounds for value ${String(value)}`)
  return part
}

function meantBy(resources: readonly Resource[], { select, reject = [] }: Target): Resource[] {
  if (!select) throw new CliError('target must specify resources to select')
  const rejected = new Set(reject.flatMap((selector) => selected(resources, selector)))
  return selected(resources, select).filter((resource) => !rejected.has(resource))
}

function copy({ object }: Resource, { fieldPaths = ['metadata.name'], options = {} }: Target, value: unknown): void {
  for (const path of fieldPaths) {
    const changed = change(object, stepsOf(path), Boolean(options.create), (old) => {
      if (options.delimiter) {
        const parts = String(old ?? '').split(options.delimiter)
        const index = options.index ?? 0
        if (index < 0) parts.unshift(String(value))
        else if (index >= parts.length) parts.push(String(value))
        else parts[index] = String(value)
        return parts.join(options.delimiter)
      }
      // A text stays a text, and a number a number.
      if (typeof old === 'string' && typeof value !== 'object') return String(value)
      if (typeof old === 'number' && typeof value === 'string' && Number.isFinite(Number(value))) return Number(value)
      return structuredClone(value)
    })
    if (changed === 0)
      throw new CliError(
        `unable to find ${options.create ? 'or create ' : ''}field "${path}" in replacement target ${object.kind} ${object.metadata.name}`,
      )
  }
}

/** At dots, but not at those in brackets or behind a backslash. */
const stepsOf = (path: string): string[] =>
  (path.match(/(?:\\.|\[[^\]]*\]|[^.[\\])+/g) ?? []).map((step) => step.replace(/\\(.)/g, '$1'))

function itemOf(value: unknown, step: string): unknown {
  if (Array.isArray(value)) {
    const keyed = keyOf(step)
    if (!keyed) return value[Number(step)]
    return value.find((item: Values) => String(item?.[keyed.name]) === keyed.value)
  }
  return typeof value === 'object' && value !== null ? (value as Values)[step] : undefined
}

/** `[name=app]`. */
function keyOf(step: string): { name: string; value: string } | undefined {
  const [, name, value] = /^\[([^=]+)=(.*)\]$/.exec(step) ?? []
  return name === undefined ? undefined : { name, value: value ?? '' }
}

/** Changes what a path leads to, of which there may be several; how many there were. */
function change(at: unknown, steps: readonly string[], create: boolean, to: (old: unknown) => unknown): number {
  const [step = '', ...rest] = steps
  const into = (holder: Values | unknown[], key: string | number): number => {
    const values = holder as Values
    if (rest.length === 0) {
      if (values[key] === undefined && !create) return 0
      values[key] = to(values[key])
      return 1
    }
    if (values[key] === undefined || values[key] === null) {
      if (!create) return 0
      values[key] = rest[0]?.startsWith('[') ? [] : {}
    }
    return change(values[key], rest, create, to)
  }
  if (Array.isArray(at)) {
    if (step === '*') return at.reduce<number>((count, _, i) => count + into(at, i), 0)
    const keyed = keyOf(step)
    if (!keyed) return /^\d+$/.test(step) && Number(step) < at.length ? into(at, Number(step)) : 0
    const found = at.flatMap((item: Values, i) => (String(item?.[keyed.name]) === keyed.value ? [i] : []))
    if (found.length === 0 && create) found.push(at.push({ [keyed.name]: keyed.value }) - 1)
    return found.reduce<number>((count, i) => count + into(at, i), 0)
  }
  if (typeof at !== 'object' || at === null) return 0
  if (step === '*') return Object.keys(at).reduce<number>((count, key) => count + into(at as Values, key), 0)
  return into(at as Values, step)
}
