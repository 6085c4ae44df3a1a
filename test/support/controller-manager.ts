import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { issueClientCertificate } from '../../api/certificates/issue.ts'
import type { TestServer } from './server.ts'

const gantry = fileURLToPath(new URL('../../bin/gantry', import.meta.url))

/** Our controller manager as a process of its own, with no more rights than upstream's has. */
export async function startControllerManager(
  server: TestServer,
  args: readonly string[] = [],
): Promise<{ said(): string; stop(): Promise<void> }> {
  const pki = (file: string) => join(server.directory, 'data/pki', file)
  const ca = { certPem: readFileSync(pki('ca.crt'), 'utf8'), keyPem: readFileSync(pki('ca.key'), 'utf8') }
  const { certPem, keyPem } = await issueClientCertificate(ca, {
    commonName: 'system:kube-controller-manager',
    days: 1,
  })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const kubeconfig = join(server.directory, 'controller-manager.kubeconfig')
  writeFileSync(
    kubeconfig,
    stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: server.url, 'certificate-authority-data': base64(ca.certPem) } }],
      users: [{ name: 'u', user: { 'client-certificate-data': base64(certPem), 'client-key-data': base64(keyPem) } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  )
  const child = spawn(
    process.execPath,
    [
      gantry,
      'controller-manager',
      `--kubeconfig=${kubeconfig}`,
      '--leader-elect=false',
      '--secure-port=0',
      `--cluster-signing-cert-file=${pki('ca.crt')}`,
      `--cluster-signing-key-file=${pki('ca.key')}`,
      `--service-account-private-key-file=${pki('sa.key')}`,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  }
  return {
    said: () => said,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
    },
  }
}
