import { withCondition } from '../../../api/apiextensions/index.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionNames } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import { sameJson } from '../../registry/json.ts'

type Definition = Stored<CustomResourceDefinition>
type Status = NonNullable<Definition['status']>

/** Names that other definitions of the group have been granted. */
interface Taken {
  resources: ReadonlySet<string>
  kinds: ReadonlySet<string>
}

/**
 * The status that says which of the names a definition asks for it has: those nobody else of its group was granted
 * before. Undefined: it says so already.
 */
export function decideNames(definition: Definition, others: readonly Definition[], nowMs: number): Status | undefined {
  const { spec, status } = definition
  const wanted = spec.names
  const before: Partial<CustomResourceDefinitionNames> = status?.acceptedNames ?? {}
  const { names, conflict } = grant(wanted, before, takenBy(others, spec.group))
  const accepted = conflict
    ? { status: 'False', ...conflict }
    : { status: 'True', reason: 'NoConflicts', message: 'no conflicts found' }
  let conditions = withCondition(status?.conditions, { type: 'NamesAccepted', ...accepted }, nowMs)
  if (!conditions.some(({ type, status: is }) => type === 'Established' && is === 'True')) {
    const why = conflict
      ? { reason: 'NotAccepted', message: 'not all names are accepted' }
      : { reason: 'Installing', message: 'the initial names have been accepted' }
    const isNew = !conflict || !conditions.some(({ type }) => type === 'Established')
    if (isNew) conditions = withCondition(conditions, { type: 'Established', status: 'False', ...why }, nowMs)
  }
  const next = { ...status, acceptedNames: names, conditions }
  return sameJson(next, status) ? undefined : next
}

function takenBy(others: readonly Definition[], group: string): Taken {
  const names = others.filter(({ spec }) => spec.group === group).flatMap(({ status }) => status?.acceptedNames ?? [])
  const given = (values: (string | undefined)[]) =>
    new Set(values.filter((value) => value !== undefined && value !== ''))
  return {
    resources: given(
      names.flatMap(({ plural, singular, shortNames }) => [plural, singular, ...(shortNames ?? [])]),
    ) as Set<string>,
    kinds: given(names.flatMap(({ kind, listKind }) => [kind, listKind])) as Set<string>,
  }
}

function grant(
  wanted: CustomResourceDefinitionNames,
  before: Partial<CustomResourceDefinitionNames>,
  taken: Taken,
): { names: CustomResourceDefinitionNames; conflict?: { reason: string; message: string } } {
  const names = { ...before }
  let conflict: { reason: string; message: string } | undefined
  const inUse = (name: string) => `${JSON.stringify(name)} is already in use`
  const one = (field: 'plural' | 'singular' | 'kind' | 'listKind', among: ReadonlySet<string>, reason: string) => {
    const name = wanted[field] ?? ''
    if (name !== before[field] && among.has(name)) conflict = { reason, message: inUse(name) }
    else if (name !== '') names[field] = name
  }
  one('plural', taken.resources, 'PluralConflict')
  one('singular', taken.resources, 'SingularConflict')
  const shortNames = wanted.shortNames ?? []
  const clashing = shortNames.filter((name) => !before.shortNames?.includes(name) && taken.resources.has(name))
  if (clashing.length > 0) {
    const message = clashing.length === 1 ? inUse(clashing[0] as string) : `[${clashing.map(inUse).join(', ')}]`
    conflict = { reason: 'ShortNamesConflict', message }
  } else if (shortNames.length > 0) names.shortNames = shortNames
  else delete names.shortNames
  one('kind', taken.kinds, 'KindConflict')
  one('listKind', taken.kinds, 'ListKindConflict')
  if (wanted.categories?.length) names.categories = wanted.categories
  else delete names.categories
  return { names: names as CustomResourceDefinitionNames, ...(conflict ? { conflict } : {}) }
}
