import { type AnyObject, apiVersionOf } from '../../api/machinery/object.ts'
import type { Scope } from '../handlers/context.ts'

/** Parameters of the query that are switches, lists and words, by upstream's kind of options. */
const options: Record<string, Record<string, 'switch' | 'list' | 'word'>> = {
  PodAttachOptions: { stdin: 'switch', stdout: 'switch', stderr: 'switch', tty: 'switch', container: 'word' },
  PodExecOptions: {
    stdin: 'switch',
    stdout: 'switch',
    stderr: 'switch',
    tty: 'switch',
    container: 'word',
    command: 'list',
  },
  PodPortForwardOptions: { ports: 'list' },
  PodProxyOptions: { path: 'word' },
  ServiceProxyOptions: { path: 'word' },
  NodeProxyOptions: { path: 'word' },
}

/** Asks admission before a connection is made through the server. Throws the StatusError of who refuses. */
export async function admitConnect({ server, endpoint, info, user, warn }: Scope, kind: string): Promise<void> {
  const { namespace, name, subresource, query } = info
  await server.admission.run({
    operation: 'CONNECT',
    resource: endpoint.resource,
    subresource,
    namespace,
    name,
    object: optionsOf(kind, query),
    kind: { group: '', version: 'v1', kind },
    user,
    dryRun: false,
    warn,
  })
}

/**
 * Asks admission about an object that is created in a subresource and never stored, a binding or an eviction. It may change
 * the object. Throws the StatusError of who refuses.
 */
export async function admitCreated(
  { server, endpoint, info, user, warn }: Scope,
  object: AnyObject,
  kind: { group: string; version: string; kind: string },
  dryRun: boolean,
): Promise<void> {
  const { namespace, subresource } = info
  const name = info.name || (object.metadata.name ?? '')
  object.apiVersion = apiVersionOf(kind.group, kind.version)
  object.kind = kind.kind
  const { resource } = endpoint
  const operation = 'CREATE'
  await server.admission.run({ operation, resource, subresource, namespace, name, object, kind, user, dryRun, warn })
}

function optionsOf(kind: string, query: URLSearchParams): AnyObject {
  const object: Record<string, unknown> = { kind, apiVersion: 'v1' }
  for (const [name, form] of Object.entries(options[kind] ?? {})) {
    if (!query.has(name)) continue
    const value = query.get(name) ?? ''
    object[name] =
      form === 'list'
        ? query.getAll(name).map((item) => (name === 'ports' ? Number(item) : item))
        : form === 'switch'
          ? ['true', '1', ''].includes(value)
          : value
  }
  // Upstream's options have no metadata: what looks for labels finds none.
  return object as unknown as AnyObject
}
