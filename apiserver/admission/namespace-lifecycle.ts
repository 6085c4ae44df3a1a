import type { Namespace } from '../../api/generated/types.ts'
import { notFoundError, StatusError } from '../../api/machinery/errors.ts'
import type { Stored } from '../../api/machinery/object.ts'
import { Lru } from '../auth/lru.ts'
import type { AdmissionContext } from './context.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])
/** For so long after a delete the cache is not believed when it says that a namespace is active. */
const distrustMs = 30_000

/**
 * Nothing is written into a namespace that is not there, nothing new into one that is being deleted, and the
 * namespaces a cluster cannot do without are not deleted.
 */
export function createNamespaceLifecycle({ client, lookup, now }: AdmissionContext): AdmissionPlugin {
  const namespaces = lookup('', 'namespaces')
  const deletedAt = new Lru<string, number>(100)

  const find = async (name: string): Promise<Stored<Namespace> | undefined> => {
    const cached = client.cached<Stored<Namespace>>(namespaces, '', name)
    if (cached && !(isDistrusted(name) && cached.status?.phase === 'Active')) return cached
    return client.get<Stored<Namespace>>(namespaces, '', name)
  }
  const isDistrusted = (name: string): boolean => {
    const at = deletedAt.get(name)
    return at !== undefined && now() - at < distrustMs
  }
  const check = async (attributes: AdmissionAttributes): Promise<void> => {
    const { namespace, operation } = attributes
    const found = await find(namespace)
    if (!found) throw notFoundError({ group: '', resource: 'namespaces' }, namespace)
    if (operation === 'CREATE' && isTerminating(found)) throw terminating(attributes)
  }

  return {
    name: 'NamespaceLifecycle',
    handles: ({ operation, resource, namespace }) =>
      resource === namespaces
        ? operation === 'DELETE'
        : namespace !== '' && (operation === 'CREATE' || operation === 'UPDATE') && !isAccessReview(resource),
    admit(attributes) {
      const { resource, name, namespace } = attributes
      if (resource === namespaces) {
        if (immortal.has(name)) throw refuse(attributes, 'this namespace may not be deleted')
        deletedAt.set(name, now())
        return
      }
      // Nearly every write finds its namespace in the cache, alive.
      const cached = client.cached<Stored<Namespace>>(namespaces, '', namespace)
      if (cached && !isTerminating(cached) && !isDistrusted(namespace)) return
      return check(attributes)
    },
  }
}

const isTerminating = ({ status }: Stored<Namespace>): boolean => status?.phase === 'Terminating'

/** An answer about a namespace would tell whether it is there. */
const isAccessReview = ({ group, plural }: { group: string; plural: string }): boolean =>
  group === 'authorization.k8s.io' && plural === 'localsubjectaccessreviews'

function terminating(attributes: AdmissionAttributes): StatusError {
  const { namespace } = attributes
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const { code, reason, message, details } = refuse(attributes, why)
  return new StatusError(code, reason, message, {
    ...details,
    causes: [
      {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      },
    ],
  })
}
