import type { CustomResourceColumnDefinition } from '../../../api/generated/types.ts'
import { findPath, PathFault } from '../../../api/machinery/json-path.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { age } from '../../../api/machinery/print.ts'
import type { Column } from '../../../api/machinery/resource.ts'
import { ageColumn, nameColumn } from '../../../api/machinery/standard-columns.ts'

/** The columns of a custom resource: its name, then what its definition asks for; without that, its age. */
export function columnsOf(definitions: readonly CustomResourceColumnDefinition[] | undefined): Column[] {
  if (!definitions?.length) {
    return [
      nameColumn as Column,
      { ...(ageColumn as Column), type: 'date', description: describe('.metadata.creationTimestamp') },
    ]
  }
  const columns: Column[] = [nameColumn as Column]
  for (const definition of definitions) {
    try {
      columns.push(columnOf(definition))
    } catch (error) {
      if (!(error instanceof PathFault)) throw error
      // As upstream: what comes after a path that cannot be read is not shown.
      return columns
    }
  }
  return columns
}

const describe = (path: string): string => `Custom resource definition column (in JSONPath format): ${path}`

function columnOf(definition: CustomResourceColumnDefinition): Column {
  const { name, type, format, priority, jsonPath, description } = definition
  const find = findPath(jsonPath)
  return {
    name,
    type: type as Column['type'],
    ...(format ? { format } : {}),
    description: description || describe(jsonPath),
    ...(priority ? { priority } : {}),
    value: (object: AnyObject, nowMs) => cellOf(type, find(object)[0], nowMs),
  }
}

function cellOf(type: string, value: unknown, nowMs: number): string | number | boolean | null {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      if (typeof value !== 'string') return null
      return Number.isNaN(Date.parse(value)) ? '<invalid>' : age(value, nowMs)
    default:
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
  }
}
