/** Where the records of a message keep their time to live, and what that is. Undefined for a message that cannot be read. */
export function ttlFields(message: Buffer): { at: number; ttl: number; type: number }[] | undefined {
  if (message.length < 12) return undefined
  const questions = message.readUInt16BE(4)
  const records = message.readUInt16BE(6) + message.readUInt16BE(8) + message.readUInt16BE(10)
  const fields: { at: number; ttl: number; type: number }[] = []
  let at: number | undefined = 12
  for (let i = 0; i < questions; i++) {
    at = afterName(message, at)
    if (at === undefined) return undefined
    at += 4
  }
  for (let i = 0; i < records; i++) {
    at = afterName(message, at)
    if (at === undefined || at + 10 > message.length) return undefined
    fields.push({ at: at + 4, ttl: message.readUInt32BE(at + 4), type: message.readUInt16BE(at) })
    at += 10 + message.readUInt16BE(at + 8)
  }
  return at <= message.length ? fields : undefined
}

/** A copy of the message for another question with the same text: its number, and with every record older by so much. */
export function aged(message: Buffer, id: number, bySeconds: number): Buffer {
  const copy = Buffer.from(message)
  copy.writeUInt16BE(id, 0)
  for (const { at, ttl, type } of ttlFields(copy) ?? [])
    if (type !== optType) copy.writeUInt32BE(Math.max(0, ttl - bySeconds), at)
  return copy
}

/** How long the message may be remembered, in seconds; 0 when it says nothing of that. */
export function shortestTtl(message: Buffer): number {
  const ttls = (ttlFields(message) ?? []).filter(({ type }) => type !== optType).map(({ ttl }) => ttl)
  return ttls.length > 0 ? Math.min(...ttls) : 0
}

/** An OPT record has flags where others have a time to live. */
const optType = 41

function afterName(message: Buffer, start: number): number | undefined {
  let at = start
  for (;;) {
    const length = message[at]
    if (length === undefined) return undefined
    if (length >= 0xc0) return at + 2
    at += 1 + length
    if (length === 0) return at
  }
}
