import { badRequestError } from '../../api/machinery/errors.ts'
import { type FieldRequirement, parseFieldSelector } from '../../api/machinery/fields.ts'
import { compileSelector } from '../../api/machinery/labels.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { CachedObject } from '../registry/watch-cache.ts'

/** Which objects a list, watch or deletecollection is about. */
export interface Selection {
  /** undefined: all. */
  matches: ((object: CachedObject) => boolean) | undefined
  /** The one name that can match, where the selector says so. */
  name: string | undefined
  /** Equal for selections that mean the same. */
  key: string
}

/** Reads labelSelector and fieldSelector; `name` is that of a watch on a single object. Throws 400. */
export function parseSelection(resource: Resource, query: URLSearchParams, name: string): Selection {
  const labelSelector = query.get('labelSelector') ?? ''
  const fieldSelector = query.get('fieldSelector') ?? ''
  const tests: ((object: CachedObject) => boolean)[] = []
  let only = name === '' ? undefined : name
  if (labelSelector !== '') {
    const matches = compileLabels(labelSelector)
    tests.push((object) => matches(object.labels))
  }
  if (fieldSelector !== '') {
    for (const requirement of compileFields(fieldSelector)) {
      if (requirement.field === 'metadata.name' && requirement.operator === '=') {
        if (only !== undefined && only !== requirement.value && name !== '') {
          throw badRequestError(`field label 'metadata.name' selects ${requirement.value}, the path ${name}`)
        }
        only = requirement.value
      }
      tests.push(fieldTest(resource, requirement))
    }
  } else if (only !== undefined) {
    const wanted = only
    tests.push((object) => nameOf(object) === wanted)
  }
  const [first] = tests
  const matches =
    first === undefined
      ? undefined
      : tests.length === 1
        ? first
        : (object: CachedObject) => tests.every((test) => test(object))
  return { matches, name: only, key: JSON.stringify([name, labelSelector, fieldSelector]) }
}

function compileLabels(text: string): (labels: Record<string, string>) => boolean {
  try {
    return compileSelector(text)
  } catch (error) {
    throw badRequestError(`unable to parse requirement: ${(error as Error).message}`)
  }
}

function compileFields(text: string): readonly FieldRequirement[] {
  try {
    return parseFieldSelector(text)
  } catch (error) {
    throw badRequestError((error as Error).message)
  }
}

function fieldTest(
  resource: Resource,
  { field, operator, value }: FieldRequirement,
): (object: CachedObject) => boolean {
  const actual = fieldValue(resource, field)
  return operator === '!=' ? (object) => actual(object) !== value : (object) => actual(object) === value
}

function fieldValue(resource: Resource, field: string): (object: CachedObject) => string {
  // The key tells these two; nothing has to be parsed.
  if (field === 'metadata.name') return nameOf
  if (field === 'metadata.namespace' && resource.namespaced) {
    const skip = resource.storagePrefix.length + 1
    return ({ key }) => key.slice(skip, key.indexOf('/', skip))
  }
  const selectable = resource.selectableFields?.[field]
  if (selectable) return (object) => object.field(field, selectable)
  throw badRequestError(`field label not supported: ${field}`)
}

const nameOf = ({ key }: CachedObject): string => key.slice(key.lastIndexOf('/') + 1)
