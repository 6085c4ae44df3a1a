import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { readIfThere, writePrivately } from './files.ts'

/** Whom a kubeconfig makes of its bearer: a client certificate or a token. */
export type KubeconfigIdentity = { certPem: string; keyPem: string } | { token: string }

export type KubeconfigOptions = {
  /** URL of the API server. */
  server: string
  caPem: string
  /** Of the user: `admin` gives the context `admin@gantry`. */
  name: string
  namespace?: string
} & KubeconfigIdentity

/** Writes a kubeconfig that only its owner can read, as a whole or not at all. Leaves a file alone that says the same. */
export function writeKubeconfig(path: string, options: KubeconfigOptions): void {
  const text = kubeconfig(options)
  if (readIfThere(path) === text) return
  mkdirSync(dirname(path), { recursive: true })
  writePrivately(path, text)
}

/** The text of a kubeconfig. Scalars are quoted as in JSON, which YAML reads alike. */
export function kubeconfig(options: KubeconfigOptions): string {
  const { server, caPem, name, namespace } = options
  const cluster = 'gantry'
  const context = `${name}@${cluster}`
  const identity =
    'token' in options
      ? [`    token: ${JSON.stringify(options.token)}`]
      : [`    client-certificate-data: ${base64(options.certPem)}`, `    client-key-data: ${base64(options.keyPem)}`]
  const lines = [
    'apiVersion: v1',
    'kind: Config',
    `current-context: ${JSON.stringify(context)}`,
    'preferences: {}',
    'clusters:',
    `- name: ${cluster}`,
    '  cluster:',
    `    server: ${JSON.stringify(server)}`,
    `    certificate-authority-data: ${base64(caPem)}`,
    'contexts:',
    `- name: ${JSON.stringify(context)}`,
    '  context:',
    `    cluster: ${cluster}`,
    `    user: ${JSON.stringify(name)}`,
    ...(namespace === undefined ? [] : [`    namespace: ${JSON.stringify(namespace)}`]),
    'users:',
    `- name: ${JSON.stringify(name)}`,
    '  user:',
    ...identity,
  ]
  return `${lines.join('\n')}\n`
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
