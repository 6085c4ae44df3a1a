import { createPublicKey, verify, X509Certificate } from 'node:crypto'

interface PemBlock {
  type: string
  headers: boolean
  der: Buffer
}

/** The blocks of PEM text; what stands around them is ignored. */
function pemBlocks(pem: string): PemBlock[] {
  const blocks: PemBlock[] = []
  for (const [, type = '', body = ''] of pem.matchAll(/-----BEGIN ([^-\n]+)-----\r?\n([\s\S]*?)-----END \1-----/g)) {
    blocks.push({ type, headers: /^[^\n:]+: /.test(body), der: Buffer.from(body.replace(/\s/g, ''), 'base64') })
  }
  return blocks
}

/** What is wrong with the certificate chain a signer hands in (PEM, base64), or undefined. Empty is right. */
export function certificateFault(base64: string): string | undefined {
  const pem = Buffer.from(base64, 'base64').toString('latin1')
  if (pem === '') return undefined
  const blocks = pemBlocks(pem)
  if (blocks.length === 0) return 'must contain at least one CERTIFICATE PEM block'
  for (const { type, headers, der } of blocks) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (headers) return 'no PEM block headers are permitted'
    if (der.length === 0) return 'found CERTIFICATE PEM block containing 0 certificates'
    try {
      new X509Certificate(der)
    } catch (error) {
      return `x509: ${(error as Error).message}`
    }
  }
  return undefined
}

/** What is wrong with a PKCS #10 request (PEM, base64), or undefined: its form, its key, its signature. */
export function requestFault(base64: string): string | undefined {
  const [block] = pemBlocks(Buffer.from(base64, 'base64').toString('latin1'))
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST'
  let request: Request
  try {
    request = parseRequest(block.der)
  } catch (error) {
    return `asn1: structure error: ${(error as Error).message}`
  }
  const digest = digests[request.algorithm]
  if (digest === undefined) return 'x509: cannot verify signature: algorithm unimplemented'
  try {
    const key = createPublicKey({ key: request.publicKey, format: 'der', type: 'spki' })
    return verify(digest, request.signed, key, request.signature) ? undefined : 'x509: signature verification failed'
  } catch (error) {
    return `x509: ${(error as Error).message}`
  }
}

/** Digests by the object identifier of the signature algorithm; null where the key decides. */
const digests: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
}

interface Request {
  /** The bytes under the signature. */
  signed: Buffer
  publicKey: Buffer
  algorithm: string
  signature: Buffer
}

const sequence = 0x30
const integer = 0x02
const bitString = 0x03
const objectIdentifier = 0x06

/** Only the parts that a check needs; loading a whole X.509 library for them would cost every start. */
function parseRequest(der: Buffer): Request {
  const outer = readElement(der, 0, sequence)
  if (outer.end !== der.length) throw new Error('trailing data')
  const info = readElement(der, outer.start, sequence)
  const algorithm = readElement(der, info.end, sequence)
  const signature = readElement(der, algorithm.end, bitString)
  const version = readElement(der, info.start, integer)
  const subject = readElement(der, version.end, sequence)
  const key = readElement(der, subject.end, sequence)
  const identifier = readElement(der, algorithm.start, objectIdentifier)
  return {
    signed: der.subarray(info.offset, info.end),
    publicKey: der.subarray(key.offset, key.end),
    algorithm: dotted(der.subarray(identifier.start, identifier.end)),
    // The first byte counts unused bits, of which a signature has none.
    signature: der.subarray(signature.start + 1, signature.end),
  }
}

interface Element {
  offset: number
  start: number
  end: number
}

function readElement(der: Buffer, offset: number, tag: number): Element {
  if (der[offset] !== tag) throw new Error(`unexpected tag ${der[offset] ?? 'at the end'}`)
  const first = der[offset + 1]
  if (first === undefined) throw new Error('data truncated')
  let start = offset + 2
  let length = first
  if (first & 0x80) {
    const bytes = first & 0x7f
    if (bytes === 0 || bytes > 4 || start + bytes > der.length) throw new Error('bad length')
    length = der.readUIntBE(start, bytes)
    start += bytes
  }
  const end = start + length
  if (end > der.length) throw new Error('data truncated')
  return { offset, start, end }
}

function dotted(bytes: Buffer): string {
  const [first = 0, ...rest] = bytes
  const parts = [Math.floor(first / 40), first % 40]
  let value = 0
  for (const byte of rest) {
    value = value * 128 + (byte & 0x7f)
    if ((byte & 0x80) === 0) {
      parts.push(value)
      value = 0
    }
  }
  return parts.join('.')
}
