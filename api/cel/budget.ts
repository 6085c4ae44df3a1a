import type { ASTNode } from '@marcbachmann/cel-js'
import { perLetter, perSearchedLetter, searches } from './cost.ts'
import { childrenOf, type Scope, type Settable, type Visitor } from './syntax.ts'

/** Upstream's: a tenth of a second or so for one run of an expression, a second for all of one object or one policy. */
const stepsPerRun = 1_000_000
const stepsInAll = 10_000_000

/** An expression has taken more steps than it may; with upstream's words. */
export class TooCostly extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}

/** What expressions that are run for one purpose may still cost between them. */
export class Budget {
  #left: number
  readonly #sizes = new WeakMap<object, number>()

  constructor(steps = stepsInAll) {
    this.#left = steps
  }

  get isSpent(): boolean {
    return this.#left < 0
  }

  /** Does what a single run does, with a budget of its own, and takes off what it cost. Throws TooCostly. */
  run(work: (own: Budget) => unknown): unknown {
    const most = Math.min(stepsPerRun, this.#left)
    const own = new Budget(most)
    const settle = () => {
      this.#left -= most - own.#left
      // The language lets an error go where another part decides: not this one.
      if (own.isSpent) throw new TooCostly()
    }
    let value: unknown
    const before = running
    running = own
    try {
      value = work(own)
    } finally {
      running = before
      if (!(value instanceof Promise)) settle()
    }
    return value instanceof Promise ? value.finally(settle) : value
  }

  /** Throws TooCostly when nothing is left. */
  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new TooCostly()
  }

  /** Letters and values of all that a value holds. */
  sizeOf(value: unknown): number {
    if (typeof value === 'string') return value.length
    if (typeof value !== 'object' || value === null) return 1
    const known = this.#sizes.get(value)
    if (known !== undefined) return known
    let size = 1
    const parts = Array.isArray(value) ? value : value instanceof Map ? value.values() : Object.values(value)
    for (const part of parts) size += this.sizeOf(part)
    this.#sizes.set(value, size)
    return size
  }
}

/** Where a run finds its budget: no expression can name it. */
const budgetKey = ' budget'
/** The budget of the run that is under way, until it has to wait for something: found sooner. */
let running: Budget | undefined

/** Variables that expressions are run with, with the budget that they share. */
export const withBudget = (variables: object, budget: Budget): Record<string, unknown> =>
  Object.create(variables, { [budgetKey]: { value: budget } })

/** The budget that variables came with; else one of their own. */
export const budgetOf = (variables: Record<string, unknown>): Budget =>
  (variables[budgetKey] as Budget | undefined) ?? new Budget()

/** Functions that look at all that a list holds; others at its texts alone. */
const walking = new Set(['join', 'sum', 'min', 'max', 'isSorted', 'indexOf', 'lastIndexOf', 'format'])
const comparing = new Set(['==', '!=', '<', '<=', '>', '>=', 'in', '+'])

/**
 * Has a checked tree pay for what it does: a step for every part of it that is looked at, and for what is compared, joined
 * or handed to a function by how large it is.
 */
export function payForSteps(node: ASTNode): void {
  meter(node)
}

type Weigh = (budget: Budget, value: unknown) => number

function meter(node: ASTNode, weigh?: Weigh): void {
  const { meta } = node as Settable
  const holder = meta.macro ?? ((meta.alternate ?? node) as Settable).meta
  const { evaluate } = holder
  holder.evaluate = (visitor: Visitor, self: never, scope: Scope) => {
    const budget = running ?? (scope.getValue(budgetKey) as Budget)
    budget.spend(1)
    // As the method of a macro.
    const value = holder === meta.macro ? evaluate.call(holder, visitor, self, scope) : evaluate(visitor, self, scope)
    if (weigh) budget.spend(weigh(budget, value))
    return value
  }
  const ofParts = weighing(node)
  for (const child of childrenOf(node)) meter(child, ofParts)
}

/** What the parts of a node cost beyond the looking at them. */
function weighing(node: ASTNode): Weigh | undefined {
  if (comparing.has(node.op)) return byAll
  if (node.op !== 'call' && node.op !== 'rcall') return undefined
  const name = node.args[0]
  if (walking.has(name)) return byAll
  return searches.has(name) ? byText(perSearchedLetter) : byText(perLetter)
}

const byAll: Weigh = (budget, value) => budget.sizeOf(value) * perLetter
const byText =
  (each: number): Weigh =>
  (_budget, value) =>
    typeof value === 'string' ? value.length * each : 0
