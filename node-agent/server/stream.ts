import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { podOf, runningContainer } from './container-of.ts'
import type { Wanted } from './streams/remote-client.ts'
import { HttpError, type ServerContext } from './types.ts'

/** How long a client may take for the next piece of what the runtime left for it. */
const lingerMs = 30_000

export interface StreamUpgrade {
  kind: 'exec' | 'attach' | 'portForward'
  req: IncomingMessage
  socket: Duplex
  head: Buffer
  parts: readonly string[]
  query: URLSearchParams
}

/**
 * Joins a client to the runtime's own stream: SPDY is passed through byte by byte, WebSocket is translated. Throws an
 * HttpError before anything was answered.
 */
export async function serveStream(context: ServerContext, upgrade: StreamUpgrade): Promise<void> {
  const { kind, req, query } = upgrade
  const protocol = (req.headers.upgrade ?? '').toLowerCase()
  if (protocol !== 'websocket' && protocol !== 'spdy/3.1') {
    throw new HttpError(400, `unable to upgrade: missing upgrade headers in request: ${JSON.stringify(req.headers)}`)
  }
  const wanted = wantedStreams(query)
  const url = await runtimeUrl(context, upgrade, wanted)
  if (protocol === 'spdy/3.1') {
    await passThrough(url, upgrade)
    return
  }
  const { serveCommandSocket, servePortForwardSocket } = await import('./streams/websocket.ts')
  if (kind === 'portForward') servePortForwardSocket(url, upgrade, context.log)
  else serveCommandSocket(url, upgrade, wanted, context.log)
}

function endAfterWrites(socket: Socket): void {
  socket.setTimeout(lingerMs, () => socket.destroy())
  socket.destroySoon()
}

function wantedStreams(query: URLSearchParams): Wanted {
  const on = (name: string) => ['1', 'true'].includes(query.get(name) ?? '')
  const tty = on('tty')
  // The names of the API server's own are understood too, for who calls a node by itself.
  return {
    tty,
    stdin: on('input') || on('stdin'),
    stdout: on('output') || on('stdout'),
    stderr: (on('error') || on('stderr')) && !tty,
  }
}

async function runtimeUrl(
  { pods, runtime }: ServerContext,
  { kind, parts, query }: StreamUpgrade,
  wanted: Wanted,
): Promise<string> {
  const [namespace = '', name = ''] = parts
  const pod = podOf(pods, namespace, name)
  if (kind === 'portForward') {
    const uid = pod.metadata.uid ?? ''
    const labelSelector = { 'io.kubernetes.pod.uid': uid }
    const [sandbox] = await runtime.cri.listPodSandbox({ state: 'SANDBOX_READY', labelSelector })
    if (!sandbox) throw new HttpError(500, `failed to find sandbox for pod ${name}: it is not running`)
    return runtime.cri.portForward({ podSandboxId: sandbox.id })
  }
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr) {
    throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  }
  // The uid may stand between pod and container.
  const containerId = runningContainer(pods, pod, parts.at(-1) ?? '')
  return kind === 'exec'
    ? runtime.cri.exec({ containerId, cmd: query.getAll('command'), ...wanted })
    : runtime.cri.attach({ containerId, ...wanted })
}

/** Repeats the client's upgrade towards the runtime and joins the two connections. */
function passThrough(url: string, { req, socket, head }: StreamUpgrade): Promise<void> {
  return new Promise((resolve, reject) => {
    const versions = req.headers['x-stream-protocol-version']
    const asked = request(url, {
      method: req.method,
      agent: false,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'SPDY/3.1',
        // One header a version is how upstream's clients send it; joined, Go's servers see one long name.
        ...(versions === undefined ? {} : { 'X-Stream-Protocol-Version': String(versions).split(/,\s*/) }),
        'Content-Length': 0,
      },
    })
    asked.once('error', reject)
    asked.once('response', (answer) => {
      answer.resume()
      reject(new HttpError(502, `the runtime refused to stream: ${answer.statusCode} ${answer.statusMessage}`))
    })
    asked.once('upgrade', (answer, target, targetHead) => {
      let lines = 'HTTP/1.1 101 Switching Protocols\r\n'
      for (let i = 0; i < answer.rawHeaders.length; i += 2)
        lines += `${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}\r\n`
      socket.write(`${lines}\r\n`)
      if (targetHead.length > 0) socket.write(targetHead)
      if (head.length > 0) target.write(head)
      socket.pipe(target).pipe(socket)
      socket.once('close', () => target.destroy())
      // What the runtime said last is still on its way to the client when the runtime has left.
      target.once('error', () => target.destroy()).once('close', () => endAfterWrites(socket as Socket))
      resolve()
    })
    asked.end()
  })
}
