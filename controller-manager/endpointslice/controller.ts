import type { EndpointSlice, Node, Service } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { endpointSlices, nodes, services } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { OwnWrites } from '../pods/own-writes.ts'
import { podInformer } from '../pods/pod-index.ts'
import { hasPods, selects, triggerTime, watchPodsOfServices } from '../service-pods/pods-of-services.ts'
import type { ControllerDeps } from '../types.ts'
import { managedBy, managedByLabel, planSlices, serviceNameLabel } from './plan.ts'

/** How long to wait, at most, for a cache that does not show what was written. */
const lateCacheMs = 61_000
/** For more pods of one service to change, so that they are written together. */
const gatherMs = 20

/** Shows the pods of each service as EndpointSlices. */
export function newEndpointSliceController({ api, clock, events, informers, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'endpoint_slice', baseDelayMs: 100, maxDelayMs: 100_000 })
  const writes = new OwnWrites(clock)
  const all = informers.for<Service>(services)
  const pods = podInformer(informers)
  const nodeCache = informers.for<Node>(nodes)
  const slices = informers.for<EndpointSlice>(endpointSlices, {
    indexers: { service: (slice) => [serviceKeyOf(slice)] },
  })
  const waiting = new Set<string>()

  all.on({
    add: (service) => queue.add(keyOf(service)),
    update: (_, after) => queue.add(keyOf(after)),
    delete: (service) => queue.add(keyOf(service)),
  })
  watchPodsOfServices(pods, all, (key) => queue.addAfter(key, gatherMs))
  const ours = (slice: Live<EndpointSlice>) => slice.metadata.labels?.[managedByLabel] === managedBy
  slices.on({
    // Whatever was done to a slice by others is put right.
    add: (slice) => void (ours(slice) && queue.addAfter(serviceKeyOf(slice), gatherMs)),
    update: (_, slice) => void (ours(slice) && queue.addAfter(serviceKeyOf(slice), gatherMs)),
    delete: (slice) => {
      if (!ours(slice)) return
      writes.forget(serviceKeyOf(slice), keyOf(slice))
      queue.addAfter(serviceKeyOf(slice), gatherMs)
    },
  })
  nodeCache.on({
    add: () => {
      for (const key of waiting) queue.add(key)
    },
    update: (before, after) => {
      const zone = 'topology.kubernetes.io/zone'
      if (before.metadata.labels?.[zone] === after.metadata.labels?.[zone]) return
      for (const pod of pods.lister.list()) {
        if (pod.spec?.nodeName !== after.metadata.name) continue
        for (const service of all.lister.list(pod.metadata.namespace))
          if (selects(service, pod.metadata.labels)) queue.addAfter(keyOf(service), gatherMs)
      }
    },
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const service = all.lister.get(namespace, name)
    waiting.delete(key)
    if (!service || !hasPods(service) || service.metadata.deletionTimestamp) {
      // Those of a service that is gone are removed by the garbage collector.
      writes.forget(key)
      return undefined
    }
    if (!writes.seen(key, (object) => slices.lister.byKey(object)?.metadata.resourceVersion))
      return { requeueAfterMs: lateCacheMs }
    const selected = pods.lister.list(namespace).filter((pod) => selects(service, pod.metadata.labels))
    const plan = planSlices({
      service,
      pods: selected,
      nodeOf: (node) => nodeCache.lister.get(undefined, node),
      slices: slices.lister.byIndex('service', key).filter(ours),
      triggerTime: triggerTime(service, selected),
    })
    if (plan.waitingForNodes) waiting.add(key)
    try {
      for (const slice of plan.create) {
        const made = await api.create(endpointSlices, slice, { signal })
        writes.wrote(key, keyOf(made), made.metadata.resourceVersion)
      }
      for (const slice of plan.update) {
        const made = await api.update(endpointSlices, slice, { signal })
        writes.wrote(key, keyOf(made), made.metadata.resourceVersion)
      }
      for (const { metadata } of plan.remove) {
        writes.forget(key, keyOf({ metadata }))
        await api
          .delete(
            endpointSlices,
            { namespace, name: metadata.name },
            { ...(metadata.uid ? { preconditions: { uid: metadata.uid } } : {}), signal },
          )
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw error
          })
      }
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined
      events.event(
        { apiVersion: 'v1', kind: 'Service', metadata: service.metadata },
        'Warning',
        'FailedToUpdateEndpointSlices',
        `Error updating Endpoint Slices for Service ${key}: ${(error as Error).message}`,
      )
      throw error
    }
    return undefined
  }

  return { name: 'endpointslice', workers: options.workers['service-endpoint'] ?? 5, queue, reconcile }
}

const serviceKeyOf = ({ metadata }: Live<EndpointSlice>): string =>
  `${metadata.namespace ?? ''}/${metadata.labels?.[serviceNameLabel] ?? ''}`
