import type { AnyObject } from '../../api/machinery/object.ts'
import { identityOf } from './resource.ts'

/** Where a field is, in objects of which kind. Steps end at slashes; lists on the way are gone through item by item. */
export interface FieldSpec {
  path: string
  group?: string
  version?: string
  kind?: string
  /** What is missing on the way is made. */
  create?: boolean
}

type Values = Record<string, unknown>

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether a spec is about objects like this one. */
export function concerns(spec: Pick<FieldSpec, 'group' | 'version' | 'kind'>, object: AnyObject): boolean {
  const { group, version, kind } = identityOf(object)
  return (
    (!spec.group || spec.group === group) &&
    (!spec.version || spec.version === version) &&
    (!spec.kind || spec.kind === kind)
  )
}

/** Changes the fields of an object that a spec leads to. `change` gets undefined for one that is to be made. */
export function changeFields(object: AnyObject, spec: FieldSpec, change: (value: unknown) => unknown): void {
  if (!concerns(spec, object)) return
  const steps = spec.path.split(/(?<!\\)\//).map((step) => step.replaceAll('\\/', '/'))
  walk(object, steps, Boolean(spec.create), change)
}

function walk(at: unknown, steps: readonly string[], create: boolean, change: (value: unknown) => unknown): void {
  if (Array.isArray(at)) {
    for (const item of at) walk(item, steps, create, change)
    return
  }
  if (!isMap(at)) return
  const [step = '', ...rest] = steps
  const isList = step.endsWith('[]')
  const name = isList ? step.slice(0, -2) : step
  const there = at[name] !== undefined && at[name] !== null
  if (rest.length === 0) {
    if (there || create) at[name] = change(at[name] ?? undefined)
    return
  }
  if (!there) {
    // Nobody knows how many items a list should have.
    if (!create || isList) return
    at[name] = {}
  }
  walk(at[name], rest, create, change)
}
