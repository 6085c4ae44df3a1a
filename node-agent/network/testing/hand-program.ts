/** Does things inside a namespace for a test: serves, calls, asks. Commands and answers are lines of JSON. */
import { createSocket, type Socket } from 'node:dgram'
import { createServer } from 'node:http'
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { type Answer, decode, encode, type RecordType } from 'dns-packet'
import type { HandCommand, Heard } from './hand.ts'

const sockets = new Map<string, Socket>()
let load: { heard: Heard[]; stopped: boolean; done: Promise<void> } | undefined

for await (const line of createInterface(process.stdin)) {
  const { id, ...command } = JSON.parse(line) as HandCommand & { id: number }
  act(command as HandCommand).then(
    (answer) => process.stdout.write(`${JSON.stringify({ id, answer })}\n`),
    (error: unknown) => process.stdout.write(`${JSON.stringify({ id, error: String(error) })}\n`),
  )
}
process.exit(0)

async function act(command: HandCommand): Promise<unknown> {
  switch (command.op) {
    case 'serve':
      return serve(command.name)
    case 'call': {
      const heard: Heard[] = []
      for (let i = 0; i < command.times; i++) heard.push(await call(command.host, command.port, command.timeoutMs))
      return heard
    }
    case 'say':
      return say(command.host, command.port, command.socket)
    case 'ask':
      return ask(command.server, command.name, command.type as RecordType)
    case 'load':
      load = keepCalling(command.host, command.port, command.pauseMs, command.timeoutMs)
      return undefined
    case 'load-end': {
      if (!load) throw new Error('there is no load')
      load.stopped = true
      await load.done
      return load.heard
    }
  }
}

async function serve(name: string): Promise<void> {
  const http = createServer((request, response) => {
    const from = (request.socket.remoteAddress ?? '').replace('::ffff:', '')
    response.setHeader('connection', 'close')
    response.end(JSON.stringify({ name, from }))
  })
  await new Promise<void>((resolve) => http.listen(8080, resolve))
  const udp = createSocket('udp4')
  udp.on('message', (_, { port, address }) => udp.send(name, port, address))
  await new Promise<void>((resolve) => udp.bind(8081, resolve))
}

/** One request over a connection of its own. */
function call(host: string, port: number, timeoutMs: number): Promise<Heard> {
  const at = Date.now()
  return new Promise((resolve) => {
    const socket = createConnection({ host, port })
    let text = ''
    const end = (heard: Partial<Heard>) => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ at, ms: Date.now() - at, ...heard })
    }
    const timer = setTimeout(() => end({ error: 'ETIMEDOUT' }), timeoutMs)
    socket.on('error', (error: NodeJS.ErrnoException) => end({ error: error.code ?? error.message }))
    socket.on('connect', () => socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => {
      const body = /\{[^}]*\}/.exec(text)?.[0]
      end(body ? JSON.parse(body) : { error: 'ended early' })
    })
  })
}

function keepCalling(host: string, port: number, pauseMs: number, timeoutMs: number) {
  const running = { heard: [] as Heard[], stopped: false, done: Promise.resolve() }
  running.done = (async () => {
    while (!running.stopped) {
      running.heard.push(await call(host, port, timeoutMs))
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  })()
  return running
}

/** One datagram; the same `name` is the same socket, as a client has that keeps its own. */
async function say(host: string, port: number, name: string): Promise<string> {
  const socket = sockets.get(name) ?? createSocket('udp4')
  sockets.set(name, socket)
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('nothing'), 1000)
    const end = (text: string) => {
      clearTimeout(timer)
      socket.removeAllListeners()
      resolve(text)
    }
    socket.on('error', (error) => end(error.message))
    socket.on('message', (message) => end(message.toString()))
    socket.send('hello', port, host)
  })
}

function ask(server: string, name: string, type: RecordType): Promise<unknown> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('nothing'), 2000)
    const end = (answer: unknown) => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    socket.on('error', (error) => end(error.message))
    socket.on('message', (message) =>
      end(decode(message).answers?.map((answer: Answer) => ('data' in answer ? answer.data : undefined))),
    )
    socket.send(encode({ type: 'query', id: 1, flags: 0x100, questions: [{ name, type }] }), 53, server)
  })
}
