import type { Service } from '../../api/generated/types.ts'
import { notFoundError, StatusError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { ServerClient } from '../registry/reader.ts'

interface Slice {
  metadata: { labels?: Record<string, string> }
  endpoints?: { addresses: string[]; conditions?: { ready?: boolean } }[]
  ports?: { name?: string; port?: number }[]
}

/**
 * Any ready endpoint of a service, found through its slices. The port is a name or a number of the service; '' is its
 * first. Throws 404 and 503.
 */
export async function serviceBackend(
  client: ServerClient,
  lookup: (group: string, plural: string) => Resource,
  { namespace, name, port }: { namespace: string; name: string; port: string },
): Promise<{ host: string; port: number }> {
  const service = await client.get<Stored<Service>>(lookup('', 'services'), namespace, name)
  if (!service) throw notFoundError({ group: '', resource: 'services' }, name)
  const ports = service.spec?.ports ?? []
  const wanted =
    port === '' ? ports[0] : ports.find((candidate) => candidate.name === port || candidate.port === Number(port))
  if (!wanted) {
    throw unavailable(`no service port ${JSON.stringify(port)} found for service ${JSON.stringify(name)}`)
  }
  const backends = client
    .cachedList<Slice>(lookup('discovery.k8s.io', 'endpointslices'), namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name)
    .flatMap(({ endpoints = [], ports: slicePorts = [] }) => {
      const target = slicePorts.find((candidate) => (candidate.name ?? '') === (wanted.name ?? ''))?.port
      if (target === undefined) return []
      return endpoints
        .filter(({ conditions }) => conditions?.ready !== false)
        .map(({ addresses }) => ({ host: addresses[0] as string, port: target }))
    })
  const chosen = backends[Math.floor(Math.random() * backends.length)]
  if (!chosen) throw unavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  return chosen
}

const unavailable = (message: string): StatusError => new StatusError(503, 'ServiceUnavailable', message)
