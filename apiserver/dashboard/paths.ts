import { badRequestError, unavailableError } from '../../api/machinery/errors.ts'
import { readBody } from '../handlers/body.ts'
import type { PathHandler } from '../handlers/pipeline.ts'
import { sendObject } from '../handlers/respond.ts'
import { sendFile } from './files.ts'
import type { Granted, Sessions } from './sessions.ts'

const json = { format: 'json', as: 'object', asVersion: 'v1', pretty: false } as const
const longestBody = 10_000

/** Serves the page under /ui/, and what it logs in by: links, made by who has credentials, and sessions. */
export function dashboardPaths(directory: string, sessions: Sessions): PathHandler {
  return async (req, res, { path, method }, user) => {
    if (path === '/ui') {
      res.writeHead(301, { Location: '/ui/', 'Content-Length': 0 })
      res.end()
      return true
    }
    if (!path.startsWith('/ui/')) return false
    const name = path.slice('/ui/'.length)
    switch (`${method} ${name}`) {
      case 'POST links': {
        const { secret, expiresMs } = await sessions.createLink(user)
        sendObject(res, 201, { path: `/ui/#login=${secret}`, expirationTimestamp: timeOf(expiresMs) }, json)
        return true
      }
      case 'POST session': {
        const { code } = bodyOf(await readBody(req, longestBody))
        if (typeof code !== 'string') throw badRequestError('the body must be {"code": "…"}, with the code of a link')
        const granted: Granted = await sessions.redeem(code)
        sendObject(res, 201, { token: granted.secret, expirationTimestamp: timeOf(granted.expiresMs) }, json)
        return true
      }
      case 'POST logout': {
        const { token } = bodyOf(await readBody(req, longestBody))
        if (typeof token !== 'string')
          throw badRequestError('the body must be {"token": "…"}, with that of the session')
        await sessions.end(token)
        sendObject(res, 200, {}, json)
        return true
      }
    }
    if (method !== 'GET' && method !== 'HEAD') return false
    if (await sendFile(directory, name || 'index.html', req, res)) return true
    if (name !== '') return false
    throw unavailableError('the page has not been built: run `npm run build`')
  }
}

const timeOf = (ms: number): string => new Date(ms).toISOString()

function bodyOf(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Answered below, like any other body that is none.
  }
  throw badRequestError('the body must be a JSON object')
}
