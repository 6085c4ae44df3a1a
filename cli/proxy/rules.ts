import { CliError } from '../errors.ts'

/** Who may ask a proxy for what. */
export interface ProxyRules {
  acceptHosts: RegExp[]
  acceptPaths: RegExp[]
  rejectPaths: RegExp[]
  rejectMethods: RegExp[]
}

interface RuleFlags {
  acceptHosts?: string
  acceptPaths?: string
  rejectPaths?: string
  rejectMethods?: string
  disableFilter?: boolean
}

/** kubectl's: this machine alone, and no shells, which a page in a browser could open as well. */
const defaults = {
  acceptHosts: '^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$',
  acceptPaths: '^.*',
  rejectPaths: '^/api/.*/pods/.*/exec,^/api/.*/pods/.*/attach',
}

/** Reads the patterns. Throws for what is no regular expression. */
export function parseRules(flags: RuleFlags): ProxyRules {
  const patterns = (text: string | undefined): RegExp[] =>
    (text ?? '')
      .split(',')
      .filter((part) => part !== '')
      .map((part) => {
        try {
          return new RegExp(part)
        } catch (error) {
          throw new CliError(`${part} is no regular expression: ${(error as Error).message}`)
        }
      })
  if (flags.disableFilter) return { acceptHosts: [/.*/], acceptPaths: [/.*/], rejectPaths: [], rejectMethods: [] }
  return {
    acceptHosts: patterns(flags.acceptHosts ?? defaults.acceptHosts),
    acceptPaths: patterns(flags.acceptPaths ?? defaults.acceptPaths),
    rejectPaths: patterns(flags.rejectPaths ?? defaults.rejectPaths),
    rejectMethods: patterns(flags.rejectMethods),
  }
}

/** Whether a request is passed on. */
export function isServed(
  rules: ProxyRules,
  { method, host, path }: { method: string; host: string; path: string },
): boolean {
  const name = host.replace(/:\d+$/, '')
  const some = (patterns: readonly RegExp[], text: string) => patterns.some((pattern) => pattern.test(text))
  return (
    some(rules.acceptHosts, name) &&
    some(rules.acceptPaths, path) &&
    !some(rules.rejectPaths, path) &&
    !some(rules.rejectMethods, method)
  )
}
