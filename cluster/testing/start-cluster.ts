import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { parseConfig } from '../../apiserver/config.ts'
import { startApiServer } from '../../apiserver/start.ts'
import { openStore } from '../../apiserver/storage/open.ts'
import { Client } from '../../client/client.ts'
import { systemClock } from '../../client/clock.ts'
import { loadConfig } from '../../client/config.ts'
import type { Clock } from '../../client/types.ts'
import { startControllers, startScheduler } from './components.ts'
import { HollowNodes } from './hollow-nodes.ts'
import { copyKeptPki } from './kept-pki.ts'

export interface ClusterOptions {
  /** Run the controllers: all, or those of these names. Default: none, as a test of an operator wants it. */
  controllers?: boolean | readonly string[]
  /** So many nodes that run nothing and say of each pod that it does; with them, and only then, a scheduler. Default none. */
  nodes?: number
  /** Whose time the API server and the controllers live in. Default: the system's. */
  clock?: Clock
  /** Further flags of the API server. */
  flags?: readonly string[]
}

export interface TestCluster {
  url: string
  /** Path of an administrator's kubeconfig. */
  kubeconfig: string
  /** An administrator's client. */
  client: Client
  /** Ends it and removes all that it was. */
  stop(): Promise<void>
}

const silent = pino({ level: 'silent' })

/** Starts a control plane inside this process, on a free port of the loopback, with its store in a temporary directory. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const { clock = systemClock, nodes = 0 } = options
  const directory = mkdtempSync(join(tmpdir(), 'gantry-testing-'))
  const removed = () => rmSync(directory, { recursive: true, force: true })
  const stopping = new AbortController()
  const parts: Promise<unknown>[] = []
  try {
    const dataDir = join(directory, 'data')
    await copyKeptPki(join(dataDir, 'pki'))
    const controllers = options.controllers === true ? ['*'] : options.controllers || []
    const config = parseConfig([
      `--data-dir=${dataDir}`,
      '--bind-address=127.0.0.1',
      '--secure-port=0',
      '--shutdown-grace-period=0',
      // Nobody makes the accounts that it asks for, unless the controller does.
      ...(controllers.length > 0 ? [] : ['--disable-admission-plugins=ServiceAccount']),
      ...(options.flags ?? []),
    ])
    const server = await startApiServer(config, silent, openStore, () => clock.now())
    const clientConfig = loadConfig({ kubeconfig: server.kubeconfig })
    const client = new Client(clientConfig)
    const context = { config: clientConfig, clock, log: silent, signal: stopping.signal }
    const pki = (file: string) => join(dataDir, 'pki', file)
    const flags = [
      `--cluster-signing-cert-file=${pki('ca.crt')}`,
      `--cluster-signing-key-file=${pki('ca.key')}`,
      `--service-account-private-key-file=${pki('sa.key')}`,
    ]
    const started = await Promise.all([
      ...(controllers.length > 0 ? [startControllers(context, controllers, flags)] : []),
      ...(nodes > 0 ? [startScheduler(context)] : []),
    ])
    parts.push(...started.map(({ ended }) => ended))
    if (nodes > 0) await new HollowNodes(client, { count: nodes }).start(stopping.signal)
    return {
      url: server.url,
      kubeconfig: server.kubeconfig,
      client,
      async stop() {
        stopping.abort(new Error('the cluster is stopped'))
        await Promise.all(parts)
        client.close()
        await server.stop()
        removed()
      },
    }
  } catch (error) {
    stopping.abort(error)
    removed()
    throw error
  }
}
