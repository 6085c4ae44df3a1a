import { sameJson } from '../registry/json.ts'
import { emptySet, type FieldSet, makeNode, memberNode, rootOf, unionNodes } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { asList, asMap, formOf, isEmptyObject, itemElement, type ListType, type MapType, type Type } from './typed.ts'

/** How two objects of one type differ: fields added or modified, and fields removed. */
export interface Comparison {
  changed: FieldSet
  removed: FieldSet
}

const unchanged: Comparison = { changed: emptySet, removed: emptySet }

/** Compares by ownership: atomic lists and maps as one field, other lists item by item. Throws TypeFault. */
export function compare(type: Type, old: unknown, fresh: unknown): Comparison {
  const found = differences(type, old, fresh)
  return found ? { changed: rootOf(found.changed), removed: rootOf(found.removed) } : unchanged
}

/** Nodes of the two trees; undefined for no difference at all, which is by far the most common. */
interface Difference {
  changed: FieldSet | undefined
  removed: FieldSet | undefined
}

const leafAdded: Difference = Object.freeze({ changed: memberNode, removed: undefined })
const leafRemoved: Difference = Object.freeze({ changed: undefined, removed: memberNode })

function differences(type: Type, old: unknown, fresh: unknown): Difference | undefined {
  if (old === fresh) return undefined
  const oldForm = formOf(type, old)
  const freshForm = formOf(type, fresh)
  if (fresh === undefined) return inForm(type, oldForm, old, fresh)
  if (old === undefined || oldForm === freshForm) return inForm(type, freshForm, old, fresh)
  // The form itself changed: what the old one had goes, what the new one has comes.
  const before = inForm(type, oldForm, old, fresh)
  const after = inForm(type, freshForm, old, fresh)
  if (!before || !after) return before ?? after
  return { changed: join(before.changed, after.changed), removed: join(before.removed, after.removed) }
}

const join = (left: FieldSet | undefined, right: FieldSet | undefined): FieldSet | undefined =>
  left && right ? unionNodes(left, right) : (left ?? right)

function inForm(type: Type, form: 'map' | 'scalar' | 'list', old: unknown, fresh: unknown): Difference | undefined {
  if (form === 'scalar') return asLeaf(old, fresh)
  if (form === 'map') {
    const map = type.map as MapType
    const before = asMap(old)
    const after = asMap(fresh)
    // Two empty ones are compared whole, to tell null from empty.
    const bothEmpty = (!before || isEmptyObject(before)) && (!after || isEmptyObject(after))
    if (map.atomic || bothEmpty) return asLeaf(old, fresh)
    return ofMaps(map, before, after, old, fresh)
  }
  const list = type.list as ListType
  const before = asList(old)
  const after = asList(fresh)
  if (list.atomic || (!before?.length && !after?.length)) return asLeaf(old, fresh)
  return ofLists(list, before ?? [], after ?? [], old, fresh)
}

function asLeaf(old: unknown, fresh: unknown): Difference | undefined {
  if (old === undefined) return leafAdded
  if (fresh === undefined) return leafRemoved
  return sameJson(old, fresh) ? undefined : leafAdded
}

/** Gathers what differs below a node. */
class Gathered {
  changed: Record<PathElement, FieldSet> | undefined
  removed: Record<PathElement, FieldSet> | undefined

  take(element: PathElement, found: Difference | undefined): void {
    if (!found) return
    if (found.changed) {
      this.changed ??= {}
      this.changed[element] = join(this.changed[element], found.changed) as FieldSet
    }
    if (found.removed) {
      this.removed ??= {}
      this.removed[element] = join(this.removed[element], found.removed) as FieldSet
    }
  }

  /** With the node itself: added if there was none, removed if there is none. */
  whole(old: unknown, fresh: unknown): Difference | undefined {
    const changed = makeNode(old === undefined, this.changed)
    const removed = makeNode(fresh === undefined, this.removed)
    return changed || removed ? { changed, removed } : undefined
  }
}

function ofMaps(
  type: MapType,
  before: Record<string, unknown> | undefined,
  after: Record<string, unknown> | undefined,
  old: unknown,
  fresh: unknown,
): Difference | undefined {
  const gathered = new Gathered()
  if (after) {
    for (const name in after) {
      visit(
        type,
        name,
        before && Object.hasOwn(before, name) ? before[name] : undefined,
        after[name],
        gathered,
        before,
        after,
      )
    }
  }
  if (before) {
    for (const name in before) {
      if (!after || !Object.hasOwn(after, name)) visit(type, name, before[name], undefined, gathered, before, after)
    }
  }
  return gathered.whole(old, fresh)
}

function visit(
  type: MapType,
  name: string,
  old: unknown,
  fresh: unknown,
  gathered: Gathered,
  before: unknown,
  after: unknown,
): void {
  if (old === fresh) return
  const field = type.fields.get(name)
  if (field) {
    // Where the other side has the struct at all, it has its always-present fields too.
    const was = old === undefined && before !== undefined ? field.zero : old
    const is = fresh === undefined && after !== undefined ? field.zero : fresh
    gathered.take(field.element, differences(field.type, was, is))
  } else if (type.values) gathered.take(fieldElement(name), differences(type.values, old, fresh))
}

function ofLists(
  type: ListType,
  before: readonly unknown[],
  after: readonly unknown[],
  old: unknown,
  fresh: unknown,
): Difference | undefined {
  if (old !== undefined && fresh !== undefined && sameJson(before, after)) return undefined
  const gathered = new Gathered()
  const olds = byElement(type, before)
  const news = byElement(type, after)
  for (const [element, was] of olds) {
    const is = news.get(element) ?? none
    ofItems(type, element, was, is, gathered)
  }
  for (const [element, is] of news) if (!olds.has(element)) ofItems(type, element, none, is, gathered)
  return gathered.whole(old, fresh)
}

const none: readonly unknown[] = []

function byElement(type: ListType, items: readonly unknown[]): Map<PathElement, unknown[]> {
  const found = new Map<PathElement, unknown[]>()
  for (const item of items) {
    const element = itemElement(type, item)
    const same = found.get(element)
    if (same) same.push(item)
    else found.set(element, [item])
  }
  return found
}

/** The items of one key. Several of them are one field, as if atomic: nobody can own one of two alike. */
function ofItems(
  type: ListType,
  element: PathElement,
  was: readonly unknown[],
  is: readonly unknown[],
  gathered: Gathered,
): void {
  if (was.length <= 1 && is.length <= 1) gathered.take(element, differences(type.item, was[0], is[0]))
  else if (was.length >= 2 && is.length >= 2) {
    if (!sameJson(was, is)) gathered.take(element, leafAdded)
  } else if (was.length >= 2) {
    if (is.length > 0) gathered.take(element, differences(type.item, undefined, is[0]))
    gathered.take(element, leafRemoved)
  } else {
    if (was.length > 0) gathered.take(element, differences(type.item, was[0], undefined))
    gathered.take(element, leafAdded)
  }
}
