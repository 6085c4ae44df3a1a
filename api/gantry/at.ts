import { parseTime } from '../machinery/time.ts'

/** A point of history as somebody says it: a revision, or a time. */
export type At = { revision: number } | { timeMs: number }

const unitMs: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000 }

/** Reads `48213`, `10m` and `1h30m` (ago), or an RFC 3339 time; undefined for what is none of them. */
export function parseAt(text: string, nowMs: number): At | undefined {
  if (/^\d{1,16}$/.test(text)) return { revision: Number(text) }
  if (/^(\d+[dhms])+$/.test(text)) {
    let agoMs = 0
    for (const [, count, unit] of text.matchAll(/(\d+)([dhms])/g)) agoMs += Number(count) * (unitMs[unit ?? ''] ?? 0)
    return { timeMs: nowMs - agoMs }
  }
  const timeMs = parseTime(text)
  return timeMs === undefined ? undefined : { timeMs }
}
