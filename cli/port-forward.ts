import type { Command } from 'commander'
import type { Pod, Service } from '../api/generated/types.ts'
import type { Live } from '../client/types.ts'
import { CliError } from './errors.ts'
import { collectList, parseDuration } from './flags.ts'
import { getObject, namespaceFor } from './objects.ts'
import { podsNamed } from './pods-of.ts'
import { listenOn } from './port-forward/listen.ts'
import { type PortPair, parsePorts, targetPortOf } from './port-forward/ports.ts'
import { Tunnel } from './port-forward/tunnel.ts'
import type { Session } from './session.ts'
import { parseTargets } from './targets.ts'
import type { Verb } from './verb.ts'

interface PortForwardFlags {
  address?: string[]
  podRunningTimeout: string
}

export const portForward: Verb<PortForwardFlags> = {
  usage: '(POD | TYPE/NAME) [LOCAL_PORT:]PORT...',
  examples: [
    'gantry port-forward web-1 8080:80',
    'gantry port-forward deployment/web :http 5432',
    'gantry port-forward service/web 8080:80 --address=0.0.0.0',
  ],
  define: (command: Command) =>
    void command
      .option('--address <addresses>', 'where to listen: addresses, or localhost', collectList)
      .option('--pod-running-timeout <duration>', 'how long to wait for the first pod of a workload', '1m'),
  async run(session, [word, ...texts], flags) {
    if (!word) throw new CliError('TYPE/NAME and list of ports are required for port-forward')
    if (texts.length === 0) throw new CliError('at least 1 PORT is required for port-forward: [LOCAL_PORT:]PORT')
    const waitMs = parseDuration(flags.podRunningTimeout)
    if (!waitMs) throw new CliError('--pod-running-timeout must be higher than zero: write 30s, 2m or 1h')
    const find = async () => {
      const [pod] = await podsNamed(session, [word], waitMs)
      if (!pod) throw new CliError('name a pod, or a workload as deployment/NAME')
      return pod
    }
    const pod = await find()
    if (pod.status?.phase !== 'Running')
      throw new CliError(
        `unable to forward port because pod is not running. Current status=${pod.status?.phase}: \`gantry describe pod ${pod.metadata.name} -n ${pod.metadata.namespace}\` tells why`,
      )
    const ports = await portsOf(session, word, pod, parsePorts(texts))
    const tunnel = new Tunnel(session, pod, find)
    await tunnel.connect()
    const listeners = await listenOn(session.io, flags.address ?? ['localhost'], ports, tunnel)
    await new Promise<void>((resolve) => session.io.signal.addEventListener('abort', () => resolve(), { once: true }))
    for (const listener of listeners) listener.close()
    tunnel.close()
    return 0
  },
}

/** Names of ports as numbers; a service's ports as those of its pods. */
async function portsOf(session: Session, word: string, pod: Live<Pod>, pairs: PortPair[]) {
  const targets = word.includes('/') ? parseTargets([word], await session.kinds()) : undefined
  const target = targets?.type === 'named' ? targets.objects[0] : undefined
  const service =
    target?.kind.kind === 'Service'
      ? ((await getObject(session, target.kind, target.name, namespaceFor(session, target.kind))) as Live<Service>)
      : undefined
  return pairs.map((pair) => targetPortOf(pair, pod, service))
}
