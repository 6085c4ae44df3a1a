import type { Pod } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { InformerFactory } from '../../client/informer.ts'
import { pods } from '../../client/resources.ts'
import type { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Clock, Live } from '../../client/types.ts'

/**
 * Plays all nodes: assigns pods to one, makes them ready after a while, and lets deleted ones go after a while. An image with
 * `broken` in its name never becomes ready.
 */
export function playKubelet(options: {
  api: MemoryApi
  informers: InformerFactory
  clock: Clock
  readyAfterMs(): number
  goneAfterMs?(): number
  nodeFor?(pod: Live<Pod>): string
}): void {
  const { api, informers, clock, readyAfterMs, goneAfterMs = () => 500, nodeFor = () => 'node' } = options
  const leaving = new Set<string>()

  const edit = (pod: Live<Pod>, change: (pod: Live<Pod>) => void) => {
    const standing = api.objects(pods).find(({ metadata }) => metadata.uid === pod.metadata.uid)
    if (standing) api.edit<Pod>(pods, standing.metadata, change)
  }

  const start = async (pod: Live<Pod>) => {
    edit(pod, ({ spec }) => {
      spec!.nodeName = nodeFor(pod)
    })
    await clock.sleep(readyAfterMs())
    if (pod.spec?.containers[0]?.image?.includes('broken')) return
    edit(pod, (live) => setReady(live, true, clock.now()))
  }

  const end = async ({ metadata }: Live<Pod>) => {
    const { namespace, name, uid = '' } = metadata
    if (leaving.has(uid)) return
    leaving.add(uid)
    await clock.sleep(goneAfterMs())
    await api.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } }).catch(() => {})
  }

  informers.for<Pod>(pods).on({
    add: (pod) => {
      start(pod).catch(() => {})
    },
    update: (_, pod) => {
      if (pod.metadata.deletionTimestamp !== undefined) end(pod).catch(() => {})
    },
  })
}

/** Changes the pod's Ready condition, in place. */
export function setReady(pod: Live<Pod>, ready: boolean, nowMs: number): void {
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(nowMs) }
  pod.status = { ...pod.status, phase: 'Running', conditions: [condition] }
}
