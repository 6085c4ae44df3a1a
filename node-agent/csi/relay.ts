import type { IncomingMessage } from 'node:http'
import { StatusError } from '../../api/machinery/errors.ts'
import type { Request } from '../server/types.ts'
import type { CsiDrivers } from './drivers.ts'
import { CsiError } from './errors.ts'

const usualTimeoutMs = 60_000
const longestTimeoutMs = 600_000
const largestBytes = 4 << 20

/** What the controllers of the cluster may ask a driver for: its identity and controller services. */
const relayed = new Set([
  'GetPluginInfo',
  'GetPluginCapabilities',
  'Probe',
  'ControllerGetCapabilities',
  'CreateVolume',
  'DeleteVolume',
  'ControllerPublishVolume',
  'ControllerUnpublishVolume',
  'ValidateVolumeCapabilities',
  'ListVolumes',
  'ControllerGetVolume',
  'ControllerModifyVolume',
  'GetCapacity',
  'CreateSnapshot',
  'DeleteSnapshot',
  'ListSnapshots',
  'ControllerExpandVolume',
])

export interface Relay {
  drivers: CsiDrivers
  /** A volume has been made larger: those who use it here follow. */
  expanded(driver: string, volumeId: string): void
}

/**
 * `POST /csi/DRIVER/METHOD?timeoutSeconds=…`: calls a driver of this node. Body and answer are the message in JSON; a
 * refusal is a Status with the code of gRPC as its cause.
 */
export async function relayCsi(
  { drivers, expanded }: Relay,
  { req, res, parts, query, signal }: Request,
): Promise<void> {
  try {
    const [driver = '', method = ''] = parts
    if (req.method !== 'POST') throw new StatusError(405, 'MethodNotAllowed', 'drivers are called by POST')
    if (!drivers.has(driver)) {
      throw new StatusError(404, 'NotFound', `driver ${JSON.stringify(driver)} is not registered on this node`)
    }
    if (parts.length !== 2 || !relayed.has(method)) {
      throw new StatusError(404, 'NotFound', `${JSON.stringify(method)} is nothing that is relayed to drivers`)
    }
    const request = await readBody(req)
    const answer = await drivers.call<object>(driver, method, request, { timeoutMs: timeoutOf(query), signal })
    const { volumeId } = request as { volumeId?: unknown }
    if (method === 'ControllerExpandVolume' && typeof volumeId === 'string') expanded(driver, volumeId)
    res.setHeader('Content-Type', 'application/json')
    res.end(JSON.stringify(answer))
  } catch (error) {
    if (res.destroyed) return
    const refused = error instanceof CsiError ? statusOf(error) : error
    if (!(refused instanceof StatusError)) throw refused
    res.writeHead(refused.code, { 'Content-Type': 'application/json' })
    res.end(JSON.stringify(refused.toStatus()))
  }
}

function statusOf({ code, why, message }: CsiError): StatusError {
  const late = code === 'DEADLINE_EXCEEDED'
  return new StatusError(late ? 504 : 502, late ? 'Timeout' : 'BadGateway', message, {
    causes: [{ reason: code, message: why }],
  })
}

function timeoutOf(query: URLSearchParams): number {
  const seconds = Number(query.get('timeoutSeconds') ?? usualTimeoutMs / 1000)
  if (!(seconds > 0)) throw new StatusError(400, 'BadRequest', 'timeoutSeconds: a number of seconds is needed')
  return Math.min(longestTimeoutMs, seconds * 1000)
}

async function readBody(req: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > largestBytes) throw new StatusError(413, 'RequestEntityTooLarge', 'the message is too large')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  if (text.trim() === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  } catch {
    // Said below.
  }
  throw new StatusError(400, 'BadRequest', 'the body must be a message in JSON')
}
