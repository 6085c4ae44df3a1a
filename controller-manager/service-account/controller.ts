import type { Namespace, ServiceAccount } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNamespaceTerminating } from '../../client/errors.ts'
import { namespaces, serviceAccounts } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

/** Sees to it that each namespace has the account that pods run as by default. */
export function newServiceAccountController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'serviceaccount' })
  const all = informers.for<Namespace>(namespaces)
  const accounts = informers.for<ServiceAccount>(serviceAccounts)
  all.on({ add: ({ metadata }) => queue.add(metadata.name), update: (_, { metadata }) => queue.add(metadata.name) })
  accounts.on({ delete: ({ metadata }) => void (metadata.name === 'default' && queue.add(metadata.namespace ?? '')) })
  return {
    name: 'serviceaccount',
    workers: 1,
    queue,
    async reconcile(namespace, signal) {
      const standing = all.lister.get(undefined, namespace)
      if (standing?.status?.phase === 'Terminating' || !standing) return
      if (accounts.lister.get(namespace, 'default')) return
      try {
        await api.create(serviceAccounts, { metadata: { name: 'default', namespace } }, { signal })
      } catch (error) {
        if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
      }
    },
  }
}
