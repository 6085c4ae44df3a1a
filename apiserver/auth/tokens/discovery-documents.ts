import type { VerificationKey } from '../../../api/authentication/signing-keys.ts'

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
