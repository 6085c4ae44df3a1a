import type { Pod, PodDisruptionBudget } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { labelSelectorMatches } from '../../api/machinery/labels.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Lister } from '../../client/informer.ts'
import { podDisruptionBudgets, pods } from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Clock, Key, Live } from '../../client/types.ts'

/**
 * Grants evictions as an API server does: by what the budget's status says, from which each takes one. Whether that keeps the
 * budget is up to the controller that writes the status.
 */
export function serveEvictions(api: MemoryApi, clock: Clock, budgets: Lister<PodDisruptionBudget>): void {
  api.posts.set('pods/eviction', (key) => {
    api.edit<Pod>(pods, key, (pod) => {
      const { metadata, status } = pod
      if (metadata.deletionTimestamp !== undefined) return
      const budget = budgets.list(metadata.namespace).find((each) => covers(each, pod))
      if (budget && status?.phase === 'Running') spend(api, clock, budget.metadata, metadata.name)
      const condition = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }
      pod.status = { ...status, conditions: [...(status?.conditions ?? []), condition] }
    })
    return api.delete(pods, key)
  })
}

const covers = ({ spec }: Live<PodDisruptionBudget>, { metadata }: Live<Pod>): boolean =>
  spec?.selector !== undefined && labelSelectorMatches(spec.selector, metadata.labels ?? {})

/** Throws 429 where nothing is left. */
function spend(api: MemoryApi, clock: Clock, key: Key, podName: string): void {
  api.edit<PodDisruptionBudget>(podDisruptionBudgets, key, ({ metadata, status }) => {
    const isCurrent = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
    if (!status || !isCurrent || (status.disruptionsAllowed ?? 0) <= 0)
      throw new StatusError(429, 'TooManyRequests', 'Cannot evict pod as it would violate the disruption budget.')
    status.disruptionsAllowed = (status.disruptionsAllowed ?? 0) - 1
    status.disruptedPods = { ...status.disruptedPods, [podName]: formatTime(clock.now()) }
  })
}
