import { runVerb } from './run-verb.ts'
import { verbs } from './verbs.ts'

/** Runs the verb of this name; resolves to the exit code. Undefined for what is no verb. */
export const runIfVerb = (name: string | undefined, args: readonly string[]): Promise<number> | undefined =>
  name !== undefined && Object.hasOwn(verbs, name) ? runVerb(name, args) : undefined
