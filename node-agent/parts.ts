import { readFile } from 'node:fs/promises'
import type { SubjectAccessReview, TokenReview } from '../api/generated/types.ts'
import type { InformerFactory } from '../client/informer.ts'
import type { Logger } from '../client/logger.ts'
import { subjectAccessReviews, tokenReviews } from '../client/resources.ts'
import type { Api } from '../client/types.ts'
import type { AgentParts } from './agent.ts'
import type { NodeAgentConfig } from './config.ts'
import { startNetwork } from './network/index.ts'
import { openRuntime } from './runtime/index.ts'
import { nodeAuthorizer, type Review } from './server/authorize.ts'
import { type KubeletServerOptions, startKubeletServer, type User } from './server/server.ts'

export interface PartsOptions {
  config: NodeAgentConfig
  api: Api
  informers: InformerFactory
  log: Logger
}

/** The real runtime, network and server of a node, by its configuration. */
export function agentParts({ config, api, informers, log }: PartsOptions): AgentParts {
  const { rootDir, nodeName, cniConfDir, cniBinDir, runtimeEndpoint, sandboxImage, hollowStartMs } = config
  const startMs = Date.now()
  return {
    openRuntime: (signal) =>
      openRuntime({
        kind: config.runtime,
        dataDir: `${rootDir}/runtime`,
        nodeName,
        cniConfDir,
        cniBinDir,
        hollowStartMs,
        ...(runtimeEndpoint === '' ? {} : { endpoint: runtimeEndpoint }),
        ...(sandboxImage === '' ? {} : { sandboxImage }),
        signal,
        log,
      }),
    startNetwork: ({ nodeIp, events, signal }) =>
      startNetwork({
        api,
        informers,
        events,
        nodeName,
        nodeIp,
        runtimeKind: config.runtime,
        cniConfDir,
        cniBinDir,
        clusterCidr: config.clusterCidr,
        serviceCidr: config.serviceCidr,
        clusterDns: config.clusterDns[0] ?? '',
        clusterDomain: config.clusterDomain,
        proxy: config.proxy,
        dns: config.dns,
        dataDir: rootDir,
        resolvConf: config.resolvConf,
        log,
        signal,
      }),
    async startServer({ pods, runtime, volumes, keptLogs, csi }) {
      const tls = await readTls(config)
      if (!tls) {
        log.warn('logs and exec are not served: give --tls-cert-file, --tls-private-key-file and --client-ca-file')
        return { port: 0, stop: async () => undefined }
      }
      return listen({
        address: config.address,
        port: config.port,
        tls,
        authorize: nodeAuthorizer(nodeName, reviewBy(api)),
        authenticateToken: (token) => authenticate(api, token),
        pods,
        runtime,
        volumes,
        keptLogs,
        csi,
        log,
        stats: { nodeName, startMs, metrics: async () => `${await metrics()}${volumes.mountTimes.text()}` },
        config: shown(config),
      })
    },
  }
}

/** On the port asked for, or on any free one where that is taken. */
async function listen(options: KubeletServerOptions) {
  try {
    return await startKubeletServer(options)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    options.log.warn({ port: options.port }, 'the port is taken: answering on another one')
    return startKubeletServer({ ...options, port: 0 })
  }
}

async function readTls({ tlsCertFile, tlsKeyFile, clientCaFile }: NodeAgentConfig) {
  if (tlsCertFile === '' || tlsKeyFile === '' || clientCaFile === '') return undefined
  const [cert, key, clientCa] = await Promise.all([tlsCertFile, tlsKeyFile, clientCaFile].map((path) => readFile(path)))
  return { cert: cert as Buffer, key: key as Buffer, clientCa: clientCa as Buffer }
}

const reviewBy =
  (api: Api): Review =>
  async (spec) => {
    const { uid, ...rest } = spec
    const body = { spec: { ...rest, groups: [...spec.groups], ...(uid === undefined ? {} : { uid }) } }
    const answer = await api.create<SubjectAccessReview>(subjectAccessReviews, body)
    return answer.status?.allowed ?? false
  }

async function authenticate(api: Api, token: string): Promise<User | undefined> {
  const { status } = await api.create<TokenReview>(tokenReviews, { spec: { token } })
  if (!status?.authenticated) return undefined
  return { name: status.user?.username ?? '', groups: status.user?.groups ?? [] }
}

/** The agent's own metrics; the library is loaded when somebody asks. */
let registry: Promise<{ metrics(): Promise<string> }> | undefined
async function metrics(): Promise<string> {
  registry ??= import('prom-client').then(({ collectDefaultMetrics, register }) => {
    collectDefaultMetrics()
    return register
  })
  return (await registry).metrics()
}

/** What `/configz` shows, in upstream's words. */
const shown = (config: NodeAgentConfig): object => ({
  staticPodPath: config.staticPodPath,
  address: config.address,
  port: config.port,
  clusterDomain: config.clusterDomain,
  clusterDNS: config.clusterDns,
  maxPods: config.maxPods,
  podPidsLimit: config.podPidsLimit,
  resolvConf: config.resolvConf,
  cgroupRoot: config.cgroupRoot || '/',
})
