import { canonicalElement, compareElements, type PathElement, printElement } from './path-element.ts'

/**
 * A set of field paths, held as the very tree that FieldsV1 is in JSON, so that what is stored needs no conversion:
 * a step that belongs to the set is `{}`, or has a `.` beside the steps below it. Sets are never changed once made, and
 * share branches; an operation that changes nothing returns its argument. No branch is without a path, and steps stand
 * in upstream's order.
 */
export interface FieldSet {
  readonly [element: PathElement]: FieldSet
}

export type FieldPath = readonly PathElement[]

/** A step with nothing below it; at the top, the empty set. */
const leaf: FieldSet = Object.freeze({})
const self = '.'

export const emptySet: FieldSet = leaf
/** The node of a step that belongs to the set and has nothing below it. */
export const memberNode: FieldSet = leaf

export function isEmpty(set: FieldSet): boolean {
  for (const _ in set) return false
  return true
}

const isMember = (node: FieldSet): boolean => node[self] !== undefined || isEmpty(node)

/** A node of what is below it, in any order, and whether it belongs to the set itself. Undefined if neither. */
export function makeNode(member: boolean, below: Record<PathElement, FieldSet> | undefined): FieldSet | undefined {
  if (!below) return member ? leaf : undefined
  const names = Object.keys(below)
  if (names.length === 0) return member ? leaf : undefined
  if (!member && sorted(names)) return below
  const node: Record<PathElement, FieldSet> = {}
  if (member) node[self] = leaf
  for (const name of sort(names)) node[name] = below[name] as FieldSet
  return node
}

/** The set without the step that names the whole object, which nobody owns. */
export const rootOf = (node: FieldSet | undefined): FieldSet => (node ? withoutSelf(node) : emptySet)

export function fieldSet(...paths: FieldPath[]): FieldSet {
  return paths.reduce<FieldSet>((set, path) => union(set, single(path)), emptySet)
}

const single = (path: FieldPath): FieldSet =>
  path.length === 0 ? emptySet : { [path[0] as string]: path.length === 1 ? leaf : single(path.slice(1)) }

/** The set that FieldsV1 JSON describes. Throws an Error if it is malformed; steps of an unknown kind are dropped. */
export function parseFieldSet(json: unknown): FieldSet {
  return json === undefined || json === null ? emptySet : withoutSelf(parseNode(json))
}

function parseNode(json: unknown): FieldSet {
  if (json === null) return leaf
  if (typeof json !== 'object' || Array.isArray(json)) throw new Error('a set of fields must be an object')
  const node = json as Record<string, unknown>
  let copy: Record<PathElement, FieldSet> | undefined
  let last = ''
  let inOrder = true
  for (const raw in node) {
    if (raw === self) {
      if (last !== '') inOrder = false
      continue
    }
    const element = canonicalElement(raw)
    const child = element === undefined ? undefined : parseNode(node[raw])
    if (!copy && (element !== raw || child !== node[raw])) {
      copy = {}
      for (const before in node) {
        if (before === raw) break
        if (before !== self) copy[before] = node[before] as FieldSet
      }
    }
    if (element === undefined) continue
    if (last !== '' && inOrder && compareElements(last, element) >= 0) inOrder = false
    last = element
    if (copy) {
      const twice = copy[element]
      copy[element] = twice ? (unionNodes(twice, child as FieldSet) as FieldSet) : (child as FieldSet)
    }
  }
  const member = node[self] !== undefined
  // A `.` alone says no more than an empty object does.
  if (last === '') return member || copy ? leaf : (node as unknown as FieldSet)
  if (!copy && inOrder) return node as unknown as FieldSet
  return makeNode(member, copy ?? withoutSelf(node as unknown as FieldSet)) as FieldSet
}

function withoutSelf(node: FieldSet): FieldSet {
  if (node[self] === undefined) return node
  const { [self]: _, ...rest } = node
  return rest
}

/** What is in either. */
export function union(left: FieldSet, right: FieldSet): FieldSet {
  if (left === right || isEmpty(right)) return left
  return isEmpty(left) ? right : unionNodes(left, right, false)
}

/** The union of two nodes of one step: it belongs to the set if it does in either. */
export function unionNodes(left: FieldSet, right: FieldSet, member = isMember(left) || isMember(right)): FieldSet {
  if (left === right) return left
  let changed: Record<PathElement, FieldSet> | undefined
  for (const name in right) {
    if (name === self) continue
    const mine = left[name]
    const both = mine === undefined ? (right[name] as FieldSet) : unionNodes(mine, right[name] as FieldSet)
    if (both !== mine) {
      changed ??= { ...withoutSelf(left) }
      changed[name] = both
    }
  }
  if (!changed && member === isMember(left)) return left
  return makeNode(member, changed ?? left) as FieldSet
}

/** What is in `left` and not in `right`. What is below a path of `right` stays. */
export const difference = (left: FieldSet, right: FieldSet): FieldSet =>
  isEmpty(right) || isEmpty(left) ? left : (subtract(left, right, false, false) ?? emptySet)

/** What is in `left`, but for the paths of `right` and everything below them. */
export const recursiveDifference = (left: FieldSet, right: FieldSet): FieldSet =>
  isEmpty(right) || isEmpty(left) ? left : (subtract(left, right, true, false) ?? emptySet)

function subtract(left: FieldSet, right: FieldSet, below: boolean, member: boolean): FieldSet | undefined {
  let kept: Record<PathElement, FieldSet> | undefined
  for (const name in right) {
    const mine = left[name]
    if (mine === undefined || name === self) continue
    const theirs = right[name] as FieldSet
    const taken = isMember(theirs)
    const rest = taken && below ? undefined : subtract(mine, theirs, below, isMember(mine) && !taken)
    if (rest === mine) continue
    kept ??= { ...withoutSelf(left) }
    if (rest) kept[name] = rest
    else delete kept[name]
  }
  if (!kept && member === isMember(left)) return left
  return makeNode(member, kept ?? withoutSelf(left))
}

/** What is in both. */
export const intersection = (left: FieldSet, right: FieldSet): FieldSet => intersect(left, right, false) ?? emptySet

function intersect(left: FieldSet, right: FieldSet, member: boolean): FieldSet | undefined {
  let both: Record<PathElement, FieldSet> | undefined
  for (const name in left) {
    const theirs = right[name]
    if (theirs === undefined || name === self) continue
    const mine = left[name] as FieldSet
    const common = intersect(mine, theirs, isMember(mine) && isMember(theirs))
    if (common) {
      both ??= {}
      both[name] = common
    }
  }
  return makeNode(member, both)
}

/** The paths that have no path of the set below them. */
export const leaves = (set: FieldSet): FieldSet => leavesOf(set)

function leavesOf(node: FieldSet): FieldSet {
  if (isEmpty(node)) return leaf
  const below: Record<PathElement, FieldSet> = {}
  for (const name in node) if (name !== self) below[name] = leavesOf(node[name] as FieldSet)
  return below
}

export function has(set: FieldSet, path: FieldPath): boolean {
  let node: FieldSet | undefined = set
  for (const element of path) {
    node = node[element]
    if (!node) return false
  }
  return path.length > 0 && isMember(node)
}

export const hasElement = (set: FieldSet, element: PathElement): boolean => {
  const node = set[element]
  return node !== undefined && isMember(node)
}

/** The paths below a step, without it; undefined if there are none. */
export function below(set: FieldSet, element: PathElement): FieldSet | undefined {
  const node = set[element]
  if (!node) return undefined
  const rest = withoutSelf(node)
  return isEmpty(rest) ? undefined : rest
}

export function equals(left: FieldSet, right: FieldSet): boolean {
  if (left === right) return true
  let count = 0
  for (const name in left) {
    const theirs = right[name]
    if (theirs === undefined || !equals(left[name] as FieldSet, theirs)) return false
    count++
  }
  for (const _ in right) count--
  return count === 0
}

/** Every path, those of one level before those below it. */
export function paths(set: FieldSet): FieldPath[] {
  const found: FieldPath[] = []
  collect(set, [], found)
  return found
}

function collect(node: FieldSet, prefix: FieldPath, found: FieldPath[]): void {
  for (const name in node) if (name !== self && isMember(node[name] as FieldSet)) found.push([...prefix, name])
  for (const name in node) if (name !== self) collect(node[name] as FieldSet, [...prefix, name], found)
}

/** `.spec.containers[name="a"].image`. */
export const printPath = (path: FieldPath): string => path.map(printElement).join('')

const sorted = (names: readonly PathElement[]): boolean => {
  for (let n = 1; n < names.length; n++) {
    if (names[n] === self || compareElements(names[n - 1] as string, names[n] as string) > 0) return false
  }
  return names[0] !== self
}

function sort(names: PathElement[]): PathElement[] {
  const steps = names[0] === self ? names.slice(1) : names.filter((name) => name !== self)
  return sorted(steps) ? steps : steps.sort(compareElements)
}
