import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createConnection } from 'node:net'
import type { Question } from './message.ts'
import { aged, shortestTtl } from './wire.ts'

export interface ForwarderOptions {
  /** Asked anew for each question that is passed on. */
  servers: () => Promise<readonly string[]>
  port?: number
  /** How long one server is waited for. */
  timeoutMs?: number
  now: () => number
}

/** Passes questions on to other servers, and remembers their answers for a while. */
export class Forwarder {
  readonly #options: Required<ForwarderOptions>
  readonly #cache = new Map<string, { message: Buffer; at: number; until: number }>()
  #asking = 0

  constructor(options: ForwarderOptions) {
    this.#options = { port: 53, timeoutMs: 2000, ...options }
  }

  /**
   * The answer to a message as some server gives it, or undefined when none does in time. With `tcp`, an answer cut short
   * is asked for again by TCP.
   */
  async ask(message: Buffer, question: Question, tcp: boolean): Promise<Buffer | undefined> {
    const { now } = this.#options
    // All but its number: the same name in other letters, or with other options, is another question.
    const key = `${tcp ? 't' : 'u'}${message.toString('latin1', 2)}`
    const known = this.#cache.get(key)
    if (known && known.until > now())
      return aged(known.message, message.readUInt16BE(0), Math.floor((now() - known.at) / 1000))
    if (this.#asking >= mostAtOnce) return undefined
    this.#asking += 1
    try {
      const answer = await this.#askServers(message, question, tcp)
      if (answer) this.#remember(key, answer)
      return answer && aged(answer, message.readUInt16BE(0), 0)
    } finally {
      this.#asking -= 1
    }
  }

  async #askServers(message: Buffer, question: Question, tcp: boolean): Promise<Buffer | undefined> {
    const { servers, port, timeoutMs } = this.#options
    let failed: Buffer | undefined
    for (const server of await servers()) {
      // A number of our own, and a port that the kernel picks: an answer cannot be guessed by a third party.
      const own = Buffer.from(message)
      own.writeUInt16BE(randomInt(0x10000), 0)
      const fits = (answer: Buffer) => answers(own, question, answer)
      let answer = await askByUdp(server, port, own, fits, timeoutMs)
      const cutShort = answer && (answer.readUInt16BE(2) & 0x0200) !== 0
      if (tcp && cutShort) answer = (await askByTcp(server, port, own, fits, timeoutMs)) ?? answer
      // A server that cannot say leaves it to the next.
      const rcode = answer && answer.readUInt16BE(2) & 0xf
      if (rcode === 0 || rcode === nxdomain) return answer
      failed = answer ?? failed
    }
    return failed
  }

  #remember(key: string, message: Buffer): void {
    const flags = message.readUInt16BE(2)
    const rcode = flags & 0xf
    if ((rcode !== 0 && rcode !== nxdomain) || (flags & 0x0200) !== 0) return
    const seconds = Math.min(shortestTtl(message), longestSeconds)
    if (seconds === 0) return
    if (this.#cache.size >= mostRemembered) {
      const [oldest] = this.#cache.keys()
      this.#cache.delete(oldest as string)
    }
    const at = this.#options.now()
    this.#cache.delete(key)
    this.#cache.set(key, { message, at, until: at + seconds * 1000 })
  }
}

const nxdomain = 3
const mostAtOnce = 1000
const mostRemembered = 2000
const longestSeconds = 30

function answers(asked: Buffer, { raw }: Question, answer: Buffer): boolean {
  const header = answer.length >= 12 + raw.length && answer.readUInt16BE(0) === asked.readUInt16BE(0)
  const same = () =>
    answer.toString('latin1', 12, 12 + raw.length).toLowerCase() === raw.toString('latin1').toLowerCase()
  return header && (answer.readUInt16BE(2) & 0x8000) !== 0 && answer.readUInt16BE(4) === 1 && same()
}

type Fits = (answer: Buffer) => boolean

function askByUdp(
  server: string,
  port: number,
  message: Buffer,
  fits: Fits,
  timeoutMs: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4')
    const timer = setTimeout(() => done(undefined), timeoutMs)
    let open = true
    const done = (answer: Buffer | undefined) => {
      if (!open) return
      open = false
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    socket.on('error', () => done(undefined))
    socket.on('message', (answer) => {
      if (fits(answer)) done(answer)
    })
    // Connected: a refusal is told at once, and only this server is heard.
    socket.connect(port, server, (error?: Error) => (error ? done(undefined) : socket.send(message)))
  })
}

function askByTcp(
  server: string,
  port: number,
  message: Buffer,
  fits: Fits,
  timeoutMs: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: server, port })
    let heard = Buffer.alloc(0)
    const done = (answer: Buffer | undefined) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(() => done(undefined), timeoutMs)
    socket.on('error', () => done(undefined))
    socket.on('close', () => done(undefined))
    socket.on('connect', () => socket.write(framed(message)))
    socket.on('data', (chunk) => {
      heard = Buffer.concat([heard, chunk])
      if (heard.length < 2 || heard.length < 2 + heard.readUInt16BE(0)) return
      const answer = heard.subarray(2, 2 + heard.readUInt16BE(0))
      done(fits(answer) ? answer : undefined)
    })
  })
}

/** The message as it goes over TCP: its length before it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
