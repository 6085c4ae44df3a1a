import { createTask, type ScheduledTask, validate } from 'node-cron'

/**
 * Days that only a calendar tells, in node-cron's words: `L` (the last of the month), `L-3`, `15W` (the weekday nearest
 * to the 15th), `1#2` (the second Monday), `5L` (the last Friday). Upstream knows none of them.
 */
const ofMonth = /[LW]/i
const ofWeek = /#|\dL/i

export type DayField = 'dayOfMonth' | 'dayOfWeek'

/** Whether a field, which may be a list, is for node-cron to read: it has such words in it, and they make sense. */
export function isCalendarDays(kind: DayField, text: string): boolean {
  return (kind === 'dayOfMonth' ? ofMonth : ofWeek).test(text) && validate(pattern(kind, text))
}

const matchers = new Map<string, ScheduledTask>()
/** More patterns than a cluster's cron jobs have between them; a flood of new ones starts over. */
const maxMatchers = 1000

/** Whether such a field names the day of `date`, read in UTC. */
export function hasCalendarDay(kind: DayField, text: string, date: Date): boolean {
  const key = pattern(kind, text)
  let matcher = matchers.get(key)
  if (!matcher) {
    // It never runs: of the library's task only the reading of the pattern is used.
    matcher = createTask(key, () => {}, { timezone: 'UTC' })
    void matcher.destroy()
    if (matchers.size >= maxMatchers) matchers.clear()
    matchers.set(key, matcher)
  }
  return matcher.match(new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate())))
}

const pattern = (kind: DayField, text: string): string =>
  kind === 'dayOfMonth' ? `0 0 ${text.toUpperCase()} * *` : `0 0 * * ${text.toUpperCase()}`
