import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { channel, frame, protocol } from '../exec/channels.ts'
import type { Io } from '../io.ts'
import { Session } from '../session.ts'
import { attachOrShow } from './attach-or-show.ts'

const container = { name: 'look', image: 'box' }
const podWith = (phase: string) =>
  ({
    metadata: { name: 'quick', namespace: 'default' },
    spec: { containers: [container] },
    status: { phase },
  }) as Live<Pod>
const isOver = ({ status }: Live<Pod>) => status?.phase === 'Succeeded'

const served = {
  resource: 'pods',
  scope: 'Namespaced',
  responseKind: { kind: 'Pod' },
  subresources: [],
}
const discovery = { items: [{ metadata: {}, versions: [{ version: 'v1', resources: [served] }] }] }

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A server whose pod has ended, and which says `fault` to whoever attaches to it. */
async function sessionWith(fault: string): Promise<{ session: Session; out: () => string }> {
  server = createServer(({ url = '' }, answer) => {
    const [path] = url.split('?')
    if (path?.endsWith('/log')) answer.end('what it printed\n')
    else answer.end(JSON.stringify(path?.endsWith('/pods/quick') ? podWith('Succeeded') : discovery))
  })
  const sockets = new WebSocketServer({ server, handleProtocols: () => protocol })
  sockets.on('connection', (socket) => {
    socket.send(frame(channel.error, JSON.stringify({ status: 'Failure', reason: 'InternalError', message: fault })))
    socket.close()
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  let text = ''
  const io: Io = {
    out: (said) => {
      text += said
    },
    err: () => {},
    write: (_to, bytes) => {
      text += Buffer.from(bytes).toString()
      return undefined
    },
    stdin: Readable.from([]),
    isTerminal: { stdin: false, stdout: false },
    env: {},
    signal: new AbortController().signal,
  }
  const { port } = server.address() as AddressInfo
  const session = new Session(io, { server: `http://127.0.0.1:${port}`, token: 'x' })
  return { session, out: () => text }
}

test('of a container that ends just before it is attached to, the log is shown', async () => {
  const { session, out } = await sessionWith('container look is not running')
  try {
    expect(await attachOrShow(session, podWith('Running'), container, { quiet: true }, isOver)).toBe(0)
    expect(out()).toBe('what it printed\n')
  } finally {
    session.close()
  }
})
