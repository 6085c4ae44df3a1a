import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { isIP } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { CertifiedKey } from '../../api/certificates/issue.ts'
import { readIfThere, writePrivately } from './files.ts'

/** Everything a control plane proves itself with, as PEM. Files carry kubeadm's names. */
export interface Pki {
  /** Signs servers and clients of the cluster. */
  ca: CertifiedKey
  /** Signs whom extension servers trust to speak for users. */
  frontProxyCa: CertifiedKey
  apiserver: CertifiedKey
  /** By which the API server calls node agents. */
  apiserverKubeletClient: CertifiedKey
  /** By which the API server calls extension servers. */
  frontProxyClient: CertifiedKey
  /** A member of system:masters, for the operator. */
  admin: CertifiedKey
  /** Signs and checks service-account tokens. */
  serviceAccount: { privateKeyPem: string; publicKeyPem: string }
  /** Names of what this call made or renewed: `ca`, `apiserver`, … */
  made: string[]
}

const authorityDays = 3650
const leafDays = 365
const renewBeforeMs = 30 * 24 * 60 * 60 * 1000

/** Names by which pods and this machine reach the API server, whatever else it is called. */
const standingSans = [
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
  'localhost',
  '127.0.0.1',
  '::1',
]

/**
 * Reads the certificates of a control plane from `dir`, and makes what is missing, runs out within 30 days, does not
 * belong together or (the serving certificate) lacks one of `sans`, names or addresses. Safe to call at every start.
 * Throws an Error if a certificate has to be made and the key of its authority is not there.
 */
export async function ensurePki(dir: string, options: { sans: readonly string[]; nowMs: number }): Promise<Pki> {
  const { nowMs } = options
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const made: string[] = []
  const authority = async (file: string, commonName: string): Promise<CertifiedKey> => {
    const { certPem, keyPem } = readPair(dir, file)
    if (certPem !== undefined && !runsOut(certPem, nowMs)) return { certPem, keyPem: keyPem ?? '' }
    if (certPem !== undefined && keyPem === undefined) {
      throw new Error(
        `${join(dir, `${file}.crt`)} runs out and ${file}.key is not there: put a new authority in its place`,
      )
    }
    const { createAuthority } = await import('../../api/certificates/issue.ts')
    const base = { commonName, days: authorityDays, nowMs }
    const fresh = await createAuthority(keyPem === undefined ? base : { ...base, keyPem })
    writePair(dir, file, fresh)
    made.push(file)
    return fresh
  }
  const [ca, frontProxyCa] = await Promise.all([
    authority('ca', 'kubernetes'),
    authority('front-proxy-ca', 'front-proxy-ca'),
  ])

  const leaf = async (
    file: string,
    by: CertifiedKey,
    sans: readonly string[],
    issue: (issuer: Issuer) => Promise<CertifiedKey>,
  ): Promise<CertifiedKey> => {
    const { pair, fresh } = await ensureLeaf(dir, file, by, { sans, nowMs, issue })
    if (fresh) made.push(file)
    return pair
  }
  const client = (file: string, by: CertifiedKey, commonName: string, organizations: string[] = []) =>
    leaf(file, by, [], ({ issueClientCertificate }) =>
      issueClientCertificate(by, { commonName, organizations, days: leafDays, nowMs }),
    )
  const sans = [...new Set([...standingSans, ...options.sans])]
  const [apiserver, apiserverKubeletClient, frontProxyClient, admin] = await Promise.all([
    leaf('apiserver', ca, sans, ({ issueServingCertificate }) =>
      issueServingCertificate(ca, { commonName: 'kube-apiserver', sans, days: leafDays, nowMs }),
    ),
    client('apiserver-kubelet-client', ca, 'kube-apiserver-kubelet-client', ['system:masters']),
    client('front-proxy-client', frontProxyCa, 'front-proxy-client'),
    client('admin', ca, 'kubernetes-admin', ['system:masters']),
  ])
  const serviceAccount = ensureServiceAccountKey(dir, made)
  return { ca, frontProxyCa, apiserver, apiserverKubeletClient, frontProxyClient, admin, serviceAccount, made }
}

export type Issuer = typeof import('../../api/certificates/issue.ts')

/**
 * Reads the pair FILE.crt and FILE.key of `dir`, or has it issued when it is missing, runs out within 30 days, is not by
 * `by` or lacks one of `sans`. Throws an Error if it has to be issued and the key of `by` is not there.
 */
export async function ensureLeaf(
  dir: string,
  file: string,
  by: CertifiedKey,
  options: { sans: readonly string[]; nowMs: number; issue: (issuer: Issuer) => Promise<CertifiedKey> },
): Promise<{ pair: CertifiedKey; fresh: boolean }> {
  const { certPem, keyPem } = readPair(dir, file)
  if (certPem !== undefined && keyPem !== undefined && serves(certPem, keyPem, by.certPem, options)) {
    return { pair: { certPem, keyPem }, fresh: false }
  }
  if (by.keyPem === '') throw new Error(`${file}.crt has to be made and the key of its authority is not in ${dir}`)
  const pair = await options.issue(await import('../../api/certificates/issue.ts'))
  writePair(dir, file, pair)
  return { pair, fresh: true }
}

/** When the certificate should be issued anew, in milliseconds since 1970. */
export const renewalMs = (certPem: string): number => Date.parse(new X509Certificate(certPem).validTo) - renewBeforeMs

/** Names and addresses of this machine. */
export function localSans(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return [hostname().toLowerCase(), ...addresses.filter(({ scopeid }) => !scopeid).map(({ address }) => address)]
}

/** ES256: signs thirty times faster than RSA, and every verifier of OpenID Connect tokens reads it. */
function ensureServiceAccountKey(dir: string, made: string[]): Pki['serviceAccount'] {
  const privateKeyPem = readIfThere(join(dir, 'sa.key'))
  const publicKeyPem = readIfThere(join(dir, 'sa.pub'))
  if (privateKeyPem !== undefined && publicKeyPem !== undefined) return { privateKeyPem, publicKeyPem }
  const privateKey =
    privateKeyPem === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : createPrivateKey(privateKeyPem)
  const key = {
    privateKeyPem: privateKeyPem ?? String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    publicKeyPem: String(createPublicKey(privateKey).export({ type: 'spki', format: 'pem' })),
  }
  if (privateKeyPem === undefined) writePrivately(join(dir, 'sa.key'), key.privateKeyPem)
  writePrivately(join(dir, 'sa.pub'), key.publicKeyPem)
  made.push('sa')
  return key
}

const readPair = (dir: string, file: string) => ({
  certPem: readIfThere(join(dir, `${file}.crt`)),
  keyPem: readIfThere(join(dir, `${file}.key`)),
})

/** A crash between the two leaves a pair that does not belong together, which the next start sees. */
function writePair(dir: string, file: string, { certPem, keyPem }: CertifiedKey): void {
  writePrivately(join(dir, `${file}.key`), keyPem)
  writePrivately(join(dir, `${file}.crt`), certPem)
}

const runsOut = (certPem: string, nowMs: number): boolean => renewalMs(certPem) < nowMs

function serves(
  certPem: string,
  keyPem: string,
  caPem: string,
  { sans, nowMs }: { sans: readonly string[]; nowMs: number },
): boolean {
  const certificate = new X509Certificate(certPem)
  const authority = new X509Certificate(caPem)
  return (
    renewalMs(certPem) >= nowMs &&
    // Compares key identifiers too: an authority of the same name but another key did not issue it.
    certificate.checkIssued(authority) &&
    certificate.checkPrivateKey(createPrivateKey(keyPem)) &&
    sans.every((san) => (isIP(san) === 0 ? certificate.checkHost(san) : certificate.checkIP(san)) !== undefined)
  )
}
