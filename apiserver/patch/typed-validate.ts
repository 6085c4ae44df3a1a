import { goType, printGo } from '../../api/patch/go-format.ts'
import { fieldElement, type PathElement, printElement } from './path-element.ts'
import { fieldType, formOf, itemElement, type ListType, type MapType, type Type, TypeFault } from './typed.ts'

/** Throws a TypeFault that names every place where an applied object does not fit its type, in upstream's words. */
export function validateTyped(type: Type, object: unknown): void {
  const faults: string[] = []
  visit(type, object, '', faults)
  if (faults.length === 1) throw new TypeFault(faults[0])
  if (faults.length > 1) throw new TypeFault(['errors:', ...faults.map((fault) => `  ${fault}`)].join('\n'))
}

function visit(type: Type, value: unknown, path: string, faults: string[]): void {
  const fault = (message: string) => faults.push(path === '' ? message : `${path}: ${message}`)
  if (value === null || value === undefined) return
  const form = formOf(type, value)
  const isList = Array.isArray(value)
  const isMap = typeof value === 'object' && !isList
  if (form === 'map') {
    if (!isMap) return void fault(`expected map, got ${wrapped(value)}`)
    visitFields(type.map as MapType, value as Record<string, unknown>, path, faults)
  } else if (form === 'list') {
    if (!isList) return void fault(`expected list, got ${wrapped(value)}`)
    visitItems(type.list as ListType, value, path, faults)
  } else if (type.scalar === 'numeric') {
    if (typeof value !== 'number') fault(`expected numeric (int or float), got ${goType(value)}`)
  } else if (type.scalar === 'string') {
    if (typeof value !== 'string') fault(`expected string, got &value.valueUnstructured{Value:${printGo(value)}}`)
  } else if (type.scalar === 'boolean') {
    if (typeof value !== 'boolean') fault(`expected boolean, got ${wrapped(value)}`)
  } else if (typeof value === 'object') fault(`expected any scalar, got ${wrapped(value)}`)
}

/** How upstream prints its wrapper of a value. */
const wrapped = (value: unknown) => `&{${printGo(value)}}`

function visitFields(type: MapType, map: Record<string, unknown>, path: string, faults: string[]): void {
  for (const name in map) {
    const its = fieldType(type, name)
    const at = path + printElement(fieldElement(name))
    if (!its) {
      // One unknown field of a struct is named, as upstream does; the rest are not looked at.
      faults.push(`${at}: field not declared in schema`)
      return
    }
    visit(its, map[name], at, faults)
  }
}

function visitItems(type: ListType, list: readonly unknown[], path: string, faults: string[]): void {
  const seen = new Set<PathElement>()
  for (const [index, item] of list.entries()) {
    let element: PathElement = `i:${index}`
    if (!type.atomic) {
      try {
        element = itemElement(type, item)
      } catch (error) {
        if (!(error instanceof TypeFault)) throw error
        faults.push(`${path}: element ${index}: ${error.message}`)
        return
      }
      if (seen.has(element)) faults.push(`${path}: duplicate entries for key ${printElement(element)}`)
      seen.add(element)
    }
    visit(type.item, item, path + printElement(element), faults)
  }
}
