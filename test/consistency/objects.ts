import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { type Answer, type ApiClient, type Body, versionOf } from './client.ts'
import { type LocalServer, type LocalServerOptions, startLocal } from './servers.ts'

export const configMaps = '/api/v1/namespaces/default/configmaps'

export const configMap = (name: string, data: Record<string, string>, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels },
  data,
})

/** Creates it, and gives its version. */
export async function create(client: ApiClient, name: string, value: string, labels = {}): Promise<number> {
  return versionOf(await client.expect(201, 'POST', configMaps, { body: configMap(name, { value }, labels) }))
}

/** Writes whatever stands, without a condition; gives the version. */
export async function put(client: ApiClient, name: string, value: string, labels = {}): Promise<number> {
  return versionOf(
    await client.expect(200, 'PUT', `${configMaps}/${name}`, { body: configMap(name, { value }, labels) }),
  )
}

export const get = (client: ApiClient, name: string): Promise<Body> =>
  client.expect(200, 'GET', `${configMaps}/${name}`)

export const remove = (client: ApiClient, name: string): Promise<Answer> =>
  client.request('DELETE', `${configMaps}/${name}`)

/** Names and values of a list, for comparing. */
export const contents = ({ items = [] }: Body): Record<string, string | undefined> =>
  Object.fromEntries(items.map(({ metadata, data }) => [metadata.name, data?.value]))

export const stores = ['embedded', 'etcd'] as const

/** Servers on one store; `another` gives a second on the same etcd, or the same one again where there can be but one. */
export interface Bench {
  start(options?: LocalServerOptions): Promise<LocalServer>
  stop(): Promise<void>
}

export async function bench(kind: (typeof stores)[number]): Promise<Bench> {
  let etcd: EtcdCluster | undefined
  if (kind === 'etcd') etcd = await startEtcd()
  const running: LocalServer[] = []
  return {
    async start(options = {}) {
      const server = await startLocal({
        ...options,
        ...(etcd ? { etcd: etcd.endpoints } : {}),
        // History goes when a test says so.
        tune: (store) => (store.kind === 'etcd' ? { ...store, compactionIntervalMs: 0 } : store),
      })
      running.push(server)
      return server
    },
    async stop() {
      await Promise.all(running.map((server) => server.stop()))
      await etcd?.stop()
    },
  }
}
