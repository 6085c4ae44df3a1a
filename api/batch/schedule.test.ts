import { describe, expect, it } from 'vitest'
import { type CronTimes, parseCronSchedule } from './schedule.ts'

const values = (bits: bigint): number[] =>
  Array.from({ length: 60 }, (_, i) => i).filter((i) => (bits >> BigInt(i)) & 1n)
const times = (text: string): CronTimes => {
  const schedule = parseCronSchedule(text)
  if (!('times' in schedule)) throw new Error('no times')
  return schedule.times
}

describe('a schedule', () => {
  it.each([
    ['*/15 * * * *', [0, 15, 30, 45]],
    ['5 * * * *', [5]],
    ['50/5 * * * *', [50, 55]],
    ['1-5/2,59 * * * *', [1, 3, 5, 59]],
    ['@hourly', [0]],
  ])('%s names minutes', (text, minutes) => {
    expect(values(times(text).minutes)).toEqual(minutes)
  })

  it('knows months and days by name', () => {
    expect(values(times('0 0 * JAN,mar Mon-Wed').months)).toEqual([1, 3])
    expect(values(times('0 0 * * Mon-Wed').daysOfWeek)).toEqual([1, 2, 3])
  })

  it('tells a day field that leaves the choice to the other', () => {
    expect(times('0 0 ? * 1')).toMatchObject({ anyDayOfMonth: true, anyDayOfWeek: false })
    expect(times('0 0 */2 * *')).toMatchObject({ anyDayOfMonth: false, anyDayOfWeek: true })
  })

  it.each([
    ['@every 1h30m', 5_400_000],
    ['@every 1.5s', 1000],
    ['@every 10ms', 1000],
  ])('%s keeps a distance', (text, everyMs) => {
    expect(parseCronSchedule(text)).toEqual({ everyMs })
  })

  it('takes days that only a calendar tells', () => {
    expect(times('0 0 L * *')).toMatchObject({ anyDayOfMonth: false, calendarDaysOfMonth: 'L', anyDayOfWeek: true })
    expect(times('0 0 * * mon#2')).toMatchObject({ anyDayOfMonth: true, calendarDaysOfWeek: 'mon#2' })
    expect(() => times('0 0 40W * *')).toThrow('failed to parse int from 40W')
    expect(() => times('0 0 * * 1#6')).toThrow('failed to parse int from 1#6')
  })

  it('may carry a zone', () => {
    expect(parseCronSchedule('CRON_TZ=Asia/Tokyo 0 6 * * *')).toMatchObject({ zone: 'Asia/Tokyo' })
  })

  it.each([
    ['', 'empty spec string'],
    ['* * *', 'expected exactly 5 fields, found 3: [* * *]'],
    ['60 * * * *', 'end of range (60) above maximum (59): 60'],
    ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['* * * * 7', 'end of range (7) above maximum (6): 7'],
    ['5-1 * * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
    ['*/0 * * * *', 'step of range should be a positive number: */0'],
    ['x * * * *', 'failed to parse int from x: strconv.Atoi: parsing "x": invalid syntax'],
    ['@often', 'unrecognized descriptor: @often'],
    ['@every soon', 'failed to parse duration @every soon: time: invalid duration "soon"'],
    ['TZ=0', 'invalid schedule format: runtime error: slice bounds out of range [:-1]'],
    ['TZ=Moon/Base * * * * *', 'provided bad location Moon/Base: unknown time zone Moon/Base'],
  ])('%j is refused: %s', (text, message) => {
    expect(() => parseCronSchedule(text)).toThrow(message)
  })
})
