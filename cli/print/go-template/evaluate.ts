import { CliError } from '../../errors.ts'
import { nearest } from '../../nearest.ts'
import { failed } from './errors.ts'
import { shown } from './format.ts'
import { callFunction, describe, isTrue, Refused } from './functions.ts'
import type { Control, Node, Operand, Parsed, Pipeline } from './nodes.ts'

/** Deeper than this a template has called itself. */
const maxDepth = 1000

/** The values of variables, innermost last. */
type Variables = readonly { name: string; value: unknown }[]

interface Scope {
  dot: unknown
  variables: Variables
  depth: number
}

/** How a body ended: with its last node, or out of its loop. */
type Ending = 'end' | 'break' | 'continue'

/** What a template makes of an object. Throws a CliError that says where it fails, and why. */
export function evaluate(template: Parsed, object: unknown, { allowMissing }: { allowMissing: boolean }): string {
  const run = new Run(template, allowMissing)
  run.nodes(template.body, { dot: object, variables: [{ name: '$', value: object }], depth: 0 })
  return run.text
}

class Run {
  text = ''
  readonly #template: Parsed
  readonly #allowMissing: boolean

  constructor(template: Parsed, allowMissing: boolean) {
    this.#template = template
    this.#allowMissing = allowMissing
  }

  /** Variables made in a body end with it. */
  nodes(nodes: readonly Node[], scope: Scope): Ending {
    let inner = scope
    for (const node of nodes) {
      if (node.type === 'text') this.text += node.text
      else if (node.type === 'print') {
        const { value, variables } = this.#pipeline(node.pipeline, inner)
        if (node.pipeline.variables.length === 0)
          this.text += value === null || value === undefined ? '<no value>' : shown(value)
        inner = { ...inner, variables }
      } else if (node.type === 'break' || node.type === 'continue') return node.type
      else if (node.type === 'template') this.#named(node, inner)
      else {
        const ending = node.type === 'range' ? this.#range(node, inner) : this.#branch(node, inner)
        if (ending !== 'end') return ending
      }
    }
    return 'end'
  }

  #branch(node: Control, scope: Scope): Ending {
    const { value, variables } = this.#pipeline(node.pipeline, scope)
    if (!isTrue(value)) return this.nodes(node.otherwise, { ...scope, variables })
    return this.nodes(node.body, { ...scope, variables, ...(node.type === 'with' ? { dot: value } : {}) })
  }

  #range(node: Control, scope: Scope): Ending {
    const { pipeline } = node
    const { value } = this.#pipeline({ ...pipeline, variables: [] }, scope)
    const entries = this.#entries(value, pipeline.at)
    if (entries.length === 0) return this.nodes(node.otherwise, scope)
    const [first, second] = pipeline.variables
    for (const [key, dot] of entries) {
      const own = second ? { [first ?? '']: key, [second]: dot } : first ? { [first]: dot } : {}
      const variables = pipeline.sets
        ? this.#set(scope.variables, own, pipeline.at)
        : [...scope.variables, ...Object.entries(own).map(([name, of]) => ({ name, value: of }))]
      if (this.nodes(node.body, { ...scope, dot, variables }) === 'break') break
    }
    return 'end'
  }

  #entries(value: unknown, at: number): [unknown, unknown][] {
    if (value === null || value === undefined) return []
    if (Array.isArray(value)) return value.map((item, i) => [BigInt(i), item])
    if (typeof value === 'bigint') return Array.from({ length: Number(value) }, (_, i) => [BigInt(i), BigInt(i)])
    if (typeof value === 'object')
      return Object.entries(value as object).sort(([one], [other]) => (one < other ? -1 : 1))
    throw failed(this.#template.text, at, `range can't iterate over ${describe(value)}`)
  }

  #named({ name, pipeline, at }: Extract<Node, { type: 'template' }>, scope: Scope): void {
    const { named, text } = this.#template
    const body = named.get(name)
    if (!body) {
      const meant = nearest(name, [...named.keys()])
      throw failed(text, at, `template "${name}" not defined${meant ? `. Did you mean "${meant}"?` : ''}`)
    }
    if (scope.depth >= maxDepth) throw failed(text, at, `exceeded maximum template depth (${maxDepth})`)
    const dot = pipeline ? this.#pipeline(pipeline, scope).value : undefined
    this.nodes(body, { dot, variables: [{ name: '$', value: dot }], depth: scope.depth + 1 })
  }

  #pipeline(pipeline: Pipeline, scope: Scope): { value: unknown; variables: Variables } {
    let value: unknown
    pipeline.commands.forEach((command, i) => {
      value = this.#operand(command, scope, i > 0 ? [value] : [])
    })
    const [name] = pipeline.variables
    if (name === undefined) return { value, variables: scope.variables }
    return {
      value,
      variables: pipeline.sets
        ? this.#set(scope.variables, { [name]: value }, pipeline.at)
        : [...scope.variables, { name, value }],
    }
  }

  /** Sets variables where they were made: what shares them sees it. */
  #set(variables: Variables, values: Record<string, unknown>, at: number): Variables {
    for (const [name, value] of Object.entries(values)) this.#variable(variables, name, at).value = value
    return variables
  }

  #variable(variables: Variables, name: string, at: number): { name: string; value: unknown } {
    const found = variables.findLast((one) => one.name === name)
    if (!found) throw failed(this.#template.text, at, `undefined variable "${name}"`)
    return found
  }

  /** `piped` is the value of the command before. */
  #operand(operand: Operand, scope: Scope, piped: readonly unknown[] = []): unknown {
    if (piped.length > 0 && operand.type !== 'call')
      throw failed(this.#template.text, operand.at, 'a value cannot be piped into what is no function')
    switch (operand.type) {
      case 'literal':
        return operand.value
      case 'dot':
        return scope.dot
      case 'variable':
        return this.#variable(scope.variables, operand.name, operand.at).value
      case 'pipeline':
        return this.#pipeline(operand.pipeline, scope).value
      case 'fields':
        return this.#fields(operand, operand.of ? this.#operand(operand.of, scope) : scope.dot)
      case 'call':
        return this.#call(operand, scope, piped)
    }
  }

  #fields({ names, at }: Extract<Operand, { type: 'fields' }>, from: unknown): unknown {
    return names.reduce<unknown>((value, name) => {
      const { text } = this.#template
      if (value === null || value === undefined) {
        if (this.#allowMissing) return undefined
        throw failed(text, at, `nil data; no entry for key "${name}"`)
      }
      if (typeof value !== 'object' || Array.isArray(value))
        throw failed(
          text,
          at,
          `can't evaluate field ${name} in ${describe(value)}${Array.isArray(value) ? ': range over it, or take one with index' : ''}`,
        )
      if (Object.hasOwn(value, name)) return (value as Record<string, unknown>)[name]
      if (this.#allowMissing) return undefined
      const meant = nearest(name, Object.keys(value))
      throw failed(text, at, `map has no entry for key "${name}"${meant ? `. Did you mean "${meant}"?` : ''}`)
    }, from)
  }

  #call({ name, args, at }: Extract<Operand, { type: 'call' }>, scope: Scope, piped: readonly unknown[]): unknown {
    if (name === 'and' || name === 'or') {
      let value: unknown
      for (const arg of args) {
        value = this.#operand(arg, scope)
        // The others are not even looked at.
        if (isTrue(value) === (name === 'or')) return value
      }
      return piped.length > 0 ? piped[0] : value
    }
    try {
      return callFunction(name, [...args.map((arg) => this.#operand(arg, scope)), ...piped])
    } catch (error) {
      if (error instanceof CliError || !(error instanceof Refused)) throw error
      throw failed(this.#template.text, at, `error calling ${name}: ${error.message}`)
    }
  }
}
