import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks `condition` again and again until it answers something true, and resolves to that. Throws when `timeoutMs` have
 * passed, with the last error the condition threw or `message`.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 20_000, everyMs = 50, message = 'the condition' }: UntilOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    let last: unknown
    try {
      const answer = await condition()
      if (answer) return answer as NonNullable<Exclude<T, false>>
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      throw new Error(`${message}: not so after ${timeoutMs} ms`, { cause: last })
    }
    await sleep(everyMs)
  }
}

export interface UntilOptions {
  timeoutMs?: number
  everyMs?: number
  /** What is waited for, for the error. */
  message?: string
}
