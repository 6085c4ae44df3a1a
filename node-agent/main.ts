import { Client } from '../client/client.ts'
import { systemClock } from '../client/clock.ts'
import { loadConfig } from '../client/config.ts'
import { InformerFactory } from '../client/informer.ts'
import { makeLogger } from '../client/logger.ts'
import { announceReady } from '../client/ready.ts'
import { startNodeAgent } from './agent.ts'
import { type NodeAgentConfig, nodeAgentHelp, parseNodeAgentConfig } from './config.ts'
import { LimitedApi } from './limited-api.ts'
import { agentParts } from './parts.ts'

const requestsAtOnce = 8

/** `gantry node-agent`: runs the pods of one node until it is told to stop. */
export async function runNodeAgent(args: readonly string[]): Promise<number> {
  let config: NodeAgentConfig | undefined
  try {
    config = parseNodeAgentConfig(args)
  } catch (error) {
    process.stderr.write(`gantry node-agent: ${(error as Error).message}\n`)
    return 2
  }
  if (!config) {
    process.stdout.write(nodeAgentHelp())
    return 0
  }
  const log = makeLogger('node-agent', config.verbosity >= 4 ? 'debug' : 'info')
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  const api = new Client(loadConfig(config.kubeconfig === '' ? {} : { kubeconfig: config.kubeconfig }))
  const limited = new LimitedApi(api, requestsAtOnce)
  const informers = new InformerFactory(limited)
  const starting = startNodeAgent({
    config,
    api: limited,
    informers,
    clock: systemClock,
    log,
    parts: agentParts({ config, api, informers, log }),
  })
  const first = await Promise.race([starting, stopped])
  if (typeof first === 'string') {
    log.info({ signal: first }, 'stopped before it had started')
    process.exit(0)
  }
  announceReady({ port: first.port })
  log.info({ signal: await stopped }, 'stopping; containers run on')
  await first.stop()
  api.close()
  return 0
}
