import type { Binding, Pod } from '../../api/generated/types.ts'
import { StatusError } from '../../api/machinery/errors.ts'
import { isNotFound, isServerDown } from '../../client/errors.ts'
import { pods } from '../../client/resources.ts'
import type { Api, Clock } from '../../client/types.ts'
import type { Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'

export interface BinderContext {
  api: Api
  clock: Clock
  stopping: AbortSignal
}

const firstRetryMs = 200
const longestRetryMs = 5000

/**
 * Tells the API server which node the pod has. Where no answer comes back, nobody knows whether the pod is bound, and its place
 * must not be given to another: it is asked, and told again, until that is certain.
 */
export const newDefaultBinder = ({ api, clock, stopping }: BinderContext): Plugin => ({
  name: 'DefaultBinder',
  async bind(_state, pod, nodeName) {
    for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
      try {
        await post(api, pod, nodeName)
        return 'bound'
      } catch (error) {
        const rejected = new Error(`binding rejected: ${(error as Error).message}`, { cause: error })
        if (!isServerDown(error)) throw rejected
        const standing = await nodeOf(api, clock, stopping, pod)
        if (standing === nodeName) return 'bound'
        // A fault of the server's own is an answer, too: nothing of the request is under way any more.
        const isOver = error instanceof StatusError && error.code === 500
        if (standing !== '' || isOver) throw rejected
        await clock.sleep(retryMs, stopping)
      }
    }
  },
})

async function post(api: Api, { namespace, name, uid }: PodInfo, nodeName: string): Promise<void> {
  const binding: Binding = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { namespace, name, uid },
    target: { kind: 'Node', name: nodeName },
  }
  await api.submit(pods, binding, { subresource: 'binding' })
}

/** The node that the pod has by now, empty for none; undefined for a pod that is no more. Asks until there is an answer. */
async function nodeOf(
  api: Api,
  clock: Clock,
  stopping: AbortSignal,
  { namespace, name, uid }: PodInfo,
): Promise<string | undefined> {
  for (let retryMs = firstRetryMs; ; retryMs = Math.min(retryMs * 2, longestRetryMs)) {
    try {
      const { metadata, spec } = await api.get<Pod>(pods, { namespace, name }, { signal: stopping })
      return metadata.uid === uid ? (spec?.nodeName ?? '') : undefined
    } catch (error) {
      if (isNotFound(error)) return undefined
      if (!isServerDown(error)) throw error
      await clock.sleep(retryMs, stopping)
    }
  }
}
