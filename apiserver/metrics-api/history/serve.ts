import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WebSocket } from 'ws'
import { StatusError } from '../../../api/machinery/errors.ts'
import { forbiddenRequest } from '../../auth/forbidden.ts'
import type { AuthorizationAttributes, Authorizer, UserInfo } from '../../auth/types.ts'
import type { PathHandler } from '../../handlers/pipeline.ts'
import { sendObject } from '../../handlers/respond.ts'
import { wantsSocket } from '../../handlers/upgrade.ts'
import type { UsageHistory } from './history.ts'
import type { Series } from './ring.ts'

const json = { format: 'json', as: 'object', asVersion: 'v1', pretty: false } as const
/** A client with more than this unsent is let go: it comes back, and begins anew. */
const unsentBytes = 8 << 20

type Part = 'nodes' | 'pods' | 'requests'
/** Why somebody may not see a part; missing: they may. */
type Denied = Partial<Record<Part, string>>

/**
 * Serves what is remembered under /ui/metrics, each part to those who may see it as it is now: nodes and pods by the rights
 * on metrics.k8s.io, requests by the right on /metrics. A plain request gets the history; over a WebSocket, samples follow as
 * they are taken. With `pod`, it gets the history of that pod; with `owner`, of all pods of that workload together; with `at`,
 * what pods used at that moment.
 */
export function historyPath(history: UsageHistory, authorizer: Authorizer): PathHandler {
  return async (req, res, { path, query, method }, user, upgradeHead) => {
    if (path !== '/ui/metrics' || method !== 'GET') return false
    const namespace = query.get('namespace') ?? ''
    const pod = query.get('pod')
    const owner = query.get('owner')
    const at = query.get('at')
    if (pod !== null || owner !== null || at !== null) {
      const { pods: refusal } = await deniedTo(user, namespace, authorizer)
      if (refusal !== undefined) throw new StatusError(403, 'Forbidden', refusal)
      if (at !== null) {
        sendObject(res, 200, { pods: inNamespace(history.pods.at(Number(at)), namespace) }, json)
        return true
      }
      const names = pod === null ? podsOf(owner ?? '', namespace, history.pods.names()) : [`${namespace}/${pod}`]
      const [cpu = [], memory = []] = together(names.flatMap((name) => [history.pods.read(name) ?? []]))
      sendObject(res, 200, { times: history.pods.times, cpu, memory }, json)
      return true
    }
    if (wantsSocket(req, upgradeHead)) await stream(history, authorizer, { req, res, upgradeHead, user, namespace })
    else sendObject(res, 200, whole(history, namespace, await deniedTo(user, namespace, authorizer)), json)
    return true
  }
}

/** The ends of the names that controllers give their pods. */
const podNames: Record<string, string> = {
  Deployment: '-[a-z0-9]+-[a-z0-9]{5}',
  StatefulSet: '-[0-9]+',
  Job: '(-[0-9]+)?-[a-z0-9]{5}',
}

/** The pods of a workload, `KIND/NAME`, by their names: also those that have gone. */
function podsOf(owner: string, namespace: string, names: Iterable<string>): string[] {
  const [kind = '', name = ''] = owner.split('/')
  const whole = new RegExp(`^${podNames[kind] ?? '-[a-z0-9]{5}'}$`)
  const start = `${namespace}/${name}`
  return [...names].filter((each) => each.startsWith(start) && whole.test(each.slice(start.length)))
}

/** The sum of several, sample by sample; null where none is known. */
function together(all: readonly Series[][]): Series[] {
  const [first = []] = all
  return first.map((series, of) =>
    series.map((_, i) =>
      all.reduce<number | null>((sum, each) => {
        const value = each[of]?.[i] ?? null
        return value === null ? sum : (sum ?? 0) + value
      }, null),
    ),
  )
}

interface Listening {
  req: IncomingMessage
  res: ServerResponse
  upgradeHead: Buffer
  user: UserInfo
  namespace: string
}

async function stream(
  history: UsageHistory,
  authorizer: Authorizer,
  { req, res, upgradeHead, user, namespace }: Listening,
): Promise<void> {
  const denied = await deniedTo(user, namespace, authorizer)
  const { acceptSocket } = await import('../../handlers/watch-socket.ts')
  const client = await acceptSocket(req, res, upgradeHead)
  client.send(JSON.stringify(whole(history, namespace, denied)))
  const unsubscribe = history.onSample(() => {
    // Rights may have changed since the last one.
    deniedTo(user, namespace, authorizer).then(
      (now) => sendSample(client, newest(history, namespace, now)),
      () => client.terminate(),
    )
  })
  client.on('error', () => client.terminate())
  await new Promise<void>((resolve) => client.once('close', () => resolve()))
  unsubscribe()
}

function sendSample(client: WebSocket, sample: object): void {
  if (client.bufferedAmount > unsentBytes) client.terminate()
  else client.send(JSON.stringify(sample))
}

async function deniedTo(user: UserInfo, namespace: string, authorizer: Authorizer): Promise<Denied> {
  const ask = async (part: Part, attributes: Partial<AuthorizationAttributes>): Promise<Denied> => {
    const whole = { ...nothing, user, ...attributes }
    const { allowed, reason } = await authorizer.authorize(whole)
    return allowed ? {} : { [part]: forbiddenRequest(whole, reason).message }
  }
  const metrics = { verb: 'list', group: 'metrics.k8s.io' }
  const answers = await Promise.all([
    ask('nodes', { ...metrics, resource: 'nodes' }),
    ask('pods', { ...metrics, resource: 'pods', namespace }),
    ask('requests', { verb: 'get', path: '/metrics' }),
  ])
  return Object.assign({}, ...answers) as Denied
}

const nothing = { verb: '', group: '', resource: '', subresource: '', name: '', namespace: '', path: '' }

/** Everything that is remembered, of pods only what they use now. */
function whole({ nodes, pods, requests }: UsageHistory, namespace: string, denied: Denied): object {
  const [reads = [], writes = [], errors = [], p50 = [], p99 = []] = requests.read('server') ?? []
  return {
    type: 'HISTORY',
    times: nodes.times,
    ...(denied.nodes === undefined ? { nodes: Object.fromEntries(seriesOf(nodes)) } : {}),
    ...(denied.pods === undefined ? { pods: inNamespace(pods.latest(), namespace) } : {}),
    ...(denied.requests === undefined ? { requests: { reads, writes, errors, p50, p99 } } : {}),
    denied,
  }
}

function* seriesOf(ring: UsageHistory['nodes']): Iterable<[string, { cpu: Series; memory: Series }]> {
  for (const name of ring.names()) {
    const [cpu = [], memory = []] = ring.read(name) ?? []
    yield [name, { cpu, memory }]
  }
}

/** The last sample. */
function newest({ nodes, pods, requests }: UsageHistory, namespace: string, denied: Denied): object {
  const [[, numbers = []] = []] = requests.latest()
  const [reads, writes, errors, p50, p99] = numbers
  return {
    type: 'SAMPLE',
    time: nodes.times.at(-1),
    ...(denied.nodes === undefined ? { nodes: Object.fromEntries(nodes.latest()) } : {}),
    ...(denied.pods === undefined ? { pods: inNamespace(pods.latest(), namespace) } : {}),
    // What is no number, as there was no request, becomes null.
    ...(denied.requests === undefined ? { requests: { reads, writes, errors, p50, p99 } } : {}),
  }
}

function inNamespace(all: Iterable<[string, number[]]>, namespace: string): Record<string, number[]> {
  const own: Record<string, number[]> = {}
  for (const [name, numbers] of all) if (namespace === '' || name.startsWith(`${namespace}/`)) own[name] = numbers
  return own
}
