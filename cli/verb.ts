import type { Command } from 'commander'
import type { Session } from './session.ts'

/** One verb: the flags it has beside the shared ones, and what it does. */
// biome-ignore lint/suspicious/noExplicitAny: each verb knows the type of its own flags
export interface Verb<Flags = any> {
  /** What follows the verb: `[TYPE] [NAME]`. */
  usage: string
  examples: readonly string[]
  define?(command: Command): void
  /** `rest` is what follows `--`. Resolves to the exit code. */
  run(session: Session, args: readonly string[], flags: Flags, rest: readonly string[] | undefined): Promise<number>
  /** Verbs below this one: `rollout status`. */
  verbs?: Record<string, Verb & { summary: string }>
  /** It does something by itself, too, where no word follows: `apply -f FILE` beside `apply view-last-applied`. */
  alone?: boolean
}

/** The kubectl-like verbs by their names: loaded when they are run. */
export type Verbs = Readonly<Record<string, { summary: string; load: () => Promise<Verb> }>>
