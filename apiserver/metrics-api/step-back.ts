import type { APIService } from '../../api/generated/types.ts'
import { unavailableError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import type { ServerContext } from '../handlers/context.ts'

/**
 * Whoever registers a service for a group of metrics wants its numbers, not ours. Throws a StatusError where one is
 * registered: the server cannot pass requests on to it yet, and to answer in its stead would be wrong.
 */
export function requireOurs({ client, registry }: ServerContext, group: string, version: string): void {
  const name = `${version}.${group}`
  const kind = registry('apiregistration.k8s.io', 'apiservices').resource
  const service = client.cached<Stored<APIService>>(kind, '', name)?.spec?.service
  if (!service) return
  throw unavailableError(
    `the APIService ${name} hands these metrics to the service ${service.namespace}/${service.name}, which this server cannot pass requests to; delete it to have those of this server`,
  )
}
