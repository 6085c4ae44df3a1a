import type { Endpoints, Service } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isAlreadyExists, isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { endpoints, services } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { podInformer } from '../pods/pod-index.ts'
import { hasPods, selects, triggerTime, watchPodsOfServices } from '../service-pods/pods-of-services.ts'
import type { ControllerDeps } from '../types.ts'
import { planEndpoints } from './plan.ts'

/** Endpoints that hold a lock of an older kind of leader election are nobody's service. */
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const gatherMs = 20

/** Shows the pods of each service as Endpoints, the form that slices have replaced but that clients still read. */
export function newEndpointsController({ api, clock, events, informers, options }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'endpoint', baseDelayMs: 100, maxDelayMs: 100_000 })
  const all = informers.for<Service>(services)
  const pods = podInformer(informers)
  const cache = informers.for<Endpoints>(endpoints)

  all.on({
    add: (service) => queue.add(keyOf(service)),
    update: (_, after) => queue.add(keyOf(after)),
    delete: (service) => queue.add(keyOf(service)),
  })
  watchPodsOfServices(pods, all, (key) => queue.addAfter(key, gatherMs))
  cache.on({ delete: (object) => queue.add(keyOf(object)) })

  return {
    name: 'endpoints',
    workers: options.workers.endpoint ?? 5,
    queue,
    start() {
      // Left over from services that went while nobody looked.
      for (const object of cache.lister.list()) if (!all.lister.byKey(keyOf(object))) queue.add(keyOf(object))
    },
    async reconcile(key, signal) {
      const { namespace, name } = splitKey(key)
      const service = all.lister.get(namespace, name)
      const standing = cache.lister.get(namespace, name)
      if (!service) {
        if (!standing || standing.metadata.annotations?.[leaderAnnotation] !== undefined) return
        await api.delete(endpoints, { namespace, name }, { signal }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
        return
      }
      if (!hasPods(service)) return
      const selected = pods.lister.list(namespace).filter((pod) => selects(service, pod.metadata.labels))
      const next = planEndpoints(service, selected, standing, triggerTime(service, selected))
      if (!next) return
      try {
        await (standing ? api.update(endpoints, next, { signal }) : api.create(endpoints, next, { signal }))
      } catch (error) {
        if (isNamespaceTerminating(error)) return
        // The cache is behind: it will say so.
        if (isAlreadyExists(error)) return { requeueAfterMs: 100 }
        events.event(
          { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace } },
          'Warning',
          standing ? 'FailedToUpdateEndpoint' : 'FailedToCreateEndpoint',
          `Failed to ${standing ? 'update' : 'create'} endpoint ${key}: ${(error as Error).message}`,
        )
        throw error
      }
      return
    },
  }
}
