import type { ClusterRole } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { aggregateRules } from '../../api/rbac/aggregate.ts'
import type { Controller } from '../../client/controller.ts'
import { isNotFound } from '../../client/errors.ts'
import { clusterRoles } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

/** Gathers into each cluster role that says so the rules of those it selects. */
export function newClusterRoleAggregationController({ api, clock, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'ClusterRoleAggregator' })
  const all = informers.for<ClusterRole>(clusterRoles)
  // Any role may be part of any other that gathers.
  const lookAtAll = () => {
    for (const role of all.lister.list()) if (role.aggregationRule) queue.add(role.metadata.name)
  }
  all.on({ add: lookAtAll, update: lookAtAll, delete: lookAtAll })
  return {
    name: 'clusterrole-aggregation',
    workers: 5,
    queue,
    async reconcile(name, signal) {
      const role = all.lister.get(undefined, name)
      const rules = role && aggregateRules(role, all.lister.list())
      if (!rules || semanticEqual(rules, role.rules ?? [])) return
      const body = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules }
      await api
        .patch<ClusterRole>(
          clusterRoles,
          { name },
          { type: 'apply', body, force: true },
          { fieldManager: 'clusterrole-aggregation-controller', signal },
        )
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
    },
  }
}
