// Must be loaded before the certificate library, which looks for it.
import 'reflect-metadata'
import { createPrivateKey, webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'

/** A certificate and the key that belongs to it, as PEM. */
export interface CertifiedKey {
  certPem: string
  keyPem: string
}

/** Whom a certificate speaks of: O becomes the groups of a user. */
export interface Subject {
  commonName: string
  organizations?: readonly string[]
}

const dayMs = 24 * 60 * 60 * 1000
/** Clocks of peers may be a little behind; upstream's signer allows as much. */
const backdateMs = 5 * 60 * 1000
const ellipticCurve = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** Makes a certificate authority, or a new certificate for the key of one that runs out: what it signed stays valid. */
export async function createAuthority(options: {
  commonName: string
  days: number
  nowMs: number
  keyPem?: string
}): Promise<CertifiedKey> {
  const key = options.keyPem === undefined ? await newKey() : await loadKey(options.keyPem)
  const certificate = await x509.X509CertificateGenerator.create({
    subject: nameOf({ commonName: options.commonName }),
    issuer: nameOf({ commonName: options.commonName }),
    ...validity(options.nowMs, options.days * dayMs),
    publicKey: key.publicKey,
    signingKey: key.privateKey,
    signingAlgorithm: key.algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(key.publicKey, false),
      // Go's verifiers want a name there too.
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: options.commonName }]),
    ],
  })
  return { certPem: pem(certificate), keyPem: key.pem }
}

/** A certificate by which a server proves its names and addresses (and may be a client too, if `client`). */
export async function issueServingCertificate(
  ca: CertifiedKey,
  options: Subject & { sans: readonly string[]; days: number; nowMs: number },
): Promise<CertifiedKey> {
  const key = await newKey()
  const certPem = await sign(ca, {
    name: nameOf(options),
    publicKey: key.publicKey,
    ...validity(options.nowMs, options.days * dayMs),
    keyUsages: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
    extendedUsages: [x509.ExtendedKeyUsage.serverAuth],
    sans: sanExtension(options.sans),
  })
  return { certPem, keyPem: key.pem }
}

/** A certificate by which a client proves to be the user `commonName` in the groups `organizations`. */
export async function issueClientCertificate(
  ca: CertifiedKey,
  options: Subject & { days: number; nowMs?: number },
): Promise<CertifiedKey> {
  const key = await newKey()
  const certPem = await sign(ca, {
    name: nameOf(options),
    publicKey: key.publicKey,
    ...validity(options.nowMs ?? Date.now(), options.days * dayMs),
    keyUsages: x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
    extendedUsages: [x509.ExtendedKeyUsage.clientAuth],
  })
  return { certPem, keyPem: key.pem }
}

/** What a certificate signing request asks for, once its own signature has been checked. */
export interface ParsedCsr {
  commonName: string
  organizations: string[]
  dnsNames: string[]
  ipAddresses: string[]
  emailAddresses: string[]
  uris: string[]
}

/** Reads a PEM request. Throws an Error if it is none, or if its signature is not by its own key. */
export async function parseCsr(csrPem: string): Promise<ParsedCsr> {
  const csr = await verifiedCsr(csrPem)
  const names = sansOf(csr)?.names.items ?? []
  const of = (type: string) => names.filter((name) => name.type === type).map(({ value }) => value)
  return {
    commonName: csr.subjectName.getField('CN')[0] ?? '',
    organizations: csr.subjectName.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    emailAddresses: of('email'),
    uris: of('url'),
  }
}

/**
 * Signs a PEM request: subject, names and key as asked for; usages by upstream's names (`client auth`, `digital
 * signature`, …); never longer than the authority itself is valid. Returns PEM. Throws an Error for a malformed
 * request or an unknown usage.
 */
export async function signCsr(
  ca: CertifiedKey,
  options: { csrPem: string; usages: readonly string[]; durationSeconds: number; nowMs: number },
): Promise<string> {
  const csr = await verifiedCsr(options.csrPem)
  const sans = sansOf(csr)
  let keyUsages = 0
  const extendedUsages: string[] = []
  for (const usage of options.usages) {
    const flag = keyUsageFlags[usage]
    const extended = extendedUsageIds[usage]
    if (flag !== undefined) keyUsages |= flag
    else if (extended !== undefined) extendedUsages.push(extended)
    else throw new Error(`unrecognized usage ${JSON.stringify(usage)}`)
  }
  return sign(ca, {
    name: csr.subject,
    publicKey: csr.publicKey,
    ...validity(options.nowMs, options.durationSeconds * 1000),
    keyUsages,
    extendedUsages,
    ...(sans ? { sans: new x509.SubjectAlternativeNameExtension(sans.names.toJSON(), csr.subject === '') } : {}),
  })
}

const keyUsageFlags: Record<string, number> = {
  signing: x509.KeyUsageFlags.digitalSignature,
  'digital signature': x509.KeyUsageFlags.digitalSignature,
  'content commitment': x509.KeyUsageFlags.nonRepudiation,
  'key encipherment': x509.KeyUsageFlags.keyEncipherment,
  'key agreement': x509.KeyUsageFlags.keyAgreement,
  'data encipherment': x509.KeyUsageFlags.dataEncipherment,
  'cert sign': x509.KeyUsageFlags.keyCertSign,
  'crl sign': x509.KeyUsageFlags.cRLSign,
  'encipher only': x509.KeyUsageFlags.encipherOnly,
  'decipher only': x509.KeyUsageFlags.decipherOnly,
}

const extendedUsageIds: Record<string, string> = {
  any: '2.5.29.37.0',
  'server auth': x509.ExtendedKeyUsage.serverAuth,
  'client auth': x509.ExtendedKeyUsage.clientAuth,
  'code signing': x509.ExtendedKeyUsage.codeSigning,
  'email protection': x509.ExtendedKeyUsage.emailProtection,
  's/mime': x509.ExtendedKeyUsage.emailProtection,
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: x509.ExtendedKeyUsage.timeStamping,
  'ocsp signing': x509.ExtendedKeyUsage.ocspSigning,
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}

interface SigningOptions {
  name: x509.Name | string
  publicKey: webcrypto.CryptoKey | x509.PublicKey
  notBefore: Date
  notAfter: Date
  keyUsages: number
  extendedUsages: readonly string[]
  sans?: x509.SubjectAlternativeNameExtension
}

interface Authority {
  certificate: x509.X509Certificate
  key: Key
  keyIdentifier: x509.Extension
}

/** Reading an authority takes longer than signing with it, and a first start signs several certificates. */
const authorities = new WeakMap<CertifiedKey, Promise<Authority>>()

function authorityOf(ca: CertifiedKey): Promise<Authority> {
  let authority = authorities.get(ca)
  if (!authority) {
    authority = readAuthority(ca)
    authorities.set(ca, authority)
  }
  return authority
}

async function readAuthority({ certPem, keyPem: text }: CertifiedKey): Promise<Authority> {
  const certificate = new x509.X509Certificate(certPem)
  const keyIdentifier = await x509.AuthorityKeyIdentifierExtension.create(certificate.publicKey, false)
  return { certificate, key: await loadKey(text), keyIdentifier }
}

async function sign(ca: CertifiedKey, options: SigningOptions): Promise<string> {
  const { certificate: issuer, key: signer, keyIdentifier } = await authorityOf(ca)
  const { notBefore, notAfter, keyUsages, extendedUsages, sans } = options
  const certificate = await x509.X509CertificateGenerator.create({
    subject: typeof options.name === 'string' ? options.name : options.name.toJSON(),
    issuer: issuer.subject,
    notBefore,
    notAfter: new Date(Math.min(notAfter.getTime(), issuer.notAfter.getTime())),
    publicKey: options.publicKey,
    signingKey: signer.privateKey,
    signingAlgorithm: signer.algorithm,
    extensions: [
      ...(keyUsages === 0 ? [] : [new x509.KeyUsagesExtension(keyUsages, true)]),
      ...(extendedUsages.length === 0 ? [] : [new x509.ExtendedKeyUsageExtension([...extendedUsages])]),
      new x509.BasicConstraintsExtension(false, undefined, true),
      keyIdentifier,
      ...(sans ? [sans] : []),
    ],
  })
  return pem(certificate)
}

async function verifiedCsr(csrPem: string): Promise<x509.Pkcs10CertificateRequest> {
  if (!csrPem.includes('-----BEGIN CERTIFICATE REQUEST-----')) {
    throw new Error('PEM block type must be CERTIFICATE REQUEST')
  }
  const csr = new x509.Pkcs10CertificateRequest(csrPem)
  if (!(await csr.verify())) throw new Error('the request is not signed by the key it holds')
  return csr
}

const sansOf = (csr: x509.Pkcs10CertificateRequest) =>
  csr.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)

const validity = (nowMs: number, durationMs: number) => ({
  notBefore: new Date(nowMs - backdateMs),
  notAfter: new Date(nowMs + durationMs),
})

const nameOf = ({ commonName, organizations = [] }: Subject): x509.Name =>
  new x509.Name([...organizations.map((organization) => ({ O: [organization] })), { CN: [commonName] }])

const sanExtension = (sans: readonly string[]) =>
  new x509.SubjectAlternativeNameExtension(
    [...new Set(sans)].map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
  )

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`

interface Key {
  publicKey: webcrypto.CryptoKey
  privateKey: webcrypto.CryptoKey
  algorithm: { name: string; hash: string; namedCurve?: string }
  pem: string
}

async function newKey(): Promise<Key> {
  const pair = await webcrypto.subtle.generateKey(ellipticCurve, true, ['sign', 'verify'])
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', pair.privateKey))
  return { ...pair, algorithm: { ...ellipticCurve, hash: 'SHA-256' }, pem: keyPem(der) }
}

/** An operator's own authority may have an RSA key or another curve. */
async function loadKey(text: string): Promise<Key> {
  const key = createPrivateKey(text)
  const der = key.export({ type: 'pkcs8', format: 'der' })
  const algorithm =
    key.asymmetricKeyType === 'rsa'
      ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      : { name: 'ECDSA', ...curveOf(key.asymmetricKeyDetails?.namedCurve) }
  const privateKey = await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign'])
  const { kty, n, e, crv, x, y } = await webcrypto.subtle.exportKey('jwk', privateKey)
  const publicPart = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y }
  const publicKey = await webcrypto.subtle.importKey('jwk', publicPart as webcrypto.JsonWebKey, algorithm, true, [
    'verify',
  ])
  return { privateKey, publicKey, algorithm, pem: text }
}

function curveOf(curve: string | undefined): { namedCurve: string; hash: string } {
  switch (curve) {
    case 'prime256v1':
      return { namedCurve: 'P-256', hash: 'SHA-256' }
    case 'secp384r1':
      return { namedCurve: 'P-384', hash: 'SHA-384' }
    case 'secp521r1':
      return { namedCurve: 'P-521', hash: 'SHA-512' }
    default:
      throw new Error(`a signing key must be RSA or on P-256, P-384 or P-521, not ${curve ?? 'of another kind'}`)
  }
}

const keyPem = (der: Buffer): string =>
  `-----BEGIN PRIVATE KEY-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`
