import type { ServerResponse } from 'node:http'
import type { RequestInfo } from './request-info.ts'

/** One thing that can be unwell. Throws or rejects with the reason. */
export interface HealthCheck {
  name: string
  check: () => void | Promise<void>
  /** The endpoints that ask it; default all three. */
  only?: readonly string[]
}

const endpoints = ['healthz', 'livez', 'readyz']

/** Answers /healthz, /livez and /readyz, their verbose forms, exclusions and single checks, in upstream's text form. */
export async function serveHealth(
  res: ServerResponse,
  info: RequestInfo,
  checks: readonly HealthCheck[],
): Promise<boolean> {
  const [endpoint = '', single, ...more] = info.path.split('/').filter((part) => part !== '')
  if (!endpoints.includes(endpoint)) return false
  const asked = checks.filter(({ only }) => !only || only.includes(endpoint))
  if (single !== undefined) {
    const name = [single, ...more].join('/')
    const check = asked.find((candidate) => candidate.name === name)
    if (!check) return false
    const failure = await run(check)
    send(res, failure === undefined ? 200 : 500, failure === undefined ? 'ok' : `internal server error: ${failure}\n`)
    return true
  }
  const excluded = new Set(info.query.getAll('exclude'))
  const lines: string[] = []
  let failed = false
  for (const check of asked) {
    if (excluded.delete(check.name)) {
      lines.push(`[+]${check.name} excluded: ok`)
      continue
    }
    const failure = await run(check)
    if (failure === undefined) lines.push(`[+]${check.name} ok`)
    else {
      failed = true
      lines.push(`[-]${check.name} failed: reason withheld`)
    }
  }
  if (excluded.size > 0) {
    lines.push(
      `warn: some health checks cannot be excluded: no matches for ${[...excluded].map((name) => JSON.stringify(name)).join(', ')}`,
    )
  }
  const verdict = failed ? `${endpoint} check failed` : `${endpoint} check passed`
  if (!failed && !info.query.has('verbose')) send(res, 200, 'ok')
  else send(res, failed ? 500 : 200, `${lines.join('\n')}\n${verdict}\n`)
  return true
}

async function run({ check }: HealthCheck): Promise<string | undefined> {
  try {
    await check()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function send(res: ServerResponse, code: number, text: string): void {
  res.writeHead(code, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-cache, private',
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(text),
  })
  res.end(text)
}
