import type { Command } from 'commander'
import { pathOf } from '../client/client.ts'
import { isNotFound } from '../client/errors.ts'
import { CliError } from './errors.ts'
import { parseDuration } from './flags.ts'
import type { Session } from './session.ts'
import { inTime, type Place, untilGone } from './until.ts'

/** How an object goes that is to be made anew. */
export interface TakingFlags {
  gracePeriod?: string
  timeout?: string
  cascade?: string
}

/** Adds them; `--force` is each verb's own. */
export const addTakingFlags = (command: Command): Command =>
  command
    .option('--grace-period <seconds>', 'with --force: how long pods may take to end')
    .option('--timeout <duration>', 'with --force: how long to wait for the end')
    .option('--cascade <how>', 'with --force: background, foreground or orphan', 'background')

const propagation: Record<string, string> = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' }

/** What becomes of what an object owns, in the API's words. Throws for what is none of the three. */
export function propagationOf(cascade = 'background'): string {
  const policy = propagation[cascade]
  if (policy) return policy
  throw new CliError(`invalid cascade value (${cascade}). Must be "background", "foreground", or "orphan"`)
}

/** Deletes an object and waits until it is gone; false where it was not there. */
export async function takeAway(session: Session, place: Place, flags: TakingFlags): Promise<boolean> {
  const { kind, name, namespace } = place
  const limitMs = flags.timeout ? parseDuration(flags.timeout) : 0
  if (limitMs === undefined) throw new CliError(`invalid --timeout "${flags.timeout}": write 30s, 2m or 1h`)
  const body = {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    propagationPolicy: propagationOf(flags.cascade),
    gracePeriodSeconds: flags.gracePeriod === undefined ? 0 : Number(flags.gracePeriod),
  }
  try {
    await session.json('DELETE', pathOf(kind, namespace, name), { body: JSON.stringify(body) })
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
  if (!(await inTime(session, untilGone(session, place), limitMs || Number.POSITIVE_INFINITY)))
    throw new CliError(`timed out waiting for the end of ${kind.plural}/${name}: it may have a finalizer`)
  return true
}
