import { parseArgs } from 'node:util'
import type { CertifiedKey } from '../api/certificates/issue.ts'
import { ensureLeaf, ensurePki, localSans, renewalMs } from '../apiserver/pki/ensure.ts'
import { writePrivately } from '../apiserver/pki/files.ts'
import { writeKubeconfig } from '../apiserver/pki/kubeconfig.ts'
import { type CredentialsWanted, credentialsStamp } from './credentials-stamp.ts'
import { layoutOf } from './layout.ts'

const days = 365

/**
 * `gantry credentials`: gives every component of a cluster a certificate of its own by the cluster's authority, and a
 * kubeconfig that carries it; renews what runs out within 30 days. A short-lived process of its own, so that the library
 * that makes certificates is in nobody's memory afterwards.
 */
export async function credentials(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { 'data-dir': { type: 'string' }, want: { type: 'string' } },
  })
  if (values['data-dir'] === undefined || values.want === undefined) {
    process.stderr.write('gantry credentials is for `gantry up` to call\n')
    return 2
  }
  await issueCredentials(values['data-dir'], JSON.parse(values.want) as CredentialsWanted, Date.now())
  return 0
}

/** Makes what is missing or runs out, in `<data-dir>/pki` and the kubeconfigs beside it. */
export async function issueCredentials(dataDir: string, want: CredentialsWanted, nowMs: number): Promise<void> {
  const layout = layoutOf(dataDir)
  const pki = await ensurePki(layout.pki, { sans: [...want.sans, ...localSans()], nowMs })
  const issued: CertifiedKey[] = [pki.ca, pki.apiserver, pki.apiserverKubeletClient, pki.frontProxyClient, pki.admin]

  const leaf = async (file: string, sans: readonly string[], commonName: string, organizations: string[]) => {
    const { pair } = await ensureLeaf(layout.pki, file, pki.ca, {
      sans,
      nowMs,
      issue: ({ issueClientCertificate, issueServingCertificate }) =>
        sans.length > 0
          ? issueServingCertificate(pki.ca, { commonName, organizations, sans, days, nowMs })
          : issueClientCertificate(pki.ca, { commonName, organizations, days, nowMs }),
    })
    issued.push(pair)
    return pair
  }
  const client = async (file: string, server: string, commonName: string, organizations: string[] = []) => {
    const pair = await leaf(file, [], commonName, organizations)
    writeKubeconfig(layout.kubeconfigOf(file), { server, caPem: pki.ca.certPem, name: commonName, ...pair })
  }
  await Promise.all([
    client('scheduler', want.server, 'system:kube-scheduler'),
    client('controller-manager', want.server, 'system:kube-controller-manager'),
    ...want.nodes.flatMap(({ name, sans }) => [
      client(name, want.nodeServer, `system:node:${name}`, ['system:nodes']),
      leaf(`${name}-serving`, [name, ...sans], `system:node:${name}`, ['system:nodes']),
    ]),
  ])
  const admin = { caPem: pki.ca.certPem, name: 'admin', ...pki.admin }
  writeKubeconfig(layout.kubeconfig, { server: want.adminServer ?? want.server, ...admin })
  if (want.adminServer !== undefined) writeKubeconfig(layout.kubeconfigOf('admin'), { server: want.server, ...admin })
  writePrivately(
    credentialsStamp(layout),
    JSON.stringify({ want, renewAtMs: Math.min(...issued.map(({ certPem }) => renewalMs(certPem))) }),
  )
}
