import type { Node, Pod } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { nodes, pods as podRef } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { isReady, isTerminal } from '../pods/condition.ts'
import { podInformer } from '../pods/pod-index.ts'
import type { ControllerDeps } from '../types.ts'

/** Between two looks: upstream's. */
const periodMs = 20_000
/** A node's object may be made anew: its pods are not given up at once. */
const quarantineMs = 40_000
const outOfService = 'node.kubernetes.io/out-of-service'

export interface Garbage {
  pod: Live<Pod>
  why: 'terminated' | 'orphaned' | 'unscheduled' | 'out-of-service'
}

/** Pods that nobody else will remove. `goneSinceMs`: nodes that are named by pods and do not exist, and since when. */
export function findGarbage(
  pods: readonly Live<Pod>[],
  nodeOf: (name: string) => Live<Node> | undefined,
  goneSinceMs: ReadonlyMap<string, number>,
  threshold: number,
  nowMs: number,
): Garbage[] {
  const garbage: Garbage[] = []
  const terminated = pods.filter((pod) => isTerminal(pod) && pod.metadata.deletionTimestamp === undefined)
  const spare = threshold > 0 ? terminated.length - threshold : 0
  if (spare > 0) {
    const oldest = terminated.sort(
      (a, b) => ageOf(a).localeCompare(ageOf(b)) || a.metadata.name.localeCompare(b.metadata.name),
    )
    for (const pod of oldest.slice(0, spare)) garbage.push({ pod, why: 'terminated' })
  }
  for (const pod of pods) {
    const { spec, metadata } = pod
    const nodeName = spec?.nodeName
    if (!nodeName) {
      if (metadata.deletionTimestamp !== undefined) garbage.push({ pod, why: 'unscheduled' })
      continue
    }
    const node = nodeOf(nodeName)
    if (!node) {
      const since = goneSinceMs.get(nodeName)
      if (since !== undefined && nowMs - since >= quarantineMs) garbage.push({ pod, why: 'orphaned' })
    } else if (metadata.deletionTimestamp !== undefined && !nodeIsReady(node)) {
      if (node.spec?.taints?.some(({ key }) => key === outOfService)) garbage.push({ pod, why: 'out-of-service' })
    }
  }
  return garbage
}

const ageOf = ({ metadata }: Live<Pod>) => metadata.creationTimestamp ?? ''
const nodeIsReady = (node: Live<Node>) => isReady(node as unknown as Live<Pod>)

/** Removes pods of nodes that are gone, ended pods that are too many, and pods deleted before they got a node. */
export function newPodGcController({ api, clock, informers, log, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'gc_controller' })
  const all = informers.for<Node>(nodes)
  const pods = podInformer(informers)
  const goneSinceMs = new Map<string, number>()
  pods.on({
    update: (_, { metadata, spec }) => void (metadata.deletionTimestamp && !spec?.nodeName && queue.add('all')),
  })
  all.on({ delete: () => queue.add('all') })

  async function remove({ pod, why }: Garbage, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = pod.metadata
    if (!isTerminal(pod)) {
      const conditions =
        why === 'orphaned'
          ? [
              {
                type: 'DisruptionTarget',
                status: 'True',
                reason: 'DeletionByPodGC',
                message: 'PodGC: node no longer exists',
                lastTransitionTime: formatTime(clock.now()),
              },
            ]
          : undefined
      // A job must see that it did not succeed.
      await api.patch<Pod>(
        podRef,
        { namespace, name },
        {
          type: 'strategic',
          body: { metadata: { uid }, status: { phase: 'Failed', ...(conditions ? { conditions } : {}) } },
        },
        { subresource: 'status', signal },
      )
    }
    log.info({ pod: `${namespace}/${name}`, why }, 'removing a pod that nobody else will')
    await api.delete(
      podRef,
      { namespace, name },
      { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}), signal },
    )
  }

  return {
    name: 'pod-garbage-collector',
    workers: 1,
    queue,
    start: () => queue.add('all'),
    async reconcile(_key, signal) {
      const now = clock.now()
      const there = pods.lister.list()
      const named = new Set(there.flatMap(({ spec }) => (spec?.nodeName ? [spec.nodeName] : [])))
      for (const name of goneSinceMs.keys())
        if (!named.has(name) || all.lister.get(undefined, name)) goneSinceMs.delete(name)
      for (const name of named)
        if (!all.lister.get(undefined, name) && !goneSinceMs.has(name)) goneSinceMs.set(name, now)
      const garbage = findGarbage(
        there,
        (name) => all.lister.get(undefined, name),
        goneSinceMs,
        options.terminatedPodGcThreshold,
        now,
      )
      for (const each of garbage) {
        try {
          if (each.why === 'orphaned' && (await nodeExists(each.pod.spec?.nodeName ?? '', signal))) continue
          await remove(each, signal)
        } catch (error) {
          if (!isNotFound(error) && !isConflict(error))
            log.warn({ err: (error as Error).message }, 'a pod could not be removed')
        }
      }
      return { requeueAfterMs: periodMs }
    },
  }

  async function nodeExists(name: string, signal: AbortSignal): Promise<boolean> {
    try {
      await api.get(nodes, { name }, { metadataOnly: true, signal })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }
}
