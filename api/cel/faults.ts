import type { TypeError as CheckError, ParseError } from '@marcbachmann/cel-js'

/** What is wrong with an expression, in the form that clients of upstream know: where, with the line and a pointer at it. */
export function describeFault(expression: string, fault: ParseError | CheckError): string {
  const at = placeOf(fault)
  const before = expression.slice(0, at).split('\n')
  const column = before.at(-1)?.length ?? 0
  const line = expression.split('\n')[before.length - 1] ?? ''
  return `compilation failed: ERROR: <input>:${before.length}:${column + 1}: ${sayFault(fault)}\n | ${line}\n | ${'.'.repeat(column)}^`
}

function placeOf({ node, range }: ParseError | CheckError): number {
  // An index and a selection are named by the sign between their parts.
  if (node?.op === '[]' && Array.isArray(node.args)) return (node.args[0] as { end: number }).end
  const start = range?.start ?? 0
  return node?.op === '.' ? Math.max(0, start - 1) : start
}

function sayFault({ code, summary }: ParseError | CheckError): string {
  const [, what = ''] = /: (.*)$/.exec(summary) ?? []
  switch (code) {
    case 'unknown_variable':
      return `undeclared reference to '${what}' (in container '')`
    case 'no_such_key':
      return `undefined field '${what}'`
    case 'no_such_overload': {
      const [, left, operator, right] = /^(\S.*?) (\S+) (.*)$/.exec(what) ?? []
      return left === undefined
        ? summary
        : `found no matching overload for '_${operator}_' applied to '(${left}, ${right})'`
    }
    default:
      return summary.replace(/^Unexpected/, 'Syntax error: unexpected').replaceAll('matchesInLinearTime', 'matches')
  }
}
