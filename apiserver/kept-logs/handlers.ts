import type { Agent } from 'node:https'
import type { KeptPod } from '../../api/gantry/kept-logs.ts'
import type { Namespace, Node } from '../../api/generated/types.ts'
import { badRequestError, notFoundError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { forbiddenRequest } from '../auth/forbidden.ts'
import type { AuthorizationAttributes } from '../auth/types.ts'
import type { Scope, SubresourceHandler } from '../handlers/context.ts'
import { sendObject } from '../handlers/respond.ts'
import { agentAddress, agentConnections, askAgent, type NodeAgentClient } from '../node-agents/connection.ts'
import { logRefusal } from '../subresources/node-agent.ts'
import { relay } from '../subresources/relay.ts'
import { type FoundPod, isOwnedBy, parseOwner } from './owners.ts'

const agentTimeoutMs = 5000
const nodesAtOnce = 32
/** Of the request, not of the log. */
const ownParameters = ['container', 'uid', 'pretty']

/**
 * The logs of deleted pods. Nothing of them is stored here: the nodes that are ready are asked, and one that does not
 * answer is named in a warning.
 */
export function keptLogHandlers(client: NodeAgentClient): Record<string, SubresourceHandler> {
  const agent = agentConnections(client)
  return {
    'gantry.dev/keptlogs/': async (scope) => {
      await requireLogs(scope)
      if (scope.info.name === '') await sendList(scope, await askAll(scope, agent, client))
      else await sendLog(scope, agent, client, await chosenPod(scope, agent, client))
    },
  }
}

/** Who may read the logs of pods may read those of deleted ones. */
async function requireLogs({ server, user, info }: Scope): Promise<void> {
  const attributes: AuthorizationAttributes = {
    user,
    verb: 'get',
    group: '',
    resource: 'pods',
    subresource: 'log',
    namespace: info.namespace,
    name: info.name,
    path: '',
  }
  const decision = await server.authorizer.authorize(attributes)
  if (!decision.allowed) throw forbiddenRequest(attributes, decision.reason)
}

async function sendList({ info, res, media, server }: Scope, found: readonly FoundPod[]): Promise<void> {
  const owner = info.query.get('owner')
  const wanted = owner === null ? undefined : parseOwner(owner)
  const items = found.filter((pod) => !wanted || isOwnedBy(pod, wanted)).map(shown)
  const metadata = { resourceVersion: String(server.feed.revision) }
  sendObject(res, 200, { kind: 'KeptLogList', apiVersion: 'gantry.dev/v1', metadata, items }, media)
}

function shown({
  node,
  namespace,
  name,
  uid,
  labels,
  owners,
  containers,
  createdAt,
  deletedAt,
  until,
  bytes,
}: FoundPod) {
  return {
    metadata: { name, namespace, uid, labels, creationTimestamp: createdAt, deletionTimestamp: deletedAt },
    owners,
    node,
    containers,
    until,
    bytes,
  }
}

/** The pod of the request's name; of several, the one that went last, or that of the `uid` given. */
async function chosenPod(scope: Scope, agent: Agent, client: NodeAgentClient): Promise<FoundPod> {
  const { endpoint, info } = scope
  const uid = info.query.get('uid') ?? ''
  const found = (await askAll(scope, agent, client)).find(
    (pod) => pod.name === info.name && (uid === '' || pod.uid === uid),
  )
  if (!found) throw notFoundError(endpoint.registry.of, info.name)
  return found
}

async function sendLog(scope: Scope, agent: Agent, client: NodeAgentClient, pod: FoundPod): Promise<void> {
  const { namespace, query } = scope.info
  const container = query.get('container') || (pod.containers.length === 1 ? pod.containers[0] : undefined)
  if (container === undefined) {
    throw badRequestError(
      `a container name must be specified for pod ${pod.name}, choose one of: [${pod.containers.join(' ')}]`,
    )
  }
  const options = new URLSearchParams(query)
  for (const own of ownParameters) options.delete(own)
  const path = `/keptLogs/${namespace}/${pod.uid}/${encodeURIComponent(container)}${options.size > 0 ? `?${options}` : ''}`
  const node = (await scope.server.registry('', 'nodes').get('', pod.node)).object as unknown as Stored<Node>
  const target = { agent, protocol: 'https:', ...agentAddress(node, client), path }
  await relay(scope, target, { refusal: logRefusal })
}

/** What all nodes keep of the request's namespace, or of all, the pod that went last first. */
async function askAll({ server, info, warn }: Scope, agent: Agent, client: NodeAgentClient): Promise<FoundPod[]> {
  const bornMs = info.namespace === '' ? 0 : await birthOf(server, info.namespace)
  const waiting = server.client
    .cachedList<Stored<Node>>(server.registry('', 'nodes').resource, '')
    .filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'))
  const found: FoundPod[] = []
  const askNext = async (): Promise<void> => {
    for (let node = waiting.pop(); node; node = waiting.pop()) {
      const { name = '' } = node.metadata
      try {
        const path = info.namespace === '' ? '/keptLogs' : `/keptLogs/${info.namespace}`
        const { items } = JSON.parse(await askAgent(agent, agentAddress(node, client), path, agentTimeoutMs)) as {
          items: KeptPod[]
        }
        found.push(...items.map((pod) => ({ ...pod, node: name })))
      } catch (error) {
        warn(`node ${name} does not tell what it keeps: ${(error as Error).message}`)
      }
    }
  }
  await Promise.all(Array.from({ length: nodesAtOnce }, askNext))
  return found
    .filter((pod) => !(Date.parse(pod.createdAt) < bornMs))
    .sort((a, b) => (a.deletedAt > b.deletedAt ? -1 : 1))
}

/** When the namespace was made: what was in one of the same name before may have been somebody else's. Throws 404. */
async function birthOf(server: Scope['server'], name: string): Promise<number> {
  const namespace = (await server.registry('', 'namespaces').get('', name)).object as unknown as Stored<Namespace>
  return Date.parse(namespace.metadata.creationTimestamp ?? '')
}
