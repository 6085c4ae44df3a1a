import { parseAt } from '../../api/gantry/at.ts'
import { badRequestError, expiredError, type StatusError } from '../../api/machinery/errors.ts'
import { formatMicroTime, formatTime } from '../../api/machinery/time.ts'
import type { ServerContext } from '../handlers/context.ts'
import { revisionAtTime } from '../storage/commit-search.ts'
import type { Revision } from '../storage/store.ts'

/** A point of history. */
export interface Moment {
  revision: Revision
  /** When the newest commit of it was made; undefined where that is not known. */
  timeMs: number | undefined
}

/** The moment that a parameter means. Throws 400 for what makes none, 410 for what is older than history. */
export async function momentOf(server: ServerContext, name: string, text: string): Promise<Moment> {
  const at = parseAt(text, server.now())
  if (!at) {
    throw badRequestError(
      `${name}: Invalid value: ${JSON.stringify(text)}: must be a revision, a time ago such as 10m or 1h30m, or a time such as ${formatTime(server.now())}`,
    )
  }
  const { past } = server
  const [oldest, newest] = await Promise.all([past.oldest(), past.revision()])
  if ('revision' in at) {
    if (at.revision > newest) {
      throw badRequestError(
        `${name}: Invalid value: revision ${at.revision} has not been reached: the newest is ${newest}`,
      )
    }
    if (at.revision < oldest) throw await tooOld(server, `revision ${at.revision}`, oldest)
    return momentAt(server, at.revision)
  }
  const revision = await revisionAtTime((each) => past.commitAt(each), at.timeMs, oldest, newest)
  const moment = await momentAt(server, revision)
  // All that is known may be younger than that. A new store had nothing before its first revision.
  const isKnown = moment.timeMs === undefined ? revision === newest : moment.timeMs <= at.timeMs
  if (revision === oldest && oldest > 1 && !isKnown) throw await tooOld(server, formatTime(at.timeMs), oldest)
  return moment
}

/** The moment of a revision that can be read. */
export async function momentAt({ past }: ServerContext, revision: Revision): Promise<Moment> {
  return { revision, timeMs: (await past.commitAt(revision))?.timeMs }
}

/** As answers name it. */
export function shownMoment({ revision, timeMs }: Moment): { revision: string; time?: string } {
  return { revision: String(revision), ...(timeMs === undefined ? {} : { time: formatMicroTime(timeMs) }) }
}

/** Where history begins: from that revision on, and since when at the latest. */
export async function beginning(server: ServerContext): Promise<Moment> {
  const [revision, newest] = await Promise.all([server.past.oldest(), server.past.revision()])
  const moment = await momentAt(server, revision)
  if (moment.timeMs !== undefined || revision === newest) return moment
  // A store begins with 1, which nobody committed.
  return { revision, timeMs: (await momentAt(server, Math.max(revision, 1) + 1)).timeMs }
}

async function tooOld(server: ServerContext, asked: string, oldest: Revision): Promise<StatusError> {
  const { timeMs } = await beginning(server)
  const since = timeMs === undefined ? '' : `, of ${formatTime(timeMs)}`
  return expiredError(
    `${asked} is older than the history that is kept, which begins with revision ${oldest}${since} (see --history-retention of the API server)`,
  )
}
