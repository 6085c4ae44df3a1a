import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'

/**
 * Why a PEM certificate and a PEM private key do not make a pair, or undefined when they do. Only the first
 * certificate counts: the others are its chain.
 */
export function keyPairFault(certificatePem: string, keyPem: string): string | undefined {
  const certificate = pemBlocks(certificatePem).find((block) => block.includes('BEGIN CERTIFICATE-----'))
  if (!certificate) return missing('certificate', certificatePem, 'PRIVATE KEY', 'private key')
  const keyBlock = pemBlocks(keyPem).find((block) => block.includes('PRIVATE KEY-----'))
  if (!keyBlock) {
    if (pemBlocks(keyPem).some((block) => block.includes('BEGIN CERTIFICATE-----')))
      return 'tls: found a certificate rather than a key in the PEM for the private key'
    return missing('key', keyPem)
  }
  let parsed: X509Certificate
  try {
    parsed = new X509Certificate(certificate)
  } catch {
    return 'x509: malformed certificate'
  }
  let key: KeyObject
  try {
    key = createPrivateKey(keyBlock)
  } catch {
    return 'tls: failed to parse private key'
  }
  return parsed.checkPrivateKey(key) ? undefined : 'tls: private key does not match public key'
}

const pemBlocks = (text: string): string[] => text.match(/-----BEGIN [^-]+-----[^-]*-----END [^-]+-----/g) ?? []

function missing(what: string, pem: string, otherType?: string, other?: string): string {
  const blocks = pemBlocks(pem)
  if (blocks.length === 0) return `tls: failed to find any PEM data in ${what} input`
  if (otherType && blocks.some((block) => block.includes(`${otherType}-----`)))
    return `tls: failed to find ${what} PEM data in ${what} input, but did find a ${other}; PEM inputs may have been switched`
  const types = blocks.map((block) => /BEGIN ([^-]+)-----/.exec(block)?.[1]).join(' ')
  const kind =
    what === 'key'
      ? 'PEM block with type ending in "PRIVATE KEY" in key input'
      : `"CERTIFICATE" PEM block in ${what} input`
  return `tls: failed to find ${kind} after skipping PEM blocks of the following types: [${types}]`
}
