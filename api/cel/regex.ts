import type { Environment } from '@marcbachmann/cel-js'
import { RE2JS } from 're2js'

/** The name under which `matches` is called, since that of the library backtracks: one pattern could stop the server. */
export const linearMatches = 'matchesInLinearTime'

const kept = new Map<string, RE2JS>()
const maxKept = 256

function compiled(pattern: string): RE2JS {
  const known = kept.get(pattern)
  if (known) return known
  const made = RE2JS.compile(pattern)
  if (kept.size >= maxKept) kept.clear()
  kept.set(pattern, made)
  return made
}

/** What is wrong with a pattern, in upstream's words; undefined: nothing. */
export function patternSyntaxFault(pattern: string): string | undefined {
  try {
    compiled(pattern)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** Whether a pattern is found in a text. Throws an Error for what is no pattern. */
export const linearTest = (pattern: string, text: string): boolean => compiled(pattern).test(text)

/** At most `limit` of the places that match; negative: all of them. */
function findAll(text: string, pattern: string, limit: bigint): string[] {
  const found: string[] = []
  const matcher = compiled(pattern).matcher(text)
  while ((limit < 0n || BigInt(found.length) < limit) && matcher.find()) found.push(matcher.group() ?? '')
  return found
}

/** Regular expressions of RE2, which take time in proportion to the text. */
export function addRegularExpressions(environment: Environment): void {
  environment
    .registerFunction(`string.${linearMatches}(string): bool`, (text: string, pattern: string) =>
      linearTest(pattern, text),
    )
    .registerFunction('string.find(string): string', (text: string, pattern: string) => {
      const [first = ''] = findAll(text, pattern, 1n)
      return first
    })
    .registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) =>
      findAll(text, pattern, -1n),
    )
    .registerFunction('string.findAll(string, int): list<string>', findAll)
}
