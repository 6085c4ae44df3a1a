import type { Pod } from '../../api/generated/types.ts'
import { isNotFound, isTooManyRequests } from '../../client/errors.ts'
import { pods } from '../../client/resources.ts'
import type { Api, Clock, Live } from '../../client/types.ts'
import type { PodInfo } from '../../scheduler/framework/pod-info.ts'
import type { Move } from './moves.ts'

export interface Evicting {
  api: Api
  clock: Clock
  /** How long a budget is waited for, and then a replacement. */
  timeoutMs: number
  say: (line: string) => void
}

const retryMs = 2000

/**
 * Evicts the pods one after the other, within their budgets, and waits each time until whoever owns the pod has as many ready
 * ones as before. Throws an Error where that takes too long: nothing further is moved then.
 */
export async function evictAll(moves: readonly Move[], how: Evicting): Promise<void> {
  for (const [i, { pod, from }] of moves.entries()) {
    const before = await readyOf(how.api, pod)
    how.say(`[${i + 1}/${moves.length}] evicting pod ${pod.key} from ${from}`)
    if (!(await evict(pod, how))) {
      how.say(`[${i + 1}/${moves.length}] pod ${pod.key} is gone already`)
      continue
    }
    const replacement = await replaced(pod, before, how)
    how.say(`[${i + 1}/${moves.length}] pod ${pod.key} is replaced${replacement}`)
  }
}

/** Whether there was anything to evict. Waits while a budget forbids it. */
async function evict(pod: PodInfo, { api, clock, timeoutMs, say }: Evicting): Promise<boolean> {
  const { namespace, name, uid } = pod
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  }
  const deadline = clock.now() + timeoutMs
  let hasSaid = false
  for (;;) {
    try {
      await api.post(pods, { namespace, name }, 'eviction', body)
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      if (!isTooManyRequests(error)) throw error
      if (clock.now() >= deadline) {
        throw new Error(`pod ${pod.key} cannot be evicted within its budget: ${(error as Error).message}`)
      }
      if (!hasSaid) say(`    waiting for its budget: ${(error as Error).message}`)
      hasSaid = true
      await clock.sleep(retryMs)
    }
  }
}

/** ` by POD on NODE`, once there are as many ready pods as there were. */
async function replaced(pod: PodInfo, before: readonly Live<Pod>[], how: Evicting): Promise<string> {
  const { api, clock, timeoutMs } = how
  const known = new Set(before.map(({ metadata }) => metadata.uid))
  const deadline = clock.now() + timeoutMs
  for (;;) {
    const ready = (await readyOf(api, pod)).filter(({ metadata }) => metadata.uid !== pod.uid)
    if (ready.length >= before.length) {
      const fresh = ready.find(({ metadata }) => !known.has(metadata.uid))
      return fresh ? ` by ${fresh.metadata.name} on ${fresh.spec?.nodeName}` : ''
    }
    if (clock.now() >= deadline) {
      throw new Error(`pod ${pod.key} has no ready replacement after ${timeoutMs / 1000}s: nothing further is moved`)
    }
    await clock.sleep(retryMs)
  }
}

/** The ready pods of the pod's owner. */
async function readyOf(api: Api, { namespace, pod }: PodInfo): Promise<Live<Pod>[]> {
  const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid
  const { items } = await api.list(pods, { namespace })
  return items.filter(
    ({ metadata, status }) =>
      metadata.ownerReferences?.some(({ uid }) => uid === owner) &&
      !metadata.deletionTimestamp &&
      status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
  )
}
