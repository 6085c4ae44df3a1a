import type { ASTNode } from '@marcbachmann/cel-js'
import { linearMatches } from './regex.ts'

/** What of the library's trees and its two visitors is used here and not in its published types. */
export interface Visitor {
  check(node: ASTNode, scope: unknown): unknown
  run(node: ASTNode, scope: Scope): unknown
  getType(name: string): unknown
  createError(code: string, message: string, node: ASTNode): Error
  debugType(value: unknown): { fieldLazy(value: unknown, field: string, node: ASTNode, visitor: Visitor): unknown }
}
/** The variables of a run. */
export interface Scope {
  getValue(name: string): unknown
}
interface Macro {
  typeCheck(visitor: Visitor, macro: unknown, scope: unknown): unknown
  evaluate(visitor: Visitor, macro: unknown, scope: Scope): unknown
}
export type Settable = ASTNode & {
  readonly meta: {
    check(visitor: Visitor, node: ASTNode, scope: unknown): unknown
    evaluate(visitor: Visitor, node: ASTNode, scope: Scope): unknown
    /** What a macro does in the node's place. */
    macro?: Macro
    /** What stands in the node's place. */
    alternate?: ASTNode
  }
  setMeta(key: string, value: unknown): Settable
}

/** The parts of an expression, without literals. */
export function childrenOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

/**
 * Changes what the library does otherwise than Kubernetes expects, in place and before the tree is checked: `has()` of a
 * field behind an index is allowed, `in` asks a map what it has rather than what it answers, and `matches()` cannot be
 * made to take for ever.
 */
export function adapt(node: ASTNode): void {
  for (const child of childrenOf(node)) adapt(child)
  if (node.op === 'rcall' && node.args[0] === 'matches') node.args[0] = linearMatches
  if (node.op === 'in') replace(node, membership(node as Settable, ...node.args))
  const [field] = node.op === 'call' && node.args[0] === 'has' ? node.args[1] : []
  if (field?.op === '.') replace(node, presence(field, ...field.args))
}

function replace(node: ASTNode, macro: Macro): void {
  const settable = node as Settable
  settable.setMeta('async', false).setMeta('macro', macro)
}

const presence = (field: ASTNode, holder: ASTNode, name: string): Macro => ({
  typeCheck(visitor, _macro, scope) {
    visitor.check(field, scope)
    return visitor.getType('bool')
  },
  evaluate(visitor, _macro, scope) {
    const value = visitor.run(holder, scope)
    return visitor.debugType(value).fieldLazy(value, name, field, visitor) !== undefined
  },
})

const membership = (node: Settable, item: ASTNode, range: ASTNode): Macro => ({
  typeCheck: (visitor, _macro, scope) => node.meta.check(visitor, node, scope),
  evaluate(visitor, _macro, scope) {
    const value = visitor.run(range, scope)
    return value instanceof Map ? value.has(visitor.run(item, scope)) : node.meta.evaluate(visitor, node, scope)
  },
})
