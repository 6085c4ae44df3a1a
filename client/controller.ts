import { isConflict } from './errors.ts'
import { type Logger, silentLogger } from './logger.ts'
import type { Clock } from './types.ts'
import type { WorkQueue } from './work-queue.ts'

/**
 * One control loop. Level-triggered: `reconcile` reads the world and takes one step towards what is wanted; an event
 * only says which key to look at.
 */
export interface Controller {
  name: string
  /** Keys worked on at once; default 5. */
  workers?: number
  queue: WorkQueue
  /** Called once, when the caches are filled, before the first key. */
  start?(signal: AbortSignal): Promise<void> | void
  reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined>
}

/** Trying again would not help; the next change of the object may. */
export class TerminalError extends Error {
  override name = 'TerminalError'
}

/** Works on the controller's keys until the signal fires; resolves when what was running has ended. */
export async function runController(
  controller: Controller,
  { signal, log = silentLogger }: { signal: AbortSignal; clock?: Clock; log?: Logger },
): Promise<void> {
  const { queue, name } = controller
  signal.addEventListener('abort', () => queue.shutDown(), { once: true })
  if (signal.aborted) queue.shutDown()
  await controller.start?.(signal)
  const work = async () => {
    for (;;) {
      const key = await queue.get()
      if (key === undefined) return
      try {
        const again = await controller.reconcile(key, signal)
        queue.forget(key)
        if (again) queue.addAfter(key, again.requeueAfterMs)
      } catch (error) {
        if (signal.aborted) return
        if (error instanceof TerminalError) {
          log.error({ controller: name, key, err: error.message }, 'given up until it changes')
          queue.forget(key)
        } else {
          // A conflict is no fault: somebody was faster, and the next look sees what they did.
          if (isConflict(error)) log.debug({ controller: name, key, err: (error as Error).message }, 'conflict')
          else
            log.warn(
              {
                controller: name,
                key,
                err: error instanceof Error ? error.message : String(error),
                retries: queue.retries(key),
              },
              'failed, will be tried again',
            )
          queue.addRateLimited(key)
        }
      } finally {
        queue.done(key)
      }
    }
  }
  await Promise.all(Array.from({ length: controller.workers ?? 5 }, work))
}
