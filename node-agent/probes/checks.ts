import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import type { Container, HTTPGetAction, Probe } from '../../api/generated/types.ts'
import { type Cri, CriError } from '../runtime/cri.ts'

/** `error`: nothing was learned, as when the runtime does not answer. */
export interface CheckResult {
  verdict: 'success' | 'warning' | 'failure' | 'error'
  output: string
}

export interface CheckTarget {
  containerId: string
  container: Container
  podIp: string
}

const userAgent = 'kube-probe/1.36'
const maxBody = 10 * 1024

/** Asks a container once how it is, in the way its probe says; waits `timeoutSeconds` at most. Never throws. */
export async function check(cri: Cri, probe: Probe, target: CheckTarget): Promise<CheckResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1
  try {
    if (probe.exec) return await execCheck(cri, target.containerId, probe.exec.command ?? [], timeoutSeconds)
    if (probe.httpGet) {
      const url = httpUrl(probe.httpGet, target.container, target.podIp)
      return await httpCheck(url, probe.httpGet.httpHeaders ?? [], timeoutSeconds * 1000, userAgent)
    }
    if (probe.tcpSocket) {
      const { host = target.podIp, port } = probe.tcpSocket
      return await tcpCheck(host || target.podIp, portNumber(port, target.container), timeoutSeconds * 1000)
    }
    if (probe.grpc) {
      const { grpcCheck } = await import('./grpc.ts')
      return await grpcCheck(target.podIp, probe.grpc.port, probe.grpc.service ?? '', timeoutSeconds)
    }
    return { verdict: 'error', output: `missing probe handler for ${target.container.name}` }
  } catch (error) {
    return { verdict: 'error', output: error instanceof Error ? error.message : String(error) }
  }
}

async function execCheck(
  cri: Cri,
  containerId: string,
  command: readonly string[],
  timeoutSeconds: number,
): Promise<CheckResult> {
  try {
    const { stdout, stderr, exitCode } = await cri.execSync(containerId, command, timeoutSeconds)
    const output = Buffer.concat([stdout, stderr]).subarray(0, maxBody).toString('utf8')
    return { verdict: exitCode === 0 ? 'success' : 'failure', output }
  } catch (error) {
    if (!(error instanceof CriError) || error.code !== 'deadlineExceeded') throw error
    const words = command.map((word) => JSON.stringify(word)).join(' ')
    return { verdict: 'failure', output: `command timed out: ${words} timed out after ${timeoutSeconds}s` }
  }
}

/** A port by number, or by the name the container gives it. Throws for a name it does not have. */
export function portNumber(port: number | string, container: Container): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)?.containerPort
  if (named !== undefined) return named
  if (/^\d+$/.test(port)) return Number(port)
  throw new Error(`couldn't find port by name: ${port}`)
}

/** Where an httpGet action leads: the pod's own address unless it names a host. */
export function httpUrl(action: HTTPGetAction, container: Container, podIp: string): URL {
  const host = action.host || podIp
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const path = action.path ?? '/'
  const address = host.includes(':') ? `[${host}]` : host
  return new URL(
    `${scheme}://${address}:${portNumber(action.port, container)}${path.startsWith('/') ? '' : '/'}${path}`,
  )
}

type Headers = readonly { name: string; value: string }[]

const maxRedirects = 10

/** GETs the address: 200 to 399 is well. Redirects are followed on the same host; one to another host is well enough. */
export async function httpCheck(
  url: URL,
  headers: Headers,
  timeoutMs: number,
  agentName: string,
): Promise<CheckResult> {
  const deadline = AbortSignal.timeout(timeoutMs)
  let at = url
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const answer = await get(at, headers, agentName, deadline)
    if ('fault' in answer) return { verdict: 'failure', output: `Get "${at.href}": ${answer.fault}` }
    const { status, location, body } = answer
    if (status >= 300 && status < 400 && location !== undefined) {
      const next = new URL(location, at)
      if (next.hostname !== url.hostname) {
        return { verdict: 'warning', output: `Probe terminated redirects, Response body: ${body}` }
      }
      at = next
      continue
    }
    if (status >= 200 && status < 400) return { verdict: 'success', output: body }
    return { verdict: 'failure', output: `HTTP probe failed with statuscode: ${status}` }
  }
  return { verdict: 'failure', output: `Get "${url.href}": stopped after ${maxRedirects} redirects` }
}

type Answer = { status: number; location: string | undefined; body: string } | { fault: string }

function get(url: URL, list: Headers, agentName: string, signal: AbortSignal): Promise<Answer> {
  const headers: Record<string, string> = { 'User-Agent': agentName, Accept: '*/*' }
  for (const { name, value } of list) {
    const same = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase())
    if (same !== undefined) delete headers[same]
    if (value !== '' || same === undefined) headers[name] = value
  }
  return new Promise((resolve) => {
    const fail = (error: Error): void => resolve({ fault: signal.aborted ? timedOut : dialFault(error, url) })
    const library = url.protocol === 'https:' ? https : http
    // Not kept alive: each check stands for a new client.
    const request = library.get(url, { headers, signal, agent: false, rejectUnauthorized: false }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      const done = (): void => {
        const body = Buffer.concat(chunks).subarray(0, maxBody).toString('utf8')
        resolve({ status: response.statusCode ?? 0, location: response.headers.location, body })
        request.destroy()
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size >= maxBody) done()
      })
      response.on('end', done)
      response.on('error', fail)
    })
    request.on('error', fail)
  })
}

const timedOut = 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'

/** A failed connection in the words people search for. */
function dialFault(
  error: Error,
  { hostname, port, protocol }: { hostname: string; port: string; protocol: string },
): string {
  const { code } = error as NodeJS.ErrnoException
  const address = `${hostname}:${port || (protocol === 'https:' ? '443' : '80')}`
  switch (code) {
    case 'ECONNREFUSED':
      return `dial tcp ${address}: connect: connection refused`
    case 'EHOSTUNREACH':
      return `dial tcp ${address}: connect: no route to host`
    case 'ENETUNREACH':
      return `dial tcp ${address}: connect: network is unreachable`
    case 'ECONNRESET':
      return 'EOF'
    default:
      return error.message
  }
}

/** Connects, and says nothing. */
export function tcpCheck(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port })
    const end = (verdict: CheckResult['verdict'], output: string): void => {
      socket.destroy()
      resolve({ verdict, output })
    }
    socket.setTimeout(timeoutMs, () => end('failure', `dial tcp ${host}:${port}: i/o timeout`))
    socket.on('connect', () => end('success', ''))
    socket.on('error', (error) =>
      end('failure', dialFault(error, { hostname: host, port: String(port), protocol: '' })),
    )
  })
}
