import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Name, Pkcs10CertificateRequestGenerator } from '@peculiar/x509'

/** A request as the API takes it: PEM, base64. Its key is forgotten. */
export async function makeCsr({
  commonName,
  organization,
}: {
  commonName: string
  organization: string
}): Promise<string> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const csr = await Pkcs10CertificateRequestGenerator.create({
    name: new Name([{ O: [organization] }, { CN: [commonName] }]),
    keys,
    signingAlgorithm: algorithm,
  })
  return Buffer.from(csr.toString('pem')).toString('base64')
}
