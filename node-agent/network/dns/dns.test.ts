import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createConnection, createServer, type Server } from 'node:net'
import { type Answer, type DecodedPacket, decode, encode, type Question, type RecordType } from 'dns-packet'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeLogger } from '../../../client/logger.ts'
import { ServiceTable } from '../services/table.ts'
import { service, slice } from '../testing/objects.ts'
import { Forwarder, framed } from './forwarder.ts'
import { nameservers } from './resolv-conf.ts'
import { Resolver } from './resolver.ts'
import { type DnsServer, startDnsServer } from './server.ts'

const log = makeLogger('dns-test', 'silent')
const zone = 'cluster.local'

let upstream: Upstream
let server: DnsServer
let asked = 0
let now = 0

beforeAll(async () => {
  upstream = await startUpstream()
  const services = new ServiceTable()
  services.putService(service('default/kubernetes', '10.96.0.1', { ports: [{ name: 'https', port: 443 }] }))
  services.putService(
    service('shop/web', '10.96.0.7', {
      clusterIPs: ['10.96.0.7', 'fd00:96::7'],
      ports: [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }, { port: 99 } as never],
    }),
  )
  services.putService(service('shop/db', 'None', { ports: [{ name: 'sql', port: 5432 }] }))
  services.putSlice(
    slice(
      'shop/db',
      [
        { ip: '10.244.0.5', hostname: 'db-0' },
        { ip: '10.244.1.6', hostname: 'DB-1' },
        { ip: '10.244.1.7' },
        { ip: '10.244.1.8', hostname: 'db-3', conditions: { ready: false } },
      ],
      [{ name: 'sql', port: 5432, protocol: 'TCP' }],
    ),
  )
  services.putService(service('shop/nobody', 'None'))
  services.putService(service('shop/many', 'None'))
  services.putSlice(
    slice(
      'shop/many',
      Array.from({ length: 250 }, (_, i) => `10.244.9.${i + 1}`),
    ),
  )
  services.putService(service('shop/outside', '', { type: 'ExternalName', externalName: 'www.example.com.' }))
  services.putService(service('shop/inside', '', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }))
  services.putService(
    service('shop/circle', '', { type: 'ExternalName', externalName: 'circle.shop.svc.cluster.local' }),
  )
  services.putService(service('shop/odd', '', { type: 'ExternalName', externalName: 'a'.repeat(70) }))
  const forwarder = new Forwarder({
    servers: async () => ['127.0.0.1'],
    port: upstream.port,
    timeoutMs: 300,
    now: () => now,
  })
  const options = { domain: zone, dnsAddress: '10.96.0.10', cidrs: ['10.96.0.0/16', '10.244.0.0/16'], services }
  server = await startDnsServer(new Resolver(options, forwarder), '127.0.0.1', [0], log)
})
afterAll(async () => {
  await server?.stop()
  await upstream?.stop()
})

describe('names of the cluster', () => {
  test.each<[string, string, RecordType, string[]]>([
    ['a service', 'kubernetes.default.svc', 'A', ['10.96.0.1']],
    ['a service, whatever the letters', 'Kubernetes.DEFAULT.svc', 'A', ['10.96.0.1']],
    ['a service over IPv6', 'web.shop.svc', 'AAAA', ['fd00:96::7']],
    ['a headless service', 'db.shop.svc', 'A', ['10.244.0.5', '10.244.1.6', '10.244.1.7']],
    ['an endpoint by its hostname', 'db-0.db.shop.svc', 'A', ['10.244.0.5']],
    ['an endpoint by its address, when it has no hostname', '10-244-1-7.db.shop.svc', 'A', ['10.244.1.7']],
    ['a pod', '10-244-3-4.shop.pod', 'A', ['10.244.3.4']],
    ['a pod over IPv6', 'fd00--1.shop.pod', 'AAAA', ['fd00::1']],
    ['the DNS server itself', 'ns.dns', 'A', ['10.96.0.10']],
    ['the version of the schema', 'dns-version', 'TXT', ['1.1.0']],
    ['the way back from a service', '7.0.96.10.in-addr.arpa.', 'PTR', ['web.shop.svc.cluster.local']],
    ['the way back from an endpoint', '5.0.244.10.in-addr.arpa.', 'PTR', ['db-0.db.shop.svc.cluster.local']],
  ])('%s', async (_, name, type, expected) => {
    const reply = await ask(name, type)
    expect(codeOf(reply)).toBe(0)
    expect(reply.flag_aa && reply.flag_ra).toBe(true)
    expect(dataOf(reply).sort()).toEqual(expected)
  })

  test.each<[string, string, RecordType]>([
    ['a service over IPv6 that has only IPv4', 'kubernetes.default.svc', 'AAAA'],
    ['a type nobody has', 'web.shop.svc', 'MX'],
    ['a namespace with services', 'shop.svc', 'A'],
    ['the services', 'svc', 'A'],
    ['the zone', '', 'A'],
    ['the protocol of a port', '_tcp.web.shop.svc', 'SRV'],
    ['an external name that DNS cannot say', 'odd.shop.svc', 'A'],
  ])('%s: the name is there, and has no such record', async (_, name, type) => {
    const reply = await ask(name, type)
    expect(codeOf(reply)).toBe(0)
    expect(reply.answers).toEqual([])
    expect(reply.authorities).toMatchObject([{ type: 'SOA', name: zone, ttl: 5, data: { minimum: 5 } }])
  })

  test.each<[string, string, RecordType]>([
    ['a service', 'nope.shop.svc', 'A'],
    ['a namespace', 'nope.svc', 'A'],
    ['a name tried with the search domains of a pod', 'www.example.com.shop.svc', 'A'],
    ['the same one step up', 'www.example.com.svc', 'A'],
    ['a headless service that nobody serves', 'nobody.shop.svc', 'A'],
    ['an endpoint that is not ready', 'db-3.db.shop.svc', 'A'],
    ['a port', '_nope._tcp.web.shop.svc', 'SRV'],
    ['a port of the other protocol', '_http._udp.web.shop.svc', 'SRV'],
    ['a pod whose name is no address', 'nope.shop.pod', 'A'],
    ['an address of the cluster that nobody has', '9.99.244.10.in-addr.arpa.', 'PTR'],
  ])('%s that is not there', async (_, name, type) => {
    const reply = await ask(name, type)
    expect(codeOf(reply)).toBe(3)
    const owner = name.endsWith('.in-addr.arpa.') ? 'in-addr.arpa' : zone
    expect(reply.authorities).toMatchObject([{ type: 'SOA', name: owner }])
  })

  test('the port of a service, with its address beside it', async () => {
    const reply = await ask('_http._tcp.web.shop.svc', 'SRV')
    expect(dataOf(reply)).toEqual([{ priority: 0, weight: 100, port: 80, target: 'web.shop.svc.cluster.local' }])
    expect(reply.additionals?.map((record) => 'data' in record && record.data)).toEqual(['10.96.0.7', 'fd00:96::7'])
  })

  test('the ports of a headless service lead to each endpoint', async () => {
    const targets = dataOf(await ask('_sql._tcp.db.shop.svc', 'SRV')) as { target: string; port: number }[]
    expect(targets.map(({ target, port }) => `${target}:${port}`).sort()).toEqual([
      '10-244-1-7.db.shop.svc.cluster.local:5432',
      'db-0.db.shop.svc.cluster.local:5432',
      'db-1.db.shop.svc.cluster.local:5432',
    ])
  })

  test('an external name brings what it stands for', async () => {
    const reply = await ask('outside.shop.svc', 'A')
    expect(dataOf(reply)).toEqual(['www.example.com', '192.0.2.80'])
  })

  test('an external name may be a service, and never goes round in a circle', async () => {
    expect(dataOf(await ask('inside.shop.svc', 'A'))).toEqual(['web.shop.svc.cluster.local', '10.96.0.7'])
    expect(codeOf(await ask('circle.shop.svc', 'A'))).toBe(0)
  })

  test('the addresses of a headless service come in changing order', async () => {
    const orders = new Set<string>()
    for (let i = 0; i < 40 && orders.size < 2; i++) orders.add(dataOf(await ask('db.shop.svc', 'A')).join())
    expect(orders.size).toBeGreaterThan(1)
  })
})

describe('messages', () => {
  test.each([
    ['plain', undefined, 512],
    ['with EDNS', 4096, 1232],
  ])('too many records for a datagram: as many as fit, and the rest by TCP (%s)', async (_, size, most) => {
    const cut = await askRaw(queryFor('many.shop.svc.cluster.local', 'A', size))
    expect(cut.length).toBeLessThanOrEqual(most)
    expect(cut.length).toBeGreaterThan(most - 20)
    expect(decode(cut).flag_tc).toBe(true)
    const whole = decode(await askByTcp(queryFor('many.shop.svc.cluster.local', 'A', size)))
    expect(whole.flag_tc).toBe(false)
    expect(whole.answers).toHaveLength(250)
  })

  test('EDNS is answered with EDNS, and an unknown version of it refused', async () => {
    const known = decode(await askRaw(queryFor('web.shop.svc.cluster.local', 'A', 1400)))
    expect(known.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0 }])
    const unknown = decode(await askRaw(queryFor('web.shop.svc.cluster.local', 'A', 1400, 1)))
    expect(unknown.additionals).toMatchObject([{ type: 'OPT', extendedRcode: 1 }])
  })

  test('the question comes back to the letter', async () => {
    const reply = await ask('wEb.ShOp.SvC', 'A')
    expect(reply.questions).toMatchObject([{ name: 'wEb.ShOp.SvC.cluster.local' }])
    expect(reply.answers?.[0]?.name).toBe('wEb.ShOp.SvC.cluster.local')
  })

  test('several questions over one connection are answered in order', async () => {
    const names = ['web.shop.svc.cluster.local', 'www.example.com', 'kubernetes.default.svc.cluster.local']
    const replies = await askAllByTcp(names.map((name) => queryFor(name, 'A')))
    expect(replies.map((reply) => dataOf(decode(reply))[0])).toEqual(['10.96.0.7', '192.0.2.80', '10.96.0.1'])
  })

  test('no message, however odd, ends the server or is answered with an odd one', async () => {
    const resolver = new Resolver(
      { domain: zone, dnsAddress: '10.96.0.10', cidrs: [], services: new ServiceTable() },
      new Forwarder({ servers: async () => [], now: () => 0 }),
    )
    const good = queryFor('web.shop.svc.cluster.local', 'A', 1232)
    const mutated = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }).chain((changes) =>
      fc.nat(good.length).map((cut) => {
        const copy = Buffer.from(good)
        for (const [at, byte] of changes) copy[at] = byte
        return cut < 4 ? copy : copy.subarray(0, cut)
      }),
    )
    const random = fc.uint8Array({ maxLength: 600 }).map((bytes) => Buffer.from(bytes))
    await fc.assert(
      fc.asyncProperty(fc.oneof(mutated, random), fc.boolean(), async (message, tcp) => {
        const reply = await resolver.answer(message, tcp)
        if (!reply) return
        const packet = decode(reply)
        expect(packet.flag_qr).toBe(true)
        expect(packet.id).toBe(message.readUInt16BE(0))
      }),
      { numRuns: 3000 },
    )
    await fc.assert(
      fc.asyncProperty(random, async (message) => {
        await send(message)
      }),
      { numRuns: 200 },
    )
    // The flood may have filled the socket: as any client, this one asks again.
    await expect.poll(() => ask('web.shop.svc', 'A').then(dataOf, () => [])).toEqual(['10.96.0.7'])
  })
})

describe('other names', () => {
  test('are passed on, and remembered as long as they say', async () => {
    asked = 0
    expect(dataOf(await ask('www.example.com.', 'A'))).toEqual(['192.0.2.80'])
    now += 6000
    const again = await ask('www.example.com.', 'A')
    expect(dataOf(again)).toEqual(['192.0.2.80'])
    expect(again.answers).toMatchObject([{ ttl: 4 }])
    expect(asked).toBeLessThanOrEqual(1)
    now += 6000
    await ask('www.example.com.', 'A')
    expect(asked).toBeLessThanOrEqual(2)
  })

  test('an answer cut short is asked for by TCP when the client came by TCP', async () => {
    expect(decode(await askRaw(queryFor('big.example.com', 'TXT'))).flag_tc).toBe(true)
    expect(decode(await askByTcp(queryFor('big.example.com', 'TXT'))).answers).toHaveLength(1)
  })

  test('a server that says nothing makes a failure, in time', async () => {
    expect(codeOf(await ask('silent.example.com.', 'A'))).toBe(2)
  })

  test('an answer to another question is not taken for ours', async () => {
    expect(codeOf(await ask('forged.example.com.', 'A'))).toBe(2)
  })

  test('are refused when the client wants no recursion', async () => {
    const message = encode({ type: 'query', id: 7, flags: 0, questions: [{ name: 'www.example.com', type: 'A' }] })
    expect(codeOf(decode(await askRaw(message)))).toBe(5)
  })

  test.each([
    [
      'comments and odd spacing',
      '# x\n nameserver\t10.0.0.2 \nsearch a\nnameserver fd00::1\n',
      ['10.0.0.2', 'fd00::1'],
    ],
    ['link-local servers keep their device', 'nameserver fe80::1%eth0', ['fe80::1%eth0']],
    ['what is no address is passed over', 'nameserver dns.example.com\nnameserver 1.2.3', []],
  ])('servers in resolv.conf: %s', (_, text, expected) => {
    expect(nameservers(text)).toEqual(expected)
  })
})

function queryFor(name: string, type: RecordType, udpPayloadSize?: number, ednsVersion = 0): Buffer {
  const opt = { type: 'OPT', name: '.', udpPayloadSize, extendedRcode: 0, ednsVersion, flags: 0, options: [] }
  const additionals = udpPayloadSize ? [opt as unknown as Answer] : []
  const id = Math.floor(Math.random() * 65536)
  return encode({ type: 'query', id, flags: 0x100, questions: [{ name, type } as Question], additionals })
}

/** Names without a dot at the end are the cluster's. */
async function ask(name: string, type: RecordType): Promise<DecodedPacket> {
  const full = name.endsWith('.') ? name.slice(0, -1) : [name, zone].filter(Boolean).join('.')
  return decode(await askRaw(queryFor(full, type))) as DecodedPacket
}

const codeOf = (reply: { flags?: number | undefined }): number => (reply.flags ?? 0) & 0xf

function dataOf({ answers = [] }: { answers?: Answer[] | undefined }): unknown[] {
  return answers.map((answer) => {
    const data = 'data' in answer ? answer.data : undefined
    return answer.type === 'TXT' ? String(data) : data
  })
}

async function askRaw(message: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4')
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer')), 3000)
      socket.on('message', (reply) => {
        clearTimeout(timer)
        resolve(reply)
      })
      socket.send(message, server.port, server.address)
    })
  } finally {
    socket.close()
  }
}

async function send(message: Buffer): Promise<void> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.send(message, server.port, server.address, () => resolve()))
  socket.close()
}

async function askByTcp(message: Buffer): Promise<Buffer> {
  return (await askAllByTcp([message]))[0] as Buffer
}

function askAllByTcp(messages: readonly Buffer[]): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: server.address, port: server.port })
    let heard = Buffer.alloc(0)
    const replies: Buffer[] = []
    socket.on('error', reject)
    socket.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk])
      while (heard.length >= 2 && heard.length >= 2 + heard.readUInt16BE(0)) {
        replies.push(heard.subarray(2, 2 + heard.readUInt16BE(0)))
        heard = heard.subarray(2 + heard.readUInt16BE(0))
      }
      if (replies.length === messages.length) {
        socket.destroy()
        resolve(replies)
      }
    })
    socket.write(Buffer.concat(messages.map(framed)))
  })
}

interface Upstream {
  port: number
  stop(): Promise<void>
}

/** Stands for the machine's own DNS server. */
async function startUpstream(): Promise<Upstream> {
  const tcp: Server = createServer((socket) => {
    socket.on('data', (chunk) => socket.write(framed(upstreamReply(chunk.subarray(2), false))))
    socket.on('error', () => socket.destroy())
  })
  const { udp, port } = await listenOnBoth(tcp)
  udp.on('message', (message, { address, port: from }) => {
    asked += 1
    const query = decode(message)
    const name = query.questions?.[0]?.name
    if (name === 'silent.example.com') return
    udp.send(upstreamReply(message, name === 'big.example.com'), from, address)
  })
  return {
    port,
    async stop() {
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ])
    },
  }
}

/** One port for both protocols: what is free for one may be taken for the other. */
async function listenOnBoth(tcp: Server): Promise<{ udp: UdpSocket; port: number }> {
  for (;;) {
    tcp.listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as AddressInfo
    const udp = createSocket('udp4')
    try {
      udp.bind(port, '127.0.0.1')
      await once(udp, 'listening')
      return { udp, port }
    } catch {
      udp.close()
      tcp.close()
      await once(tcp, 'close')
    }
  }
}

function upstreamReply(message: Buffer, cut: boolean): Buffer {
  const { id = 0, questions = [] } = decode(message)
  const [question] = questions
  const name = question?.name ?? ''
  const forged = name === 'forged.example.com'
  const answers: Answer[] =
    name === 'www.example.com'
      ? [{ type: 'A', name, ttl: 10, data: '192.0.2.80' }]
      : name === 'big.example.com' && !cut
        ? [{ type: 'TXT', name, ttl: 10, data: 'x'.repeat(200) }]
        : []
  const asked: Question[] = forged ? [{ name: 'other.example.com', type: 'A' }] : questions
  return encode({ type: 'response', id, flags: 0x0180 | (cut ? 0x0200 : 0), questions: asked, answers })
}
