import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { balance, type Endpoint } from './balancer.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** A server that greets with its name and says back what it hears. */
async function server(name: string): Promise<Endpoint & { server: Server }> {
  const made = createServer((socket) => {
    socket.on('error', () => {})
    socket.write(`${name}:`)
    socket.pipe(socket)
  })
  made.listen(0, '127.0.0.1')
  await once(made, 'listening')
  stops.push(() => made.close())
  return { host: '127.0.0.1', port: (made.address() as AddressInfo).port, server: made }
}

async function balanced(targets: readonly Endpoint[]): Promise<number> {
  const { port, stop } = await balance({ host: '127.0.0.1', port: 0 }, targets)
  stops.push(stop)
  return port
}

async function talk(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {})
  let heard = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    heard += chunk
  })
  socket.end(text)
  await new Promise((resolve) => socket.once('close', resolve))
  return heard
}

test('connections go to the servers in turn, whole in both directions', async () => {
  const port = await balanced([await server('one'), await server('two')])
  const answers = [await talk(port, 'hello'), await talk(port, 'hello'), await talk(port, 'again')]
  expect(answers).toEqual(['one:hello', 'two:hello', 'one:again'])
})

test('a server that is gone is passed over', async () => {
  const [gone, there] = [await server('gone'), await server('there')]
  gone.server.close()
  const port = await balanced([gone, there])
  expect([await talk(port, 'a'), await talk(port, 'b')]).toEqual(['there:a', 'there:b'])
})

test('when no server answers the connection is closed', async () => {
  const gone = await server('gone')
  gone.server.close()
  expect(await talk(await balanced([gone]), 'a')).toBe('')
})
