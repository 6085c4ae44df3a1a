/**
 * Checks that need an engine too heavy to load with the kinds. The server hands the engines in once, before it serves;
 * without one, expressions are taken as they are and patterns are checked by the language's own expressions.
 */
export interface Compilers {
  /** What is wrong with a CEL expression used as `use`, or undefined. */
  expression?: (expression: string, use: ExpressionUse) => string | undefined
  /** What is wrong with an RE2 pattern, or undefined. */
  pattern?: (pattern: string) => string | undefined
}

/** Where an expression stands, which decides its variables and its type. */
export type ExpressionUse =
  | 'matchCondition'
  | 'validation'
  | 'validationMessage'
  | 'auditAnnotation'
  | 'variable'
  | 'applyConfiguration'
  | 'jsonPatch'
  | 'deviceSelector'
  | 'resourceRule'
  | 'resourceRuleMessage'

/** What is said of an expression that would take too long; it is forbidden rather than invalid. */
export const tooComplex = 'too complex, exceeds cost limit'

let compilers: Compilers = {}

/** Called once, when a server starts. */
export function useCompilers(given: Compilers): void {
  compilers = given
}

/** What is wrong with the expression, or undefined. */
export const expressionFault = (expression: string, use: ExpressionUse): string | undefined =>
  compilers.expression?.(expression, use)

/** What is wrong with the pattern, or undefined. */
export function patternFault(pattern: string): string | undefined {
  if (compilers.pattern) return compilers.pattern(pattern)
  try {
    new RegExp(pattern)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
