import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import { clusterInfo, type ExecConfig, type ExecSource } from './exec-config.ts'

/** What somebody is known by who logs in: a token, a certificate with its key, or both. */
export interface Credential {
  token?: string
  cert?: Buffer
  key?: Buffer
  /** From when it is not to be used any more; without one, until the server refuses it. */
  expiresAt?: number
}

/** Where an API server is, and who asks. */
export interface ClientConfig {
  /** `https://host:port`. */
  server: string
  ca?: Buffer
  cert?: Buffer
  key?: Buffer
  token?: string
  /** Read again every minute: the tokens of service accounts are replaced while a program runs. */
  tokenFile?: string
  insecureSkipTlsVerify?: boolean
  tlsServerName?: string
  /** A program that gets the token, or the certificate and its key. */
  exec?: ExecSource
  /** Gets them in another way: called before the first request, when they expire, and when the server refuses them. */
  login?: () => Promise<Credential>
  /** What connections go through: `http`, `https`, `socks5` or `socks5h`. */
  proxyUrl?: string
  /** The namespace of the context, for tools that work in one. */
  namespace?: string
  userAgent?: string
}

export interface ConfigSource {
  /** Files, separated by `:` where there are several; default $KUBECONFIG, then ~/.kube/config. */
  kubeconfig?: string
  context?: string
  /** In place of the cluster and the user of the context: others of the same files. */
  cluster?: string
  user?: string
  /** In place of the address of the cluster, of which then nothing else need be known. */
  server?: string
  env?: NodeJS.ProcessEnv
}

interface Named<K extends string, T> {
  name: string
  entry: { [key in K]: T }
}

interface Cluster {
  server: string
  'certificate-authority'?: string
  'certificate-authority-data'?: string
  'insecure-skip-tls-verify'?: boolean
  'tls-server-name'?: string
  'proxy-url'?: string
}

interface User {
  'client-certificate'?: string
  'client-certificate-data'?: string
  'client-key'?: string
  'client-key-data'?: string
  token?: string
  tokenFile?: string
  exec?: ExecConfig
  'auth-provider'?: { name: string }
}

interface Context {
  cluster: string
  user: string
  namespace?: string
}

interface Kubeconfig {
  'current-context'?: string
  clusters?: (Named<'cluster', Cluster>['entry'] & { name: string })[]
  users?: (Named<'user', User>['entry'] & { name: string })[]
  contexts?: (Named<'context', Context>['entry'] & { name: string })[]
}

const serviceAccountDir = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Finds the server: the kubeconfig that is named, $KUBECONFIG, ~/.kube/config, or what a pod is given. Throws an Error
 * that says which file lacks what.
 */
export function loadConfig({ env = process.env, ...source }: ConfigSource = {}): ClientConfig {
  const named = source.kubeconfig || env.KUBECONFIG
  const files = named ? named.split(':').filter((file) => file !== '') : [resolve(homedir(), '.kube/config')]
  const found = files.filter((file) => existsSync(file))
  if (found.length > 0) return fromKubeconfigs(found, source)
  if (named) throw new Error(`there is no kubeconfig ${named}. Name one that exists with --kubeconfig or $KUBECONFIG`)
  const inCluster = inClusterConfig(env)
  if (inCluster) return inCluster
  throw new Error('no kubeconfig: name one with --kubeconfig or $KUBECONFIG')
}

/** What the service account of a pod gives; undefined outside of pods. */
export function inClusterConfig(
  env: NodeJS.ProcessEnv = process.env,
  dir = serviceAccountDir,
): ClientConfig | undefined {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port || !existsSync(`${dir}/token`)) return undefined
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    tokenFile: `${dir}/token`,
    ...(existsSync(`${dir}/ca.crt`) ? { ca: readFileSync(`${dir}/ca.crt`) } : {}),
    ...(existsSync(`${dir}/namespace`) ? { namespace: readFileSync(`${dir}/namespace`, 'utf8').trim() } : {}),
  }
}

/** Throws an Error that names the file, whatever is wrong with it. */
function readKubeconfig(file: string): Kubeconfig {
  const refuse = (why: string, cause?: unknown) => new Error(`${file} is no kubeconfig: ${why}`, { cause })
  let config: unknown
  try {
    config = parse(readFileSync(file, 'utf8')) ?? {}
  } catch (error) {
    throw refuse((error as Error).message.split(':\n')[0] as string, error)
  }
  if (typeof config !== 'object' || Array.isArray(config)) throw refuse('it is to have clusters, users and contexts')
  return config as Kubeconfig
}

function fromKubeconfigs(
  files: readonly string[],
  { context: wanted, ...instead }: Pick<ConfigSource, 'context' | 'cluster' | 'user' | 'server'>,
): ClientConfig {
  const read = files.map((file) => ({ file, config: readKubeconfig(file) }))
  const where = files.join(', ')
  // As in kubectl, what an earlier file says counts.
  const find = <T extends { name: string }>(list: (config: Kubeconfig) => T[] | undefined, name: string) => {
    for (const { file, config } of read) {
      const entry = list(config)?.find((candidate) => candidate.name === name)
      if (entry) return { entry, dir: dirname(file) }
    }
    return undefined
  }
  const contextName = wanted || read.map(({ config }) => config['current-context']).find((name) => name)
  const thereAre = () => {
    const names = read.flatMap(({ config }) => config.contexts?.map(({ name }) => name) ?? [])
    return names.length === 0 ? 'It has none' : `There are: ${[...new Set(names)].join(', ')}`
  }
  if (!contextName && !instead.cluster && !instead.server)
    throw new Error(`${where}: no current-context is set. Choose one with --context. ${thereAre()}`)
  const context: Partial<Context> | undefined = contextName
    ? find((config) => config.contexts, contextName)?.entry.context
    : {}
  if (!context) throw new Error(`${where}: there is no context ${JSON.stringify(contextName)}. ${thereAre()}`)
  const clusterName = instead.cluster || context.cluster || ''
  const cluster = find((config) => config.clusters, clusterName)
  const server = instead.server ?? cluster?.entry.cluster.server
  if (server === undefined) throw new Error(`${where}: there is no cluster ${JSON.stringify(clusterName)}`)
  const user = find((config) => config.users, instead.user || context.user || '')
  if (instead.user && !user) throw new Error(`${where}: there is no user ${JSON.stringify(instead.user)}`)
  const bytes = (data: string | undefined, file: string | undefined, dir: string) =>
    data ? Buffer.from(data, 'base64') : file ? readFileSync(resolve(dir, file)) : undefined
  const c: Partial<Cluster> = cluster?.entry.cluster ?? {}
  const clusterDir = cluster?.dir ?? ''
  const u: User = user?.entry.user ?? {}
  const userDir = user?.dir ?? clusterDir
  const ca = bytes(c['certificate-authority-data'], c['certificate-authority'], clusterDir)
  const cert = bytes(u['client-certificate-data'], u['client-certificate'], userDir)
  const key = bytes(u['client-key-data'], u['client-key'], userDir)
  const provider = u['auth-provider']?.name
  if (provider && !u.token && !u.exec) {
    const who = `${where}: the user ${JSON.stringify(user?.entry.name)}`
    throw new Error(
      `${who} logs in by the auth-provider ${provider}, which is not known here. Name a program with exec`,
    )
  }
  const address = server.replace(/\/+$/, '')
  return {
    server: address,
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(u.token ? { token: u.token } : {}),
    ...(u.tokenFile ? { tokenFile: resolve(userDir, u.tokenFile) } : {}),
    ...(c['insecure-skip-tls-verify'] ? { insecureSkipTlsVerify: true } : {}),
    ...(c['tls-server-name'] ? { tlsServerName: c['tls-server-name'] } : {}),
    ...(c['proxy-url'] ? { proxyUrl: c['proxy-url'] } : {}),
    ...(u.exec && !u.token
      ? { exec: { config: u.exec, dir: userDir, cluster: clusterInfo(address, { ...c }, ca) } }
      : {}),
    ...(context.namespace ? { namespace: context.namespace } : {}),
  }
}
