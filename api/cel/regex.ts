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
      compiled(pattern).matcher(text).find(),
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
