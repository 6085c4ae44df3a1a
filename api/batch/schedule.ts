import { parseDuration } from '../machinery/duration.ts'
import { isCalendarDays } from './calendar-days.ts'

/** The times of a schedule: for each field the values it names, as bits. */
export interface CronTimes {
  minutes: bigint
  hours: bigint
  daysOfMonth: bigint
  months: bigint
  daysOfWeek: bigint
  /** A day field that is `*` or `?` leaves the choice of days to the other one. */
  anyDayOfMonth: boolean
  anyDayOfWeek: boolean
  /** A day field that only a calendar can answer, as it was written; its bits are empty. */
  calendarDaysOfMonth?: string
  calendarDaysOfWeek?: string
}

/** `times`: at the minutes that match. `everyMs`: at a fixed distance. `zone` is the one named in the text. */
export type CronSchedule = ({ times: CronTimes } | { everyMs: number }) & { zone?: string }

/**
 * Reads a schedule: five fields (minute, hour, day of month, month, day of week), or a word such as `@hourly`, or
 * `@every 1h30m`; before it possibly `TZ=` or `CRON_TZ=` and a zone. Days may also be node-cron's (calendar-days.ts). Throws an Error in the words users know.
 */
export function parseCronSchedule(text: string): CronSchedule {
  if (text === '') throw new Error('empty spec string')
  if (!text.startsWith('TZ=') && !text.startsWith('CRON_TZ=')) return parseTimes(text)
  const space = text.indexOf(' ')
  if (space < 0) throw new Error('invalid schedule format: runtime error: slice bounds out of range [:-1]')
  const zone = text.slice(text.indexOf('=') + 1, space)
  if (!isTimeZone(zone)) throw new Error(`provided bad location ${zone}: unknown time zone ${zone}`)
  return { ...parseTimes(text.slice(space).trim()), zone }
}

/** Whether the machine knows the time zone. */
export function isTimeZone(name: string): boolean {
  if (name === '' || name === 'UTC' || name === 'Local') return true
  try {
    // Zones as numbers (+02:00) are the language's own; the zone database has none.
    return !/^[+-]/.test(name) && new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    return false
  }
}

interface Bounds {
  min: number
  max: number
  names?: readonly string[]
}

const monthNames = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ')
const dayNames = 'sun mon tue wed thu fri sat'.split(' ')
const minute: Bounds = { min: 0, max: 59 }
const hour: Bounds = { min: 0, max: 23 }
const dayOfMonth: Bounds = { min: 1, max: 31 }
const month: Bounds = { min: 1, max: 12, names: monthNames }
const dayOfWeek: Bounds = { min: 0, max: 6, names: dayNames }

const words: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

function parseTimes(text: string): CronSchedule {
  if (text.startsWith('@')) return parseWord(text)
  const fields = text.split(/\s+/).filter((field) => field !== '')
  if (fields.length !== 5) {
    throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`)
  }
  const [minutes, hours, daysOfMonth, months, daysOfWeek] = fields as [string, string, string, string, string]
  const times: CronTimes = {
    minutes: parseField(minutes, minute).bits,
    hours: parseField(hours, hour).bits,
    ...readDaysOfMonth(daysOfMonth),
    months: parseField(months, month).bits,
    ...readDaysOfWeek(daysOfWeek),
  }
  return { times }
}

type DaysOfMonth = Pick<CronTimes, 'daysOfMonth' | 'anyDayOfMonth' | 'calendarDaysOfMonth'>
type DaysOfWeek = Pick<CronTimes, 'daysOfWeek' | 'anyDayOfWeek' | 'calendarDaysOfWeek'>

function readDaysOfMonth(text: string): DaysOfMonth {
  if (isCalendarDays('dayOfMonth', text)) return { daysOfMonth: 0n, anyDayOfMonth: false, calendarDaysOfMonth: text }
  const { bits, any } = parseField(text, dayOfMonth)
  return { daysOfMonth: bits, anyDayOfMonth: any }
}

function readDaysOfWeek(text: string): DaysOfWeek {
  if (isCalendarDays('dayOfWeek', text)) return { daysOfWeek: 0n, anyDayOfWeek: false, calendarDaysOfWeek: text }
  const { bits, any } = parseField(text, dayOfWeek)
  return { daysOfWeek: bits, anyDayOfWeek: any }
}

function parseWord(text: string): CronSchedule {
  const meaning = words[text]
  if (meaning !== undefined) return parseTimes(meaning)
  if (!text.startsWith('@every ')) throw new Error(`unrecognized descriptor: ${text}`)
  const duration = text.slice('@every '.length)
  const everyMs = parseDuration(duration)
  if (everyMs === undefined) {
    throw new Error(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(duration)}`)
  }
  // Shorter than a second is a second; fractions of one are cut off.
  return { everyMs: Math.max(1000, Math.floor(everyMs / 1000) * 1000) }
}

function parseField(text: string, bounds: Bounds): { bits: bigint; any: boolean } {
  let bits = 0n
  let any = false
  for (const part of text.split(',')) {
    if (part === '') continue
    const range = parseRange(part, bounds)
    bits |= range.bits
    any ||= range.any
  }
  return { bits, any }
}

/** `*`, `5`, `1-5`, each with an optional `/step`. */
function parseRange(text: string, bounds: Bounds): { bits: bigint; any: boolean } {
  const parts = text.split('/')
  const ends = (parts[0] as string).split('-')
  const isStar = ends[0] === '*' || ends[0] === '?'
  let first = bounds.min
  let last = bounds.max
  if (!isStar) {
    first = parseNumber(ends[0] as string, bounds)
    if (ends.length > 2) throw new Error(`too many hyphens: ${text}`)
    last = ends.length === 2 ? parseNumber(ends[1] as string, bounds) : first
  }
  let step = 1
  if (parts.length > 2) throw new Error(`too many slashes: ${text}`)
  if (parts.length === 2) {
    step = parseNumber(parts[1] as string, { min: 0, max: 0 })
    // `5/10` means from 5 on.
    if (ends.length === 1) last = bounds.max
  }
  if (first < bounds.min) throw new Error(`beginning of range (${first}) below minimum (${bounds.min}): ${text}`)
  if (last > bounds.max) throw new Error(`end of range (${last}) above maximum (${bounds.max}): ${text}`)
  if (first > last) throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${text}`)
  if (step === 0) throw new Error(`step of range should be a positive number: ${text}`)
  let bits = 0n
  for (let value = first; value <= last; value += step) bits |= 1n << BigInt(value)
  return { bits, any: isStar && step === 1 }
}

function parseNumber(text: string, { min, names }: Bounds): number {
  const named = names?.indexOf(text.toLowerCase()) ?? -1
  if (named >= 0) return named + min
  if (!/^[+-]?\d+$/.test(text)) {
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`)
  }
  const value = Number(text)
  if (value < 0) throw new Error(`negative number (${value}) not allowed: ${text}`)
  return value
}
