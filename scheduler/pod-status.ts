import type { PodCondition } from '../api/generated/types.ts'
import { formatTime } from '../api/machinery/time.ts'
import { isNotFound } from '../client/errors.ts'
import type { Logger } from '../client/logger.ts'
import { pods } from '../client/resources.ts'
import type { Api, Clock } from '../client/types.ts'
import type { PodInfo } from './framework/pod-info.ts'

export interface StatusChange {
  condition?: { type: string; status: 'True' | 'False'; reason: string; message: string }
  /** Empty clears it. */
  nominatedNodeName?: string
}

/** Writes made at once; the rest wait. */
const mostAtOnce = 8

/**
 * Tells in the status of pods why they wait. Nobody waits for these writes: of several for one pod the last counts, and
 * one that fails is made up for by the next try of the pod.
 */
export class PodStatusWriter {
  readonly #api: Api
  readonly #clock: Clock
  readonly #log: Logger
  readonly #waiting = new Map<string, { pod: PodInfo; change: StatusChange }>()
  readonly #writing = new Map<string, Promise<void>>()

  constructor(api: Api, clock: Clock, log: Logger) {
    this.#api = api
    this.#clock = clock
    this.#log = log
  }

  write(pod: PodInfo, change: StatusChange): void {
    const earlier = this.#waiting.get(pod.uid)?.change
    this.#waiting.set(pod.uid, { pod, change: { ...earlier, ...change } })
    this.#pump()
  }

  /** What waits to be written about the pod is true no more. */
  drop(uid: string): void {
    this.#waiting.delete(uid)
  }

  /** Makes one change now, for those who have to know that it is made. Throws what the API server refuses. */
  async writeNow(pod: PodInfo, change: StatusChange): Promise<void> {
    const status = this.#difference(pod, change)
    if (!status) return
    const { namespace, name, uid } = pod
    const body = { metadata: { uid }, status }
    await this.#api.patch(pods, { namespace, name }, { type: 'strategic', body }, { subresource: 'status' })
  }

  /** Resolves when all that was asked for has been written or has failed. */
  async flush(): Promise<void> {
    while (this.#writing.size > 0) await Promise.all(this.#writing.values())
  }

  #pump(): void {
    for (const [uid, { pod, change }] of this.#waiting) {
      if (this.#writing.size >= mostAtOnce) return
      // Two writes of one pod must not overtake each other.
      if (this.#writing.has(uid)) continue
      this.#waiting.delete(uid)
      const written = this.writeNow(pod, change)
        .catch((error: unknown) => {
          if (!isNotFound(error)) {
            this.#log.warn({ pod: pod.key, err: (error as Error).message }, 'the status of a pod could not be written')
          }
        })
        .finally(() => {
          this.#writing.delete(uid)
          this.#pump()
        })
      this.#writing.set(uid, written)
    }
  }

  /** What has to be written; undefined where the pod says so already. */
  #difference({ pod }: PodInfo, { condition, nominatedNodeName }: StatusChange): object | undefined {
    const patch: { conditions?: PodCondition[]; nominatedNodeName?: string | null } = {}
    const standing = condition && pod.status?.conditions?.find(({ type }) => type === condition.type)
    const isSame =
      standing?.status === condition?.status &&
      standing?.reason === condition?.reason &&
      standing?.message === condition?.message
    if (condition && !isSame) {
      const since = standing?.status === condition.status ? standing.lastTransitionTime : undefined
      const { generation } = pod.metadata
      patch.conditions = [
        {
          ...condition,
          lastTransitionTime: since ?? formatTime(this.#clock.now()),
          ...(generation ? { observedGeneration: generation } : {}),
        },
      ]
    }
    if (nominatedNodeName !== undefined && nominatedNodeName !== (pod.status?.nominatedNodeName ?? '')) {
      patch.nominatedNodeName = nominatedNodeName === '' ? null : nominatedNodeName
    }
    return Object.keys(patch).length > 0 ? patch : undefined
  }
}
