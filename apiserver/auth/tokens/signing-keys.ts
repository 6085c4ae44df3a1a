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

/** The documents by which others learn to verify our tokens, ready to be sent. */
export function discoveryDocuments(
  keys: readonly VerificationKey[],
  { issuer, jwksUri }: { issuer: string; jwksUri: string },
): { configuration: Buffer; jwks: Buffer } {
  const configuration = {
    issuer,
    jwks_uri: jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
  }
  const jwks = {
    keys: keys.map(({ key, keyId, algorithm }) => {
      const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' })
      const numbers = kty === 'RSA' ? { n, e } : { crv, x, y }
      return { use: 'sig', kty, kid: keyId, alg: algorithm, ...numbers }
    }),
  }
  return { configuration: Buffer.from(JSON.stringify(configuration)), jwks: Buffer.from(JSON.stringify(jwks)) }
}

export const discoveryPath = '/.well-known/openid-configuration'
export const jwksPath = '/openid/v1/jwks'
