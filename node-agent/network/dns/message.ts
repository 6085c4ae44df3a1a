import { type Answer, decode, encode, type OptAnswer } from 'dns-packet'

/** A question as a client asked it. */
export interface Query {
  id: number
  recursionDesired: boolean
  checkingDisabled: boolean
  question: Question
  edns: { udpSize: number; version: number; dnssecOk: boolean } | undefined
  /** The whole message, for whoever passes it on. */
  raw: Buffer
}

export interface Question {
  /** In lower case, without the dot at the end. */
  name: string
  labels: readonly string[]
  /** `A`, `SRV`, …, or `UNKNOWN_65` */
  type: string
  class: number
  /** As it was sent: the answer repeats it to the letter. */
  raw: Buffer
}

export type Rcode = 'NOERROR' | 'FORMERR' | 'SERVFAIL' | 'NXDOMAIN' | 'NOTIMP' | 'REFUSED' | 'BADVERS'

export interface Reply {
  rcode: Rcode
  authoritative?: boolean
  answers?: readonly Answer[]
  authorities?: readonly Answer[]
  additionals?: readonly Answer[]
}

/** Reads a message: a question; what to answer one that cannot be served; or undefined for what must not be answered. */
export function readQuery(message: Buffer): Query | { refusal: Buffer } | undefined {
  // An answer to an answer would have two servers talk for ever.
  if (message.length < headerLength || (message.readUInt16BE(2) & flag.response) !== 0) return undefined
  const flags = message.readUInt16BE(2)
  if ((flags & flag.opcode) !== 0) return { refusal: refusal(message, 'NOTIMP') }
  const question = message.readUInt16BE(4) === 1 ? readQuestion(message) : undefined
  const packet = question && decoded(message)
  const type = packet?.questions?.[0]?.type
  if (!question || !packet || type === undefined) return { refusal: refusal(message, 'FORMERR') }
  const options = packet.additionals?.filter((record): record is OptAnswer => record.type === 'OPT') ?? []
  if (options.length > 1) return { refusal: refusal(message, 'FORMERR') }
  const [opt] = options
  return {
    id: message.readUInt16BE(0),
    recursionDesired: (flags & flag.recursionDesired) !== 0,
    checkingDisabled: (flags & flag.checkingDisabled) !== 0,
    question: { ...question, type },
    edns: opt && { udpSize: opt.udpPayloadSize, version: opt.ednsVersion, dnssecOk: opt.flag_do },
    raw: message,
  }
}

/** The bytes of a reply, of `limit` bytes at most: what does not fit is left out, and the reply says that it is cut short. */
export function writeReply(query: Query, reply: Reply, limit: number): Buffer {
  const { rcode, authoritative = false, answers = [], authorities = [], additionals = [] } = reply
  const code = rcodes[rcode]
  const opt = query.edns ? [optRecord(code >> 4)] : []
  const { raw, name } = query.question
  let room = limit - headerLength - raw.length - opt.reduce((sum, { length }) => sum + length, 0)
  let truncated = false
  const take = (records: readonly Answer[], needed: boolean) => {
    const kept: Buffer[] = []
    for (const record of records) {
      const bytes = recordBytes(record, name)
      if (bytes.length > room) {
        // What is only there to spare a second question may be missing.
        truncated ||= needed
        break
      }
      room -= bytes.length
      kept.push(bytes)
    }
    return kept
  }
  const sections = [take(answers, true), take(authorities, true), truncated ? [] : take(additionals, false)] as const
  const header = Buffer.alloc(headerLength)
  header.writeUInt16BE(query.id, 0)
  header.writeUInt16BE(
    flag.response |
      (authoritative ? flag.authoritative : 0) |
      (truncated ? flag.truncated : 0) |
      (query.recursionDesired ? flag.recursionDesired : 0) |
      flag.recursionAvailable |
      (query.checkingDisabled ? flag.checkingDisabled : 0) |
      (code & 0xf),
    2,
  )
  const counts = [1, sections[0].length, sections[1].length, sections[2].length + opt.length]
  for (const [i, count] of counts.entries()) header.writeUInt16BE(count, 4 + 2 * i)
  return Buffer.concat([header, raw, ...sections.flat(), ...opt])
}

/** How many bytes a reply by UDP may have. */
export function udpLimit({ edns }: Query): number {
  return edns ? Math.min(Math.max(edns.udpSize, plainUdpBytes), ownUdpBytes) : plainUdpBytes
}

const headerLength = 12
const plainUdpBytes = 512
/** Fits any link's packets, so that nothing is fragmented. */
const ownUdpBytes = 1232

const flag = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
}

const rcodes: Record<Rcode, number> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
}

/** The message back with an error and nothing else: its contents could not be read. */
function refusal(message: Buffer, rcode: Rcode): Buffer {
  const header = Buffer.alloc(headerLength)
  message.copy(header, 0, 0, 2)
  const kept = message.readUInt16BE(2) & (flag.opcode | flag.recursionDesired)
  header.writeUInt16BE(flag.response | kept | rcodes[rcode], 2)
  return header
}

function readQuestion(message: Buffer): Omit<Question, 'type'> | undefined {
  const labels: string[] = []
  let at = headerLength
  for (;;) {
    const length = message[at]
    // Nothing comes before the question that a pointer could lead to.
    if (length === undefined || length > 63 || at + 1 + length > message.length || at - headerLength > 254)
      return undefined
    at += 1
    if (length === 0) break
    labels.push(message.toString('latin1', at, at + length).toLowerCase())
    at += length
  }
  if (at + 4 > message.length) return undefined
  const raw = message.subarray(headerLength, at + 4)
  return { name: labels.join('.'), labels, class: message.readUInt16BE(at + 2), raw }
}

function decoded(message: Buffer): ReturnType<typeof decode> | undefined {
  try {
    return decode(message)
  } catch {
    return undefined
  }
}

function optRecord(extendedRcode: number): Buffer {
  const opt: OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: ownUdpBytes,
    extendedRcode,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  }
  return encode({ answers: [opt] }).subarray(headerLength)
}

/** The library does not compress names. That of the question is the one that repeats: it becomes a pointer to it. */
function recordBytes(record: Answer, questionName: string): Buffer {
  if (record.name !== questionName) return encode({ answers: [record] }).subarray(headerLength)
  const nameless = encode({ answers: [{ ...record, name: '.' } as Answer] }).subarray(headerLength + 1)
  return Buffer.concat([Buffer.from([0xc0, headerLength]), nameless])
}
