import { resolve } from 'node:path'
import { pino } from 'pino'
import { announceReady } from '../client/ready.ts'
import { type ApiServerConfig, configHelp, parseConfig } from './config.ts'
import { startApiServer } from './start.ts'

/**
 * `gantry apiserver`: serves until it is told to stop. Prints one JSON line `{"msg":"serving","url":…}` when ready.
 * Resolves to the exit code.
 */
export async function runApiServer(args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(configHelp())
    return 0
  }
  const log = pino(
    { base: { component: 'apiserver' }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 1, sync: true }),
  )
  let config: ApiServerConfig
  try {
    config = parseConfig(args)
  } catch (error) {
    process.stderr.write(`gantry apiserver: ${(error as Error).message}\n`)
    return 2
  }
  try {
    const server = await startApiServer(config, log)
    log.info(
      {
        url: server.url,
        kubeconfig: resolve(server.kubeconfig),
        store: config.etcdServers.length > 0 ? 'etcd' : 'embedded',
      },
      'serving',
    )
    announceReady({ url: server.url })
    const signal = await stopSignal()
    log.info({ signal }, 'stopping')
    await server.stop()
    log.info('stopped')
    return 0
  } catch (error) {
    log.fatal({ err: error }, (error as Error).message)
    return 1
  }
}

/** Resolves at the first request to stop; a second one ends the process at once. */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((done) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.once(name, () => {
        process.once(name, () => process.exit(1))
        done(name)
      })
    }
  })
}
