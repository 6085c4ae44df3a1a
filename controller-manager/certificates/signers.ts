import type { ParsedCsr } from '../../api/certificates/issue.ts'
import type { CertificateSigningRequest } from '../../api/generated/types.ts'

export const kubeletClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet'

/** Upstream's signers, and what each wants of a request: undefined where it is right, else why it is not. */
export const signers = {
  [kubeletClientSigner]: (csr: ParsedCsr, usages: readonly string[]) =>
    nodeFault(csr) ??
    (csr.dnsNames.length > 0 ? 'DNS subjectAltNames are not allowed' : undefined) ??
    (csr.emailAddresses.length > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (csr.ipAddresses.length > 0 ? 'IP subjectAltNames are not allowed' : undefined) ??
    (csr.uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    nodeNameFault(csr) ??
    usagesFault(usages, 'client auth'),
  'kubernetes.io/kubelet-serving': (csr: ParsedCsr, usages: readonly string[]) =>
    nodeFault(csr) ??
    (csr.dnsNames.length + csr.ipAddresses.length === 0 ? 'DNS or IP subjectAltName is required' : undefined) ??
    (csr.emailAddresses.length > 0 ? 'Email subjectAltNames are not allowed' : undefined) ??
    (csr.uris.length > 0 ? 'URI subjectAltNames are not allowed' : undefined) ??
    usagesFault(usages, 'server auth') ??
    nodeNameFault(csr),
  'kubernetes.io/kube-apiserver-client': (_: ParsedCsr, usages: readonly string[]) => {
    const odd = usages.find((usage) => !clientUsages.includes(usage))
    if (odd !== undefined) return `invalid usage for client certificate: ${odd}`
    return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
  },
  'kubernetes.io/legacy-unknown': (_csr: ParsedCsr, _usages: readonly string[]): string | undefined => undefined,
} satisfies Record<string, (csr: ParsedCsr, usages: readonly string[]) => string | undefined>

export type SignerName = keyof typeof signers

const clientUsages = ['digital signature', 'key encipherment', 'client auth']

const nodeFault = ({ organizations }: ParsedCsr): string | undefined =>
  organizations.length === 1 && organizations[0] === 'system:nodes'
    ? undefined
    : 'subject organization is not system:nodes'

const nodeNameFault = ({ commonName }: ParsedCsr): string | undefined =>
  commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'

/** Key encipherment is of use with RSA keys only. */
function usagesFault(usages: readonly string[], purpose: string): string | undefined {
  const needed = ['digital signature', 'key encipherment', purpose].sort()
  const asked = [...new Set(usages)].sort().join()
  if (asked === needed.join() || asked === needed.filter((usage) => usage !== 'key encipherment').join())
    return undefined
  return `usages did not match [${needed.join(' ')}]`
}

/** Whether the request has a condition of the type that holds. */
export const hasCondition = ({ status }: CertificateSigningRequest, wanted: string): boolean =>
  status?.conditions?.some(({ type, status: holds }) => type === wanted && holds === 'True') ?? false

const shortSeconds = 8 * 3600
const backdateSeconds = 300
const leastSeconds = 600

/**
 * For how long a certificate is signed: as asked for, between ten minutes and what the signer gives at most. The
 * backdating of a long one counts as part of it.
 */
export function signedSeconds(expirationSeconds: number | undefined, mostSeconds: number): number {
  const seconds = Math.min(Math.max(expirationSeconds ?? mostSeconds, leastSeconds), mostSeconds)
  return seconds < shortSeconds ? seconds : seconds - backdateSeconds
}
