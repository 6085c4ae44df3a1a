import { isNotFound } from '../client/errors.ts'
import { pods } from '../client/resources.ts'
import type { Api } from '../client/types.ts'
import type { PodInfo } from './framework/pod-info.ts'
import type { PodStatusWriter } from './pod-status.ts'

export interface EvictionContext {
  api: Api
  status: PodStatusWriter
  /** Tells of a pod that it was preempted. */
  tell: (victim: PodInfo, message: string) => void
}

/** Removes the victims of a preemption, each told why in its status. Throws what the API server refuses. */
export async function evictVictims(
  { api, status, tell }: EvictionContext,
  preemptor: PodInfo,
  nodeName: string,
  victims: readonly PodInfo[],
): Promise<void> {
  const message = `${preemptor.schedulerName}: preempting to accommodate a higher priority pod`
  const evict = async (victim: PodInfo) => {
    const { namespace, name, uid } = victim
    try {
      await status.writeNow(victim, {
        condition: { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message },
      })
      await api.delete(pods, { namespace, name }, { preconditions: { uid } })
    } catch (error) {
      // Gone already: as good as removed.
      if (!isNotFound(error)) throw error
    }
    tell(victim, `Preempted by pod ${preemptor.uid} on node ${nodeName}`)
  }
  await Promise.all(victims.map(evict))
}
