import { hasCalendarDay } from '../../api/batch/calendar-days.ts'
import type { CronSchedule, CronTimes } from '../../api/batch/schedule.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
/** What does not come in so long, such as the 30th of February, never comes. */
const farMs = 5 * 366 * dayMs

/** The first time after `afterMs` that the schedule names, in a time zone; undefined if there is none within five years. */
export function nextTime(schedule: CronSchedule, afterMs: number, zone: string | undefined): number | undefined {
  if ('everyMs' in schedule) return Math.floor(afterMs / 1000) * 1000 + schedule.everyMs
  const clock = wallClock(schedule.zone ?? zone)
  const end = afterMs + farMs
  let wall = Math.floor(clock.toWall(afterMs) / minuteMs) * minuteMs
  for (;;) {
    const next = nextWall(schedule.times, wall + minuteMs, clock.toWall(end))
    if (next === undefined) return undefined
    const ms = clock.fromWall(next)
    // In spring an hour is missing: what falls into it is left out. In autumn one comes twice: its first pass counts.
    if (ms !== undefined && ms > afterMs) return ms
    wall = next
  }
}

/** The first matching minute from `from` on. Times are those of the wall, counted as if there were no time zones. */
function nextWall(times: CronTimes, from: number, end: number): number | undefined {
  let wall = from
  while (wall < end) {
    const date = new Date(wall)
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
    if (!has(times.months, month + 1)) wall = Date.UTC(year, month + 1)
    else if (!isDay(times, date)) wall = Date.UTC(year, month, day + 1)
    else if (!has(times.hours, date.getUTCHours())) wall = Date.UTC(year, month, day, date.getUTCHours() + 1)
    else if (!has(times.minutes, date.getUTCMinutes())) wall += minuteMs
    else return wall
  }
  return undefined
}

/** Of two day fields one may be any; if both choose, either will do. */
function isDay(times: CronTimes, date: Date): boolean {
  const { calendarDaysOfMonth, calendarDaysOfWeek } = times
  const ofMonth = calendarDaysOfMonth
    ? hasCalendarDay('dayOfMonth', calendarDaysOfMonth, date)
    : has(times.daysOfMonth, date.getUTCDate())
  const ofWeek = calendarDaysOfWeek
    ? hasCalendarDay('dayOfWeek', calendarDaysOfWeek, date)
    : has(times.daysOfWeek, date.getUTCDay())
  return times.anyDayOfMonth || times.anyDayOfWeek ? ofMonth && ofWeek : ofMonth || ofWeek
}

const has = (bits: bigint, value: number): boolean => (bits & (1n << BigInt(value))) !== 0n

interface WallClock {
  toWall(ms: number): number
  /** Undefined for a time that the clocks leap over. */
  fromWall(wall: number): number | undefined
}

/** Without a name: the zone of this machine, as upstream has it. */
function wallClock(zone: string | undefined): WallClock {
  const timeZone = zone === undefined || zone === '' || zone === 'Local' ? undefined : zone
  const format = new Intl.DateTimeFormat('en', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  const toWall = (ms: number) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second)
  }
  return {
    toWall,
    fromWall: (wall) => {
      // The offset a day before and a day after are all there can be; the earlier of two fitting times comes first.
      const fitting = [wall - dayMs, wall + dayMs]
        .map((around) => wall - (toWall(around) - around))
        .filter((ms) => toWall(ms) === wall)
      return fitting.length === 0 ? undefined : Math.min(...fitting)
    },
  }
}

/** `2026-03-29T02:30:00+02:00`: the moment as the clocks of the zone show it. */
export function formatInZone(ms: number, zone: string | undefined): string {
  const minutes = Math.round((wallClock(zone).toWall(ms) - ms) / minuteMs)
  const text = new Date(ms + minutes * minuteMs).toISOString().slice(0, 19)
  if (minutes === 0) return `${text}Z`
  const two = (value: number) => String(value).padStart(2, '0')
  const size = Math.abs(minutes)
  return `${text}${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
