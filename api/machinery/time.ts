/** Times as the API writes them: RFC 3339 in UTC, whole seconds, or microseconds. */

const pattern = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

/** Milliseconds since the epoch, or undefined for what is no RFC 3339 time. */
export function parseTime(text: string): number | undefined {
  if (!pattern.test(text)) return undefined
  const ms = Date.parse(text)
  return Number.isNaN(ms) ? undefined : ms
}

let lastSecond = Number.NaN
let lastText = ''

/** `2026-01-02T03:04:05Z`. The second that was asked for last is asked for again and again, and kept. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000)
  if (second !== lastSecond) {
    lastText = `${new Date(ms).toISOString().slice(0, 19)}Z`
    lastSecond = second
  }
  return lastText
}

/** `2026-01-02T03:04:05.678000Z`. */
export const formatMicroTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000Z`

/** The canonical form of a time in whole seconds; undefined if it is none. */
export function canonicalTime(text: string): string | undefined {
  // Nearly all arrive in the form they leave in.
  if (text.length === 20 && text.endsWith('Z') && pattern.test(text) && !Number.isNaN(Date.parse(text))) return text
  const ms = parseTime(text)
  return ms === undefined ? undefined : formatTime(ms)
}

/** The canonical form of a time in microseconds; undefined if it is none. */
export function canonicalMicroTime(text: string): string | undefined {
  const ms = parseTime(text)
  if (ms === undefined) return undefined
  const fraction = text.match(/\.(\d+)/)?.[1] ?? ''
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(6, '0').slice(0, 6)}Z`
}
