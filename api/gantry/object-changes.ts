import type { AnyObject } from '../machinery/object.ts'

/** One field that differs between two versions of an object. */
export interface FieldChange {
  /** `spec.template.spec.containers[web].image`: list items that have a name go by it, others by their place. */
  path: string
  /** Missing: the field was not there. */
  from?: unknown
  /** Missing: it is not there any more. */
  to?: unknown
}

/** What every write changes, whatever it is about. */
const bookkeeping = new Set(['managedFields', 'resourceVersion', 'generation', 'selfLink'])
/** By what the items of a list tell themselves apart, the first that all of them have. */
const itemKeys = ['name', 'type', 'uid', 'key', 'containerPort', 'port', 'ip', 'mountPath']

/** What is different, field by field; without the book-keeping in the metadata. */
export function objectChanges(from: AnyObject, to: AnyObject): FieldChange[] {
  const changes: FieldChange[] = []
  compare(withoutBookkeeping(from), withoutBookkeeping(to), '', changes)
  return changes
}

function withoutBookkeeping(object: AnyObject): Record<string, unknown> {
  const metadata = Object.entries(object.metadata).filter(([field]) => !bookkeeping.has(field))
  return { ...object, metadata: Object.fromEntries(metadata) }
}

function compare(from: unknown, to: unknown, path: string, changes: FieldChange[]): void {
  if (isMap(from) && isMap(to)) compareMaps(from, to, path, changes)
  else if (Array.isArray(from) && Array.isArray(to)) compareLists(from, to, path, changes)
  else compareWhole(from, to, path, changes)
}

function compareWhole(from: unknown, to: unknown, path: string, changes: FieldChange[]): void {
  if (JSON.stringify(from) === JSON.stringify(to)) return
  changes.push({ path, ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) })
}

function compareMaps(
  from: Record<string, unknown>,
  to: Record<string, unknown>,
  path: string,
  changes: FieldChange[],
): void {
  for (const field of new Set([...Object.keys(from), ...Object.keys(to)])) {
    compare(from[field], to[field], joined(path, field), changes)
  }
}

function compareLists(from: unknown[], to: unknown[], path: string, changes: FieldChange[]): void {
  const key = itemKeys.find((name) => hasOwnKey(from, name) && hasOwnKey(to, name))
  if (key === undefined) {
    const isPlain = [...from, ...to].every((item) => !isMap(item))
    // A list of plain values is read as one: which of them moved where tells nobody anything.
    if (isPlain || from.length !== to.length) compareWhole(from, to, path, changes)
    else for (const [i, item] of from.entries()) compare(item, to[i], `${path}[${i}]`, changes)
    return
  }
  const byKey = (list: unknown[]) => new Map(list.map((item) => [String((item as Record<string, unknown>)[key]), item]))
  const [before, after] = [byKey(from), byKey(to)]
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    compare(before.get(name), after.get(name), `${path}[${name}]`, changes)
  }
}

/** Whether all items are objects that have the key, each another value of it. */
function hasOwnKey(list: unknown[], key: string): boolean {
  const values = list.map((item) => (isMap(item) ? item[key] : undefined))
  return values.every((value) => value !== undefined) && new Set(values).size === list.length
}

const joined = (path: string, field: string): string => {
  const plain = /^[\w-]+$/.test(field)
  if (!plain) return `${path}[${JSON.stringify(field)}]`
  return path === '' ? field : `${path}.${field}`
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
