import { quotaEvaluator } from '../../api/core/quota/evaluators.ts'
import type { ResourceQuota } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { resourceQuotas } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { QuotaCounts } from './counts.ts'
import { changesUsage, planQuotaStatus } from './plan.ts'

/** Several objects that go together are counted once. */
const gatherMs = 20
/** Between two looks for a kind that is not served: upstream's. */
const discoverMs = 30_000

/**
 * Counts for each quota what is used of it: at first, when its limits change, when something is given back, and all anew
 * from time to time. What is taken, the API server counts itself, in the commit of what takes it: a count counts only
 * if the quota has not changed since, and only of objects at least as new as the quota it is written to.
 */
export function newResourceQuotaController(deps: ControllerDeps): Controller {
  const { api, clock, informers, options } = deps
  const queue = new WorkQueue({ clock, name: 'resourcequota_primary' })
  const quotas = informers.for<ResourceQuota>(resourceQuotas)
  const counts = new QuotaCounts(deps, (group, plural) => {
    const evaluator = quotaEvaluator(group, plural)
    const eachQuota = (object: Live<unknown>, act: (quota: Live<ResourceQuota>) => void) => {
      for (const quota of quotas.lister.list(object.metadata.namespace)) {
        if (evaluator?.matching(Object.keys(quota.status?.hard ?? {})).length) act(quota)
      }
    }
    return {
      update: (before, after) =>
        eachQuota(after, (quota) => {
          if (evaluator && changesUsage(quota, evaluator, before as AnyObject, after as AnyObject, clock.now()))
            queue.addAfter(keyOf(quota), gatherMs)
        }),
      delete: (object) => eachQuota(object, (quota) => queue.addAfter(keyOf(quota), gatherMs)),
    }
  })

  quotas.on({
    add: (quota) => queue.add(keyOf(quota)),
    update: (before, after) => {
      if (JSON.stringify(before.spec) !== JSON.stringify(after.spec) || isUncounted(after)) queue.add(keyOf(after))
    },
    delete: () => counts.keep(quotas.lister.list().flatMap(({ spec }) => Object.keys(spec?.hard ?? {}))),
  })

  return {
    name: 'resourcequota',
    workers: options.workers['resource-quota'] ?? 5,
    queue,
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key)
      const quota = quotas.lister.get(namespace, name)
      if (!quota || quota.metadata.deletionTimestamp) return
      const { resourceVersion = '' } = quota.metadata
      const names = Object.keys(quota.spec?.hard ?? {})
      const { kinds, missing } = await counts.count(namespace, names, resourceVersion, signal)
      const status = planQuotaStatus(quota, kinds, clock.now())
      if (status) {
        try {
          await api.update(resourceQuotas, { ...quota, status }, { subresource: 'status', signal })
        } catch (error) {
          if (isNotFound(error)) return
          // Something was taken meanwhile: counted again once that has been seen.
          if (isConflict(error)) return { requeueAfterMs: gatherMs }
          throw error
        }
      }
      return { requeueAfterMs: missing ? discoverMs : options.resourceQuotaSyncPeriodMs }
    },
  }
}

/** Whether somebody has taken limits or counts out of the status. */
const isUncounted = ({ spec, status }: Live<ResourceQuota>): boolean =>
  Object.entries(spec?.hard ?? {}).some(
    ([name, amount]) => status?.hard?.[name] !== amount || status.used?.[name] === undefined,
  )
