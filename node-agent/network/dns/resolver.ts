import { type Answer, decode, encode } from 'dns-packet'
import type { Forwarder } from './forwarder.ts'
import { type Query, type Reply, readQuery, udpLimit, writeReply } from './message.ts'
import { answerFrom, type ZoneOptions } from './zone.ts'

/** Answers whole messages: from the cluster, or by asking other servers. */
export class Resolver {
  readonly #zone: ZoneOptions
  readonly #forwarder: Forwarder

  constructor(zone: ZoneOptions, forwarder: Forwarder) {
    this.#zone = zone
    this.#forwarder = forwarder
  }

  /** The answer to one message; undefined for what must not be answered. Never fails, whatever the message is. */
  answer(message: Buffer, tcp: boolean): Buffer | undefined | Promise<Buffer | undefined> {
    const query = readQuery(message)
    if (!query || 'refusal' in query) return query?.refusal
    const reply = (body: Reply) => writeReply(query, body, tcp ? 0xffff : udpLimit(query))
    const { question, edns } = query
    if (edns && edns.version > 0) return reply({ rcode: 'BADVERS' })
    if (question.class !== internet) return reply({ rcode: 'NOTIMP' })
    const found = answerFrom(this.#zone, question)
    if (found.kind === 'reply') return reply(found.reply)
    if (found.kind === 'alias') return this.#follow(query, found.answers, found.target).then(reply)
    if (!query.recursionDesired) return reply({ rcode: 'REFUSED' })
    const failed = () => reply({ rcode: 'SERVFAIL' })
    return this.#forwarder.ask(message, question, tcp).then((answer) => answer ?? failed(), failed)
  }

  /** What the alias stands for goes into the same answer; resolvers in pods do not ask again. */
  async #follow(query: Query, answers: readonly Answer[], target: string): Promise<Reply> {
    const alias: Reply = { rcode: 'NOERROR', authoritative: true, answers }
    const message = encode({
      type: 'query',
      flags: 0x0100,
      questions: [{ name: target, type: query.question.type as 'A', class: 'IN' }],
    })
    const inner = readQuery(message)
    if (!inner || 'refusal' in inner) return alias
    const found = answerFrom(this.#zone, inner.question)
    if (found.kind === 'reply') return { ...alias, answers: [...answers, ...(found.reply.answers ?? [])] }
    // An alias of an alias within the cluster: one step is enough, and cannot go round in a circle.
    if (found.kind === 'alias') return { ...alias, answers: [...answers, ...found.answers] }
    const answer = await this.#forwarder.ask(message, inner.question, true)
    if (!answer) return { rcode: 'SERVFAIL', answers }
    return { ...alias, answers: [...answers, ...recordsOf(answer)] }
  }
}

const internet = 1

function recordsOf(message: Buffer): Answer[] {
  try {
    return decode(message).answers ?? []
  } catch {
    return []
  }
}
