import { setField } from '../../api/patch/json.ts'
import { type PathElement, printElement } from './path-element.ts'
import {
  asList,
  asMap,
  fieldType,
  formOf,
  isEmptyObject,
  itemElement,
  type ListType,
  type MapType,
  type Type,
  TypeFault,
} from './typed.ts'

/**
 * `config` laid over `live`: leaves and atomic lists and maps are taken from the config, other lists merged by key in
 * the config's order. Nothing is removed. Shares parts with both and changes neither. Throws TypeFault for two items of
 * one key in the config.
 */
export function mergeTyped(type: Type, live: unknown, config: unknown): unknown {
  if (live === undefined || live === config) return config
  if (config === undefined) return live
  const form = formOf(type, config)
  if (form === 'scalar') return config
  if (form === 'map') {
    const map = type.map as MapType
    const before = asMap(live)
    const over = asMap(config)
    const bothEmpty = (!before || isEmptyObject(before)) && (!over || isEmptyObject(over))
    return map.atomic || bothEmpty ? config : mergeMaps(map, before ?? {}, over ?? {})
  }
  const list = type.list as ListType
  const before = asList(live) ?? []
  const over = asList(config) ?? []
  if (list.atomic || (before.length === 0 && over.length === 0)) return config
  return mergeLists(list, before, over)
}

function mergeMaps(type: MapType, live: Record<string, unknown>, config: Record<string, unknown>) {
  const merged = { ...live }
  for (const name in config) {
    const over = config[name]
    const its = fieldType(type, name)
    if (over !== undefined && its) {
      setField(merged, name, mergeTyped(its, Object.hasOwn(live, name) ? live[name] : undefined, over))
    }
  }
  return merged
}

interface Item {
  element: PathElement
  value: unknown
}

/**
 * The config's items stand in its order; an item that only the server has stays before the first shared item it stood
 * before, so far as the two orders agree.
 */
function mergeLists(type: ListType, live: readonly unknown[], config: readonly unknown[]): unknown[] {
  const mine = config.map((value) => ({ element: itemElement(type, value), value }))
  const theirs = live.map((value) => ({ element: itemElement(type, value), value }))
  const configured = uniqueItems(mine)
  const standing = indexLive(theirs)
  const shared = mine.filter(({ element }) => standing.has(element)).map(({ element }) => element)
  const placed = new Set<PathElement>()
  const merged: unknown[] = []
  let nextShared = 0
  const place = ({ element, value }: Item) => {
    placed.add(element)
    if (shared[nextShared] === element) nextShared++
    merged.push(mergeTyped(type.item, standing.get(element), value))
  }
  let l = 0
  let r = 0
  while (l < theirs.length || r < mine.length) {
    const left = theirs[l]
    const right = mine[r]
    if (left && right) {
      if (left.element === right.element) {
        place(right)
        l++
        r++
        continue
      }
      if (configured.has(left.element) && nextShared < shared.length && shared[nextShared] !== left.element) {
        // Shared, but the config has another one first: it comes when its turn does.
        l++
        continue
      }
    }
    if (left) {
      if (!configured.has(left.element)) {
        merged.push(left.value)
        l++
        continue
      }
      if (placed.has(left.element)) l++
    }
    if (right) {
      place(right)
      r++
    }
  }
  return merged
}

function uniqueItems(items: readonly Item[]): Set<PathElement> {
  const seen = new Set<PathElement>()
  for (const { element } of items) {
    if (seen.has(element)) throw new TypeFault(`duplicate entries for key ${printElement(element)}`)
    seen.add(element)
  }
  return seen
}

/** Live items by key. Two of one key cannot be merged into: what is applied replaces them both. */
function indexLive(items: readonly Item[]): Map<PathElement, unknown> {
  const found = new Map<PathElement, unknown>()
  for (const { element, value } of items) found.set(element, found.has(element) ? null : value)
  return found
}
