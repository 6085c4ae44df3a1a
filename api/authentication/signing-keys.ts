import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'

/** A public key of service-account tokens. */
export interface VerificationKey {
  /** As in the token's header: a digest of the key. */
  keyId: string
  algorithm: 'RS256' | 'ES256' | 'ES384' | 'ES512'
  key: KeyObject
}

export interface SigningKey extends VerificationKey {
  privateKey: KeyObject
}

/** Reads a private key. Throws an Error for one that is neither RSA nor on P-256, P-384 or P-521. */
export function loadSigningKey(privateKeyPem: string): SigningKey {
  const privateKey = createPrivateKey(privateKeyPem)
  return { ...verificationKey(createPublicKey(privateKey)), privateKey }
}

export const loadVerificationKey = (publicKeyPem: string): VerificationKey =>
  verificationKey(createPublicKey(publicKeyPem))

function verificationKey(key: KeyObject): VerificationKey {
  const keyId = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  return { keyId, algorithm: algorithmOf(key), key }
}

function algorithmOf(key: KeyObject): VerificationKey['algorithm'] {
  if (key.asymmetricKeyType === 'rsa') return 'RS256'
  switch (key.asymmetricKeyDetails?.namedCurve) {
    case 'prime256v1':
      return 'ES256'
    case 'secp384r1':
      return 'ES384'
    case 'secp521r1':
      return 'ES512'
    default:
      throw new Error('a key of service-account tokens must be RSA or on P-256, P-384 or P-521')
  }
}

/** A signed token that says this. */
export async function signClaims({ algorithm, keyId, privateKey }: SigningKey, claims: object): Promise<string> {
  // Loaded with the first token: it takes a while, and the start has no need of it.
  const { CompactSign } = await import('jose')
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: algorithm, kid: keyId })
    .sign(privateKey)
}
