import { Environment } from '@marcbachmann/cel-js'
import { tooComplex } from '../machinery/compilers.ts'
import { budgetOf, payForSteps, withBudget } from './budget.ts'
import { worstCost } from './cost.ts'
import { describeFault } from './faults.ts'
import { addQuantities } from './quantity.ts'
import { addRegularExpressions } from './regex.ts'
import { addSemvers } from './semver.ts'
import { adapt } from './syntax.ts'

/** What all expressions of Kubernetes can use; variables and types of one place are added by who needs them. */
export function newEnvironment(): Environment {
  const environment = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false })
  addQuantities(environment)
  addSemvers(environment)
  addRegularExpressions(environment)
  return environment
}

interface Bounds {
  /** Of what an expression may come to, by the name of the library; `dyn` is what only running it will tell. */
  results: readonly string[]
  /** It may come to anything. */
  anything?: boolean
  /** More steps than that are refused. */
  maxCost: number
  /** No text, list or map that the expression is given has more parts. */
  maxSize: number
}

type Compiled = { run: (variables: Record<string, unknown>) => unknown } | { fault: string }

/**
 * An expression ready to run, or what is wrong with it. Running it throws what cannot be evaluated, and TooCostly for what
 * takes more steps than the budget of the variables has, or any expression may take.
 */
export function compile(environment: Environment, expression: string, bounds: Bounds): Compiled {
  const parsed = parse(environment, expression)
  if ('fault' in parsed) return parsed
  const { valid, type = '', error } = parsed.check()
  if (!valid && error) return { fault: describeFault(expression, error) }
  if (!bounds.anything && !bounds.results.includes(type) && type !== 'dyn') {
    return { fault: `must evaluate to ${bounds.results.join(' or ')} or the unknown type, not ${type}` }
  }
  if (worstCost(parsed.ast, bounds.maxSize) > bounds.maxCost) return { fault: tooComplex }
  // What is bounded before it is run needs no watching while it runs.
  if (bounds.maxCost !== Number.POSITIVE_INFINITY) return { run: (variables) => parsed(variables) }
  payForSteps(parsed.ast)
  return {
    run: (variables) => budgetOf(variables).run((own) => parsed(withBudget(variables, own))),
  }
}

function parse(environment: Environment, expression: string) {
  try {
    const parsed = environment.parse(expression)
    adapt(parsed.ast)
    return parsed
  } catch (error) {
    return { fault: describeFault(expression, error as Parameters<typeof describeFault>[1]) }
  }
}
