import type { IncomingMessage, RequestOptions } from 'node:http'
import type { Node, Pod } from '../../api/generated/types.ts'
import {
  badRequestError,
  internalServerError,
  methodNotSupportedError,
  StatusError,
} from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { Scope } from '../handlers/context.ts'
import { wantsSocket } from '../handlers/upgrade.ts'
import { agentAddress, agentConnections, type NodeAgentClient } from '../node-agents/connection.ts'
import { serviceBackend } from '../services/backend.ts'
import { admitConnect } from './connect.ts'
import { relay } from './relay.ts'

/** Subresources that a pod's node answers: logs and the streams. Plain HTTP proxies to pods, services and nodes too. */
export function nodeAgentHandlers(client: NodeAgentClient): Record<string, (scope: Scope) => Promise<void>> {
  const agent = agentConnections(client)
  const toAgent = async (scope: Scope, pod: Stored<Pod>, path: string) => {
    const { host, port } = await addressOf(scope, client, pod.spec?.nodeName ?? '')
    return { agent, protocol: 'https:', host, port, path } as const
  }
  const stream = (verb: 'exec' | 'attach') => async (scope: Scope) => {
    const pod = await podOf(scope)
    requireMethods(scope, ['GET', 'POST'])
    const container = containerOf(pod, scope.info.query.get('container') ?? '')
    await admitConnect(scope, verb === 'exec' ? 'PodExecOptions' : 'PodAttachOptions')
    const { namespace, name } = scope.info
    const query = streamQuery(scope.info.query, verb)
    await relay(scope, await toAgent(scope, pod, `/${verb}/${namespace}/${name}/${container}${query}`))
  }
  return {
    '/pods/log': async (scope) => {
      const pod = await podOf(scope, false)
      requireMethods(scope, ['GET'])
      const container = containerOf(pod, scope.info.query.get('container') ?? '')
      if (!pod.spec?.nodeName) {
        // Not yet on a node: there is nothing to read, and that is no error.
        scope.res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': 0 })
        scope.res.end()
        return
      }
      const { namespace, name, query } = scope.info
      const options = new URLSearchParams(query)
      for (const local of ['container', 'pretty', 'insecureSkipTLSVerifyBackend']) options.delete(local)
      const path = `/containerLogs/${namespace}/${name}/${container}${options.size > 0 ? `?${options}` : ''}`
      const over = wantsSocket(scope.req, scope.upgradeHead) ? { pass: passOverSocket } : {}
      await relay(scope, await toAgent(scope, pod, path), { refusal: logRefusal, ...over })
    },
    '/pods/exec': stream('exec'),
    '/pods/attach': stream('attach'),
    '/pods/portforward': async (scope) => {
      const pod = await podOf(scope)
      requireMethods(scope, ['GET', 'POST'])
      await admitConnect(scope, 'PodPortForwardOptions')
      const ports = scope.info.query.getAll('ports')
      const query =
        ports.length > 0 ? `?${new URLSearchParams(ports.map((port): [string, string] => ['port', port]))}` : ''
      const { namespace, name } = scope.info
      await relay(scope, await toAgent(scope, pod, `/portForward/${namespace}/${name}${query}`))
    },
    '/pods/proxy': async (scope) => {
      const { scheme, name, port } = splitTarget(scope.info.name)
      const pod = await podOf(scope, true, name)
      const ip = pod.status?.podIP
      if (!ip) throw badRequestError(`pod ${name} does not have an address to proxy to yet`)
      await admitConnect(scope, 'PodProxyOptions')
      const number = port === '' ? firstPort(pod) : portOf(pod, port)
      await proxy(scope, { protocol: `${scheme}:`, host: ip, port: number })
    },
    '/services/proxy': async (scope) => {
      await admitConnect(scope, 'ServiceProxyOptions')
      const target = splitTarget(scope.info.name)
      const { server, info } = scope
      const lookup = (group: string, plural: string) => server.registry(group, plural).resource
      const backend = await serviceBackend(server.client, lookup, { ...target, namespace: info.namespace })
      await proxy(scope, { protocol: `${target.scheme}:`, ...backend })
    },
    '/nodes/proxy': async (scope) => {
      await admitConnect(scope, 'NodeProxyOptions')
      const { scheme, name, port } = splitTarget(scope.info.name)
      const address = await addressOf(scope, client, name)
      const own = port !== '' && Number(port) !== address.port
      await proxy(scope, {
        protocol: own ? `${scheme}:` : 'https:',
        ...address,
        ...(own ? { port: Number(port) } : { agent }),
      })
    },
  }
}

async function podOf(scope: Scope, mustBeBound = true, name = scope.info.name): Promise<Stored<Pod>> {
  const pods = scope.server.registry('', 'pods')
  const pod = (await pods.get(scope.info.namespace, name)).object as unknown as Stored<Pod>
  if (mustBeBound && !pod.spec?.nodeName) throw badRequestError(`pod ${name} does not have a host assigned`)
  return pod
}

function requireMethods({ req, endpoint, info }: Scope, methods: readonly string[]): void {
  if (!methods.includes(req.method ?? '')) throw methodNotSupportedError(endpoint.registry.of, info.verb)
}

/** The container named, or the only one. Throws 400 in upstream's words. */
function containerOf(pod: Stored<Pod>, named: string): string {
  const name = pod.metadata.name
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  if (named !== '') {
    const known = [...containers, ...initContainers, ...ephemeralContainers].some(
      (container) => container.name === named,
    )
    if (!known) throw badRequestError(`container ${named} is not valid for pod ${name}`)
    return named
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  if (preferred && containers.some((container) => container.name === preferred)) return preferred
  const [only] = containers
  if (containers.length === 1 && only) return only.name
  const names = containers.map((container) => container.name).join(' ')
  const more =
    initContainers.length > 0
      ? ` or one of the init containers: [${initContainers.map(({ name }) => name).join(' ')}]`
      : ''
  throw badRequestError(`a container name must be specified for pod ${name}, choose one of: [${names}]${more}`)
}

/** Loaded when it is asked for, as few ask. */
const passOverSocket = async (scope: Scope, answer: IncomingMessage): Promise<void> =>
  (await import('./log-socket.ts')).sendOverSocket(scope, answer)

/** Upstream's kubelet calls the streams input, output and error. */
function streamQuery(query: URLSearchParams, verb: 'exec' | 'attach'): string {
  const own = new URLSearchParams()
  const on = (name: string) => ['true', '1'].includes(query.get(name) ?? '')
  if (on('stdin')) own.set('input', '1')
  if (on('stdout')) own.set('output', '1')
  if (on('stderr')) own.set('error', '1')
  if (on('tty')) own.set('tty', '1')
  if (own.size === 0) throw badRequestError('you must specify at least one of stdin, stdout, stderr')
  const command = query.getAll('command')
  if (verb === 'exec') {
    if (command.length === 0) throw badRequestError('you must specify at least one command for the container')
    for (const part of command) own.append('command', part)
  }
  return `?${own}`
}

async function addressOf(
  scope: Scope,
  client: NodeAgentClient,
  nodeName: string,
): Promise<{ host: string; port: number }> {
  const nodes = scope.server.registry('', 'nodes')
  return agentAddress((await nodes.get('', nodeName)).object as unknown as Stored<Node>, client)
}

/** `https:web:8443` is scheme, name and port; the first and last may be left out. */
function splitTarget(target: string): { scheme: 'http' | 'https'; name: string; port: string } {
  const parts = target.split(':')
  const [a = '', b = '', c = ''] = parts
  if (parts.length === 1) return { scheme: 'http', name: a, port: '' }
  if (parts.length === 2) return { scheme: 'http', name: a, port: b }
  if (parts.length === 3 && (a === 'http' || a === 'https' || a === ''))
    return { scheme: a === 'https' ? a : 'http', name: b, port: c }
  throw badRequestError(`invalid proxy target ${JSON.stringify(target)}`)
}

function firstPort(pod: Stored<Pod>): number {
  for (const container of pod.spec?.containers ?? []) {
    for (const port of container.ports ?? []) return port.containerPort
  }
  return 80
}

function portOf(pod: Stored<Pod>, port: string): number {
  const number = Number(port)
  if (Number.isInteger(number) && number > 0 && number < 65_536) return number
  for (const container of pod.spec?.containers ?? []) {
    for (const candidate of container.ports ?? []) if (candidate.name === port) return candidate.containerPort
  }
  throw badRequestError(`no port ${JSON.stringify(port)} on pod ${pod.metadata.name}`)
}

/** Plain HTTP to what has an address of its own. Pages and redirections name paths as the client has to ask for them. */
async function proxy(scope: Scope, target: RequestOptions & { host: string; port: number }): Promise<void> {
  const { req, res, info } = scope
  const [prefix, rest] = cutAtProxy(req.url ?? '/', info.namespace !== '')
  if (!rest.startsWith('/') && (req.method === 'GET' || req.method === 'HEAD') && !scope.upgradeHead) {
    // Without the slash, relative links of the page would lead astray.
    res.writeHead(301, { Location: `${prefix}/${rest}`, 'Content-Length': 0 })
    res.end()
    return
  }
  const path = rest.startsWith('/') ? rest : `/${rest}`
  await relay(scope, { ...target, path }, { at: { host: `${target.host}:${target.port}`, prefix } })
}

/**
 * Cuts a raw address behind the segment `proxy`, as what is proxied to must see its own escapes. It is found by its place:
 * namespaces and names may begin with `proxy` too.
 */
function cutAtProxy(url: string, namespaced: boolean): [prefix: string, rest: string] {
  const prefix = (namespaced ? /^(?:\/+[^/?]+){7}/ : /^(?:\/+[^/?]+){5}/).exec(url)?.[0] ?? url
  return [prefix, url.slice(prefix.length)]
}

/** An agent refuses a log in plain words, which become a status as upstream's server makes it. */
export function logRefusal(code: number, text: string): StatusError {
  switch (code) {
    case 400:
      return badRequestError(text)
    case 500:
      return internalServerError(text)
    case 404:
      return new StatusError(404, 'NotFound', `the server could not find the requested resource: ${text}`)
    default:
      return new StatusError(code, 'Unknown', text)
  }
}
