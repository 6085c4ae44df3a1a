import { leadingFlags } from './leading-flags.ts'
import { runVerb } from './run-verb.ts'
import { verbs } from './verbs.ts'

/** Runs the verb that a command line names; resolves to the exit code. Undefined for one that names none. */
export function runIfVerb(words: readonly string[]): Promise<number> | undefined {
  const { flags, rest } = leadingFlags(words)
  const [name = '', ...args] = rest
  return Object.hasOwn(verbs, name) ? runVerb(name, [...flags, ...args]) : undefined
}
