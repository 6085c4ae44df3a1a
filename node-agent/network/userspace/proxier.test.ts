import { createSocket, type Socket } from 'node:dgram'
import { createConnection, createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ServiceSpec } from '../../../api/generated/types.ts'
import { silentLogger } from '../../../client/logger.ts'
import { ServiceTable } from '../services/table.ts'
import { service, slice } from '../testing/objects.ts'
import { UserspaceProxier } from './proxier.ts'

/** Loopback addresses that no other test uses: a slice of 127/8 by the number of this process. */
const net = `127.${96 + (process.pid % 100)}.${(process.pid >> 7) % 250}`
const clusterIp = `${net}.10`
const nodeIp = `${net}.1`
const podIps = [`${net}.21`, `${net}.22`] as const

describe('the proxy without the kernel', () => {
  let services: ServiceTable
  let proxier: UserspaceProxier
  let pods: Pod[]
  let port: number

  beforeEach(async () => {
    services = new ServiceTable()
    proxier = new UserspaceProxier({ nodeName: 'node-1', nodeIp, services, log: silentLogger })
    proxier.start()
    pods = await Promise.all([startPod('first', podIps[0]), startPod('second', podIps[1])])
    port = await freePort()
  })
  afterEach(async () => {
    await proxier.stop()
    for (const pod of pods) await pod.stop()
  })

  function put(protocol: 'TCP' | 'UDP', some: readonly Pod[], spec: Partial<ServiceSpec> = {}, nodePort?: number) {
    const ports = [{ name: 'main', port, protocol, ...(nodePort ? { nodePort } : {}) }]
    services.putService(service('ns/web', clusterIp, { ports, ...spec }))
    // Each pod of the test has a port of its own, hence a slice of its own.
    for (const pod of pods) {
      const made = slice(
        'ns/web',
        some.includes(pod) ? [{ ip: pod.ip, nodeName: 'node-1' }] : [],
        [{ name: 'main', port: pod.port, protocol }],
        pod.name,
      )
      services.putSlice(made)
    }
  }
  const heard = async (ip = clusterIp, times = 16) => {
    const names = new Set<string>()
    for (let i = 0; i < times; i++) names.add(await call(ip, port))
    return [...names].sort()
  }
  const settled = (expected: string[]) => expect.poll(() => heard(), { timeout: 5000 }).toEqual(expected)

  test('passes connections on to every pod', async () => {
    put('TCP', pods)
    await settled(['first', 'second'])
  })

  test('refuses where nobody serves, and when nobody does any more', async () => {
    put('TCP', [])
    await settled(['ECONNREFUSED'])
    put('TCP', pods)
    await settled(['first', 'second'])
    services.removeService('ns/web')
    await settled(['ECONNREFUSED'])
  })

  test('passes over a pod that does not take the connection', async () => {
    put('TCP', pods)
    await settled(['first', 'second'])
    await pods[0]?.stop()
    expect(await heard()).toEqual(['second'])
  })

  test('lets a client stay with its pod when the service wants that', async () => {
    put('TCP', pods, { sessionAffinity: 'ClientIP' })
    await expect.poll(() => heard(clusterIp, 1), { timeout: 5000 }).not.toEqual(['ECONNREFUSED'])
    expect(await heard()).toHaveLength(1)
  })

  test('answers at the node port on the address of the node', async () => {
    const nodePort = await freePort()
    put('TCP', pods, { type: 'NodePort' }, nodePort)
    await expect.poll(() => call(nodeIp, nodePort), { timeout: 5000 }).toMatch(/first|second/)
  })

  test('loses no request while pods come and go', async () => {
    put('TCP', pods)
    await settled(['first', 'second'])
    let running = true
    const load = (async () => {
      const answers: string[] = []
      while (running) answers.push(await call(clusterIp, port))
      return answers
    })()
    for (let i = 0; i < 10; i++) {
      put('TCP', [pods[i % 2] as Pod])
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    running = false
    expect((await load).filter((answer) => !['first', 'second'].includes(answer))).toEqual([])
  })

  test('passes a half-closed connection on', async () => {
    put('TCP', pods)
    await settled(['first', 'second'])
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection({ host: clusterIp, port, allowHalfOpen: true })
      let text = ''
      socket.on('error', reject)
      socket.on('data', (chunk) => {
        text += chunk
      })
      socket.on('end', () => resolve(text))
      socket.end('count me')
    })
    expect(answer).toMatch(/8 bytes$/)
  })

  test('passes datagrams on, a client to one pod, and to the next when that is gone', async () => {
    put('UDP', [pods[0] as Pod])
    const client = createSocket('udp4')
    try {
      await expect.poll(() => say(client, clusterIp, port), { timeout: 5000 }).toBe('first')
      put('UDP', [pods[1] as Pod])
      await expect.poll(() => say(client, clusterIp, port), { timeout: 5000 }).toBe('second')
    } finally {
      client.close()
    }
  })

  test('takes over an address when whoever had it ends', async () => {
    const other = createServer((socket) => socket.resume().end('other'))
    await new Promise<void>((resolve) => other.listen(port, clusterIp, resolve))
    put('TCP', pods)
    await settled(['other'])
    await new Promise<void>((resolve) => other.close(() => resolve()))
    await expect.poll(() => heard(), { timeout: 5000 }).toEqual(['first', 'second'])
  })

  test('opens a host port of a pod until it is told to end that', async () => {
    const [first] = pods as [Pod]
    const backend = {
      ip: first.ip,
      port: first.port,
      local: true,
      ready: true,
      serving: true,
      terminating: false,
      nodeHints: [],
      zoneHints: [],
    }
    await proxier.add('pod uid', [
      { protocol: 'tcp', ip: nodeIp, port, backends: [backend], affinitySeconds: undefined },
    ])
    await expect.poll(() => call(nodeIp, port), { timeout: 5000 }).toBe('first')
    await proxier.add('pod uid', [])
    expect(await call(nodeIp, port)).toBe('ECONNREFUSED')
  })
})

interface Pod {
  name: string
  ip: string
  port: number
  stop(): Promise<void>
}

/** Answers its name and how much it was sent, once the client has said all. */
async function startPod(name: string, ip: string): Promise<Pod> {
  const tcp: Server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    socket.on('end', () => socket.end(`${name} ${bytes} bytes`))
  })
  await new Promise<void>((resolve) => tcp.listen(0, ip, resolve))
  const { port } = tcp.address() as { port: number }
  const udp: Socket = createSocket('udp4')
  udp.on('message', (_, from) => udp.send(name, from.port, from.address))
  await new Promise<void>((resolve) => udp.bind(port, ip, resolve))
  let stopped = false
  return {
    name,
    ip,
    port,
    async stop() {
      if (stopped) return
      stopped = true
      await Promise.all([
        new Promise<void>((resolve) => tcp.close(() => resolve())),
        new Promise<void>((resolve) => udp.close(() => resolve())),
      ])
    },
  }
}

/** The name of who answered a connection, or the error. */
function call(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, allowHalfOpen: true })
    let text = ''
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.on('data', (chunk) => {
      text += chunk
    })
    socket.on('close', () => resolve(text.split(' ')[0] || 'ended early'))
    socket.on('end', () => socket.destroy())
    socket.end('x')
  })
}

function say(socket: Socket, host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => end('nothing'), 100)
    const end = (text: string) => {
      clearTimeout(timer)
      socket.removeAllListeners('message')
      resolve(text)
    }
    socket.on('message', (message) => end(message.toString()))
    socket.send('hello', port, host, () => undefined)
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, clusterIp, resolve))
  const { port } = server.address() as { port: number }
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}
