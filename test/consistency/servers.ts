import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { parseConfig } from '../../apiserver/config.ts'
import { startApiServer } from '../../apiserver/start.ts'
import { openStore, type StoreOptions } from '../../apiserver/storage/open.ts'
import type { Store } from '../../apiserver/storage/store.ts'
import { ApiClient } from './client.ts'
import { FaultyStore } from './faulty-store.ts'

export interface LocalServer {
  url: string
  client: ApiClient
  /** What the server works on; its watches can be held, delayed and cut. */
  store: FaultyStore
  /** What the server logged as an error: faults of its own. */
  errors: string[]
  /** Stops it. Its data go too, unless its directory was given. */
  stop(): Promise<void>
}

export interface LocalServerOptions {
  /** Endpoints of etcd. Without: the embedded store. */
  etcd?: readonly string[]
  /** Default: a temporary one. */
  directory?: string
  args?: readonly string[]
  /** More settings of the store. */
  tune?: (options: StoreOptions) => StoreOptions
}

/** Flags of a server that lets everybody do everything: what these tests are about is not who asks. */
export const openToAll = ['--authorization-mode=AlwaysAllow', '--bind-address=127.0.0.1', '--shutdown-grace-period=1']

/** An API server in this process, on a store whose faults the test chooses. */
export async function startLocal(options: LocalServerOptions = {}): Promise<LocalServer> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'gantry-consistency-'))
  const args = [...openToAll, `--data-dir=${directory}`, '--secure-port=0', ...(options.args ?? [])]
  if (options.etcd) args.push(`--etcd-servers=${options.etcd.join(',')}`)
  const errors: string[] = []
  const log = pino({ level: 'error' }, { write: (line: string) => void errors.push(line) })
  let store: FaultyStore | undefined
  const server = await startApiServer(parseConfig(args), log, async (wanted): Promise<Store> => {
    store = new FaultyStore(await openStore(options.tune?.(wanted) ?? wanted))
    return store
  })
  const client = new ApiClient(server.url)
  return {
    url: server.url,
    client,
    store: store as FaultyStore,
    errors,
    async stop() {
      store?.heal()
      client.close()
      await server.stop()
      if (options.directory === undefined) rmSync(directory, { recursive: true, force: true })
    },
  }
}
