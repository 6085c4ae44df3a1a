import type { Exchange } from '../client/client.ts'
import { CliError } from './errors.ts'

/** From which verbosity on what is told: kubectl's numbers. */
const requests = 6
const headers = 7
const bodies = 8
const longestBody = 10_000

/**
 * What tells of each request as it is answered, by what `-v` says: 6 its line, 7 its headers, 8 what was sent. Undefined for
 * less. Throws a CliError for what is no number.
 */
export function tracer(verbosity: string, tell: (text: string) => void): ((exchange: Exchange) => void) | undefined {
  const level = Number(verbosity)
  if (verbosity.trim() === '' || !Number.isInteger(level)) {
    throw new CliError(
      `invalid argument "${verbosity}" for "-v": write a number: 6 shows requests, 7 headers, 8 bodies`,
    )
  }
  if (level < requests) return undefined
  return ({ method, url, sent, body, status, received, failure, ms }) => {
    const outcome = failure ?? status ?? ''
    const lines = [`${method} ${url} ${outcome} in ${Math.round(ms)} ms`]
    if (level >= headers) lines.push(...headerLines('>', sent), ...headerLines('<', received))
    if (level >= bodies && body) lines.push(shortened(body))
    tell(`${lines.join('\n')}\n`)
  }
}

/** Who somebody is must not end up in what is shown to others. */
const headerLines = (sign: string, all: Exchange['sent'] = {}): string[] =>
  Object.entries(all).map(([name, value]) => `${sign} ${name}: ${name === 'authorization' ? '<masked>' : value}`)

const shortened = (text: string): string =>
  text.length <= longestBody ? text : `${text.slice(0, longestBody)} [truncated ${text.length - longestBody} chars]`
