import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Logger } from 'pino'
import { builtinResources } from '../api/registry.ts'
import { assembleParts } from './assemble.ts'
import { bootstrapObjects } from './auth/rbac/bootstrap.ts'
import { bootstrap } from './bootstrap.ts'
import { loadCompilers } from './compilers.ts'
import type { ApiServerConfig } from './config.ts'
import { ensurePki, localSans } from './pki/ensure.ts'
import { writeKubeconfig } from './pki/kubeconfig.ts'
import { ApiServer } from './server.ts'
import { addressAt, parseRange } from './services/ip-range.ts'
import { openStore, type StoreOptions } from './storage/open.ts'
import type { Store } from './storage/store.ts'
import { systemObjects } from './system-objects.ts'

export interface RunningApiServer {
  /** `https://127.0.0.1:6443`: where this machine reaches it. */
  url: string
  /** Path of the administrator's kubeconfig. */
  kubeconfig: string
  stop(): Promise<void>
}

/**
 * Starts an API server from its configuration: store, certificates, caches, bootstrap objects, listener. `open` is for
 * those who want the store to fail at times, `now` for those whose time is not the system's.
 */
export async function startApiServer(
  config: ApiServerConfig,
  log: Logger,
  open: (options: StoreOptions) => Promise<Store> = openStore,
  now: () => number = Date.now,
): Promise<RunningApiServer> {
  const onError = (error: unknown, what: string) => log.error({ err: error }, what)
  const ranges = config.serviceClusterIpRange.split(',').map((cidr) => parseRange(cidr.trim()))
  const apiServiceIp = addressAt(ranges[0] as (typeof ranges)[number], 1n)
  const loopbackOnly = config.bindAddress === '127.0.0.1' || config.bindAddress === '::1'
  // Who brings a certificate answers for its names: ours is not looked at.
  const sans = config.tlsCertFile
    ? []
    : [
        ...new Set([
          apiServiceIp,
          ...config.tlsSans,
          ...(config.advertiseAddress ? [config.advertiseAddress] : []),
          ...localSans(),
        ]),
      ]

  // None of these depends on another.
  const [pki, store] = await Promise.all([
    // Those who check certificates go by the system's time.
    ensurePki(join(config.dataDir, 'pki'), { sans, nowMs: Date.now() }),
    open(storeOptions(config, (error) => onError(error, 'the store'))),
    loadCompilers(),
  ])
  let server: ApiServer | undefined
  try {
    const clientCa = config.clientCaFile ? readFileSync(config.clientCaFile, 'utf8') : pki.ca.certPem
    const tls = config.tlsCertFile
      ? { cert: readFileSync(config.tlsCertFile), key: readFileSync(config.tlsKeyFile), clientCa }
      : { cert: pki.apiserver.certPem, key: pki.apiserver.keyPem, clientCa }
    const resources = builtinResources(config)
    const made = new ApiServer({
      store,
      resources,
      tls,
      assemble: (core) => assembleParts(core, config, pki, ranges, onError),
      now,
      inflight: { readOnly: config.maxRequestsInflight, mutating: config.maxMutatingRequestsInflight },
      minRequestTimeoutSeconds: config.minRequestTimeoutSeconds,
      requestTimeoutSeconds: config.requestTimeoutSeconds,
      ...(config.requestLog ? { log: (entry) => log.info(entry, 'request') } : {}),
      onError,
    })
    server = made
    await made.start()
    // Listening first: a port that is taken is found before anything is written.
    const { port } = await made.listen(config.securePort, config.bindAddress)
    const advertiseAddress =
      config.advertiseAddress || (loopbackOnly ? '127.0.0.1' : (localSans().find(isRoutable) ?? '127.0.0.1'))
    const { lookup } = made.core
    await bootstrap(made.core, [
      ...systemObjects({
        lookup,
        serviceClusterIpRange: config.serviceClusterIpRange,
        apiServiceIp,
        advertiseAddress,
        securePort: port,
        clientCa,
        frontProxyCa: pki.frontProxyCa.certPem,
        nowMs: now(),
      }),
      ...bootstrapObjects(lookup),
    ])
    made.markReady()
    const host =
      loopbackOnly || config.bindAddress === '0.0.0.0' || config.bindAddress === '::' ? '127.0.0.1' : config.bindAddress
    const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
    const kubeconfig = resolve(config.dataDir, 'kubeconfig')
    writeKubeconfig(kubeconfig, {
      server: url,
      caPem: pki.ca.certPem,
      name: 'admin',
      certPem: pki.admin.certPem,
      keyPem: pki.admin.keyPem,
    })
    return {
      url,
      kubeconfig,
      async stop() {
        await made.stop(config.shutdownGraceSeconds * 1000)
        await store.close()
      },
    }
  } catch (error) {
    // What follows the store would go on for ever, and with it the process.
    await server?.stop(0)
    await store.close()
    throw error
  }
}

/** The store that the configuration names. */
export function storeOptions(config: ApiServerConfig, onError: (error: unknown) => void): StoreOptions {
  const history = {
    historyKeepMs: Math.max(config.historySeconds * 1000, 300_000),
    historyMaxBytes: config.historyMaxMebibytes * 2 ** 20,
  }
  if (config.etcdServers.length === 0)
    return { kind: 'embedded', directory: join(config.dataDir, 'store'), ...history, onError }
  const { etcdCaFile, etcdCertFile, etcdKeyFile } = config
  const tls = etcdCaFile
    ? {
        tls: {
          ca: readFileSync(etcdCaFile),
          ...(etcdCertFile ? { cert: readFileSync(etcdCertFile), key: readFileSync(etcdKeyFile) } : {}),
        },
      }
    : {}
  return { kind: 'etcd', endpoints: config.etcdServers, prefix: config.etcdPrefix, ...history, ...tls, onError }
}

const isRoutable = (address: string): boolean => /^\d+\.\d+\.\d+\.\d+$/.test(address) && !address.startsWith('127.')
