import type { ASTNode } from '@marcbachmann/cel-js'
import { childrenOf } from './syntax.ts'

/** The worst an expression, or a part of it, can come to. */
interface Estimate {
  /** In steps; upstream counts in the same measure, and allows as many. */
  cost: number
  /** Letters of a text, items of a list or a map. */
  size: number
  /** Of what a list is made of; unknown: as large as anything that is given. */
  item?: Estimate
}
type Scope = ReadonlyMap<string, Estimate>

/** Looking at a letter takes a tenth of a step. */
export const perLetter = 0.1
/** Looking for a pattern, whatever it is, takes ten times as long. */
export const perSearchedLetter = 1
/** How much less a pattern takes than a step per letter of the text and of the pattern. */
const perPatternLetter = 0.25
const comprehensions = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])
export const searches = new Set(['matches', 'matchesInLinearTime', 'find', 'findAll'])

/**
 * How many steps an expression takes at most where nothing that it is given has more than `maxSize` parts. Infinite
 * where sizes multiply beyond all bounds.
 */
export const worstCost = (expression: ASTNode, maxSize: number): number => estimate(expression, new Map(), maxSize).cost

function estimate(node: ASTNode, scope: Scope, maxSize: number): Estimate {
  const of = (part: ASTNode, inner: Scope = scope) => estimate(part, inner, maxSize)
  switch (node.op) {
    case 'value':
      return { cost: 0, size: typeof node.args === 'string' ? node.args.length : 1 }
    case 'id': {
      const known = scope.get(node.args)
      return { cost: 1, size: known?.size ?? maxSize, ...(known?.item ? { item: known.item } : {}) }
    }
    case 'list': {
      const items = node.args.map((item) => of(item))
      const size = items.length
      return { cost: 10 + sum(items), size, item: { cost: 0, size: largest(items) } }
    }
    case '?:': {
      const [condition, yes, no] = node.args.map((part) => of(part)) as [Estimate, Estimate, Estimate]
      const larger = yes.size > no.size ? yes : no
      return { ...larger, cost: condition.cost + Math.max(yes.cost, no.cost) + 1 }
    }
    case '+': {
      const [left, right] = node.args.map((part) => of(part)) as [Estimate, Estimate]
      const size = left.size + right.size
      const item = { cost: 0, size: Math.max(left.item?.size ?? maxSize, right.item?.size ?? maxSize) }
      return { cost: left.cost + right.cost + 1 + size * perLetter, size, item }
    }
    case 'rcall': {
      const [name, receiver, args] = node.args
      if (comprehensions.has(name) && args[0]?.op === 'id') return comprehension(name, receiver, args, scope, maxSize)
      const [variable, value, body] = args
      if (name === 'bind' && variable?.op === 'id' && value && body) {
        const bound = of(value)
        const rest = of(body, new Map([...scope, [variable.args, bound]]))
        return { ...rest, cost: bound.cost + rest.cost + 1 }
      }
      return call(
        name,
        [receiver, ...args].map((part) => of(part)),
      )
    }
    case 'call':
      return call(
        node.args[0],
        node.args[1].map((part) => of(part)),
      )
    default: {
      const parts = childrenOf(node).map((part) => of(part))
      const [holder] = parts
      return { cost: 1 + sum(parts) + compared(node.op, parts), size: holder?.item?.size ?? maxSize }
    }
  }
}

/** Texts are compared letter by letter, lists are looked through. */
const compared = (op: string, parts: readonly Estimate[]): number =>
  ['==', '!=', '<', '<=', '>', '>=', 'in'].includes(op) ? Math.max(0, ...parts.map(({ size }) => size)) * perLetter : 0

function comprehension(
  name: string,
  receiver: ASTNode,
  [variable, ...bodies]: readonly ASTNode[],
  scope: Scope,
  maxSize: number,
): Estimate {
  const range = estimate(receiver, scope, maxSize)
  const item = range.item ?? { cost: 0, size: maxSize }
  const inner = new Map([...scope, [variable?.op === 'id' ? variable.args : '', item]])
  const steps = bodies.map((body) => estimate(body, inner, maxSize))
  const cost = range.cost + range.size * (sum(steps) + 2)
  if (name === 'filter') return { cost, size: range.size, item }
  if (name === 'map') return { cost, size: range.size, item: { cost: 0, size: largest(steps) } }
  return { cost, size: 1 }
}

function call(name: string, parts: readonly Estimate[]): Estimate {
  const size = parts.reduce((total, part) => total + part.size, 0)
  const [text, pattern] = parts
  const searching =
    searches.has(name) && text && pattern ? 1 + text.size * perLetter * (1 + pattern.size * perPatternLetter) : 0
  return { cost: 1 + sum(parts) + size * perLetter + searching, size }
}

const sum = (parts: readonly Estimate[]): number => parts.reduce((total, { cost }) => total + cost, 0)
const largest = (parts: readonly Estimate[]): number => Math.max(1, ...parts.map(({ size }) => size))
