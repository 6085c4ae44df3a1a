import type { EndpointSlice, Endpoints, Service } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isNamespaceTerminating, isNotFound } from '../../client/errors.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { endpointSlices, endpoints, services } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import { managedByLabel, serviceNameLabel } from '../endpointslice/plan.ts'
import { OwnWrites } from '../pods/own-writes.ts'
import type { ControllerDeps } from '../types.ts'
import { mirrorMetrics } from './metrics.ts'
import { mirroredBy, planMirror } from './plan.ts'

const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
/** How long to wait, at most, for a cache that does not show what was written. */
const lateCacheMs = 61_000

/**
 * Shows as EndpointSlices what people or programs write into the Endpoints of a service that selects no pods: those who
 * lead traffic read slices only.
 */
export function newEndpointSliceMirroringController(deps: ControllerDeps): Controller {
  const { api, clock, events, informers, options } = deps
  const queue = new WorkQueue({ clock, name: 'endpoint_slice_mirroring', baseDelayMs: 1000, maxDelayMs: 100_000 })
  const metrics = mirrorMetrics(deps.metrics)
  const writes = new OwnWrites(clock)
  const all = informers.for<Endpoints>(endpoints)
  const serviceCache = informers.for<Service>(services)
  const slices = informers.for<EndpointSlice>(endpointSlices, {
    indexers: { service: (slice) => [serviceKeyOf(slice)] },
  })

  const look = (object: Live<unknown>) => queue.add(keyOf(object))
  all.on({
    add: (object) => void (isMirrored(object) && look(object)),
    update: (before, after) => void ((isMirrored(before) || isMirrored(after)) && look(after)),
    delete: (object) => void (isMirrored(object) && look(object)),
  })
  serviceCache.on({
    add: (service) => void (!service.spec?.selector && look(service)),
    update: (before, after) => void (!before.spec?.selector !== !after.spec?.selector && look(after)),
    delete: (service) => void (!service.spec?.selector && look(service)),
  })
  const ours = (slice: Live<EndpointSlice>) => slice.metadata.labels?.[managedByLabel] === mirroredBy
  slices.on({
    // Whatever was done to a slice by others is put right.
    add: (slice) => void (ours(slice) && queue.add(serviceKeyOf(slice))),
    update: (before, after) => {
      for (const slice of [before, after]) if (ours(slice)) queue.add(serviceKeyOf(slice))
    },
    delete: (slice) => {
      if (!ours(slice)) return
      writes.forget(serviceKeyOf(slice), keyOf(slice))
      queue.add(serviceKeyOf(slice))
    },
  })

  const remove = async (key: string, slice: Live<EndpointSlice>, signal: AbortSignal) => {
    const { namespace, name, uid } = slice.metadata
    writes.forget(key, keyOf(slice))
    await api
      .delete(endpointSlices, { namespace, name }, { ...(uid ? { preconditions: { uid } } : {}), signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
    metrics.wrote('delete')
  }

  function warn(object: Live<Endpoints>, { invalid, skipped }: { invalid: number; skipped: number }): void {
    const about = { apiVersion: 'v1', kind: 'Endpoints', metadata: object.metadata }
    if (invalid > 0) {
      const message = `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`
      events.event(about, 'Warning', 'InvalidIPAddress', message)
    }
    if (skipped > invalid) {
      const max = options.mirroringMaxEndpointsPerSubset
      const message = `A max of ${max} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`
      events.event(about, 'Warning', 'TooManyAddressesToMirror', message)
    }
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const startedMs = clock.now()
    const { namespace, name } = splitKey(key)
    const object = all.lister.get(namespace, name)
    const service = serviceCache.lister.get(namespace, name)
    const standing = slices.lister.byIndex('service', key).filter(ours)
    if (!object || !isMirrored(object) || !service || service.spec?.selector) {
      writes.forget(key)
      for (const slice of standing) await remove(key, slice, signal)
      return undefined
    }
    if (!writes.seen(key, (slice) => slices.lister.byKey(slice)?.metadata.resourceVersion))
      return { requeueAfterMs: lateCacheMs }
    const plan = planMirror(object, standing, options.mirroringMaxEndpointsPerSubset)
    warn(object, plan)
    try {
      for (const slice of object.metadata.deletionTimestamp ? [] : plan.create) {
        const made = await api.create(endpointSlices, slice, { signal })
        writes.wrote(key, keyOf(made), made.metadata.resourceVersion)
        metrics.wrote('create')
      }
      for (const slice of plan.update) {
        const made = await api.update(endpointSlices, slice, { signal })
        writes.wrote(key, keyOf(made), made.metadata.resourceVersion)
        metrics.wrote('update')
      }
    } catch (error) {
      if (isNamespaceTerminating(error)) return undefined
      throw error
    }
    for (const slice of plan.remove) await remove(key, slice, signal)
    metrics.synced(plan, (clock.now() - startedMs) / 1000)
    return undefined
  }

  return { name: 'endpointslice-mirroring', workers: options.mirroringWorkers, queue, reconcile }
}

/** Those that a controller writes say so, and those that hold a lock lead nowhere. */
const isMirrored = ({ metadata }: Live<Endpoints>): boolean =>
  metadata.labels?.[skipLabel] !== 'true' && metadata.annotations?.[leaderAnnotation] === undefined

const serviceKeyOf = ({ metadata }: Live<EndpointSlice>): string =>
  `${metadata.namespace ?? ''}/${metadata.labels?.[serviceNameLabel] ?? ''}`
