/** Durations as upstream writes them: `1h30m`, `15.5s`. */

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Milliseconds of a duration; undefined for what is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^([+-]?)(0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text)
  if (!match) return undefined
  let ms = 0
  for (const [, amount, unit] of (match[2] as string).matchAll(/([\d.]+)(\D+)/g)) {
    ms += Number(amount) * (unitMs[unit as string] as number)
  }
  return match[1] === '-' ? -ms : ms
}
