import { isMap, isScalar, isSeq, type Node } from 'yaml'
import type { Schema } from '../../api/machinery/schema.ts'

/** A value of the wrong type: where it stands, and what to write instead. */
export interface WrongValue {
  path: string
  offset: number
  instead: string
}

type Found = { node: Node; path: string }

const mismatch = /cannot unmarshal (\w+)(?: \S+)? into Go struct field \w+\.(\S+) of type (\S+)/
const quantity = /^[+-]?[0-9.]+([eE][-+]?[0-9]+|[numkKMGTPE]i?)?$/

/** The value that a refusal is about which says only its type or the path of its fields, without the items of lists. */
export function wrongValue(message: string, root: Node | null, schema: Schema | undefined): WrongValue | undefined {
  const [, wire = '', fields, goType = ''] = mismatch.exec(message) ?? []
  if (fields) {
    const found = along(root, fields.split('.'), (node) => typeOf(node) === wire, '')
    return found && placed(found, insteadOf(found.node, goType))
  }
  if (!message.includes('quantities must match')) return undefined
  const found = schema && noQuantity(root, schema, '')
  return found && placed(found, 'write an amount such as 2, 500m or 512Mi')
}

const placed = ({ node, path }: Found, instead: string): WrongValue => ({ path, offset: node.range?.[0] ?? 0, instead })

/** As Go calls the types of JSON. */
function typeOf(node: unknown): string {
  if (isMap(node)) return 'object'
  if (isSeq(node)) return 'array'
  const value = isScalar(node) ? node.value : undefined
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** The first value at the fields that is wrong, in whichever items of the lists on the way, or of a map at the end. */
function along(
  node: unknown,
  fields: readonly string[],
  isWrong: (node: unknown) => boolean,
  path: string,
): Found | undefined {
  const [field, ...rest] = fields
  if (field === undefined && isWrong(node)) return { node: node as Node, path }
  if (isSeq(node)) return first(node.items, (item, i) => along(item, fields, isWrong, `${path}[${i}]`))
  if (!isMap(node)) return undefined
  return first(node.items, ({ key, value }) => {
    if (field === undefined) return isWrong(value) ? { node: value as Node, path: below(path, key) } : undefined
    return String(key) === field ? along(value, rest, isWrong, below(path, key)) : undefined
  })
}

function noQuantity(node: unknown, schema: Schema, path: string): Found | undefined {
  if (isScalar(node))
    return schema.type === 'quantity' && !quantity.test(String(node.value)) ? { node, path } : undefined
  if (isSeq(node)) {
    const { items } = schema
    return items && first(node.items, (item, i) => noQuantity(item, items, `${path}[${i}]`))
  }
  if (!isMap(node)) return undefined
  return first(node.items, ({ key, value }) => {
    const at = schema.properties?.get(String(key)) ?? schema.values
    return at && noQuantity(value, at, below(path, key))
  })
}

function first<T, R>(items: readonly T[], find: (item: T, i: number) => R | undefined): R | undefined {
  for (const [i, item] of items.entries()) {
    const found = find(item, i)
    if (found !== undefined) return found
  }
  return undefined
}

function below(path: string, key: unknown): string {
  const name = String(key)
  if (name.includes('.')) return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

function insteadOf(node: Node, goType: string): string {
  const value = isScalar(node) ? String(node.source ?? node.value) : ''
  if (goType === 'string' && isScalar(node)) return `write "${value}", in quotes`
  const isPlain =
    (/^u?int/.test(goType) && /^-?\d+$/.test(value)) || (goType === 'bool' && /^(true|false)$/.test(value))
  if (isPlain) return `write ${value}, without quotes`
  if (goType.startsWith('[]')) return 'write a list: each item after "- "'
  if (/^u?int/.test(goType)) return 'write a whole number'
  if (goType === 'bool') return 'write true or false'
  return goType === 'string' ? 'write a text' : 'write fields, each as name: value'
}
