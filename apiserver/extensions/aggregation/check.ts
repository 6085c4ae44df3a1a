import type { APIService } from '../../../api/generated/types.ts'
import type { StatusError } from '../../../api/machinery/errors.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { UserInfo } from '../../auth/types.ts'
import type { NamedResource } from '../../handlers/served-group.ts'
import type { ServerClient } from '../../registry/reader.ts'
import { serviceBackend } from '../../services/backend.ts'
import { askRemote, type FrontProxyClient, type Remote } from './remote.ts'

/** How a served group stands: what serves it, or why nobody does. */
export interface Standing {
  available: boolean
  /** Upstream's. */
  reason: string
  message: string
  remote?: Remote
  /** What it serves, as it says itself. */
  resources: readonly NamedResource[]
  /** Where its OpenAPI document is, as it says itself; absent where it has none. */
  document?: string
}

const discoveryTimeoutMs = 5000
const self: UserInfo = { name: 'system:kube-aggregator', groups: ['system:masters'] }

/** Looks for the server behind an APIService and asks it what it serves. */
export async function check(
  { spec }: Stored<APIService>,
  client: ServerClient,
  lookup: (group: string, plural: string) => Resource,
  own: FrontProxyClient,
): Promise<Standing> {
  const { group = '', version = '', service = {}, caBundle, insecureSkipTLSVerify = false } = spec ?? {}
  const { namespace = '', name = '', port = 443 } = service
  const no = (reason: string, message: string): Standing => ({ available: false, reason, message, resources: [] })
  let remote: Remote
  try {
    const backend = await serviceBackend(client, lookup, { namespace, name, port: String(port) })
    remote = {
      ...backend,
      servername: `${name}.${namespace}.svc`,
      trustsAll: insecureSkipTLSVerify,
      ...(caBundle ? { ca: Buffer.from(caBundle, 'base64').toString() } : {}),
    }
  } catch (error) {
    const { code, message } = error as StatusError
    if (code === 404) return no('ServiceNotFound', `service/${name} in ${JSON.stringify(namespace)} is not present`)
    if (!message.startsWith('no endpoints')) return no('ServicePortError', message)
    return no('MissingEndpoints', `endpoints for service/${name} in ${JSON.stringify(namespace)} have no addresses`)
  }
  const path = `/apis/${group}/${version}`
  try {
    const resources = resourcesIn(await askRemote(remote, own, path, self, discoveryTimeoutMs))
    const document = await documentOf(remote, own, path)
    const found = document === undefined ? { resources } : { resources, document }
    return { available: true, reason: 'Passed', message: 'all checks passed', remote, ...found }
  } catch (error) {
    const url = `https://${remote.host}:${remote.port}${path}`
    return no(
      'FailedDiscoveryCheck',
      `failing or missing response from ${url}: Get ${JSON.stringify(url)}: ${(error as Error).message}`,
    )
  }
}

/** A server need not have documents: without one it is served all the same. */
async function documentOf(remote: Remote, own: FrontProxyClient, path: string): Promise<string | undefined> {
  try {
    const index = (await askRemote(remote, own, '/openapi/v3', self, discoveryTimeoutMs)) as {
      paths?: Record<string, { serverRelativeURL?: unknown } | undefined>
    } | null
    const where = index?.paths?.[path.slice(1)]?.serverRelativeURL
    return typeof where === 'string' ? where : undefined
  } catch {
    return undefined
  }
}

/** What is in a list of resources: discovery goes on for all others, whatever one server says. */
function resourcesIn(list: unknown): NamedResource[] {
  const { resources } = (list ?? {}) as { resources?: unknown }
  if (!Array.isArray(resources)) return []
  return resources.filter(
    (each) =>
      typeof each?.name === 'string' &&
      typeof each.kind === 'string' &&
      typeof each.namespaced === 'boolean' &&
      Array.isArray(each.verbs),
  )
}
