import type { IPAddress, ServiceCIDR } from '../../api/generated/types.ts'
import type { Controller } from '../../client/controller.ts'
import { isConflict, isNotFound } from '../../client/errors.ts'
import { ipAddresses, serviceCIDRs } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { cidrFinalizer, isIn, planCidr } from './plan.ts'

/** Keeps each range of service addresses as long as an address of it is taken, and says whether it can be used. */
export function newServiceCidrsController({ api, clock, events, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'service-cidr-controller' })
  const ranges = informers.for<ServiceCIDR>(serviceCIDRs)
  const addresses = informers.for<IPAddress>(ipAddresses, { metadataOnly: true })
  const lookAtAll = () => {
    for (const { metadata } of ranges.lister.list()) queue.add(metadata.name)
  }
  ranges.on({ add: lookAtAll, update: (_, { metadata }) => queue.add(metadata.name), delete: lookAtAll })
  addresses.on({
    // Only a range that waits for its addresses has to know.
    delete: ({ metadata: { name } }) => {
      for (const { metadata, spec } of ranges.lister.list()) {
        if (metadata.deletionTimestamp && spec?.cidrs?.some((range) => isIn(range, name))) queue.add(metadata.name)
      }
    },
  })

  async function write(range: Live<ServiceCIDR>, finalizers: readonly string[], signal: AbortSignal): Promise<void> {
    const { name, resourceVersion } = range.metadata
    const body = { metadata: { resourceVersion, finalizers } }
    await api.patch(serviceCIDRs, { name }, { type: 'merge', body }, { signal })
  }

  return {
    name: 'service-cidrs',
    workers: 5,
    queue,
    async reconcile(name, signal) {
      const range = ranges.lister.get(undefined, name)
      if (!range) return
      const { finalizers = [] } = range.metadata
      const plan = planCidr(range, ranges.lister.list(), addresses.lister.list(), clock.now())
      try {
        switch (plan.do) {
          case 'nothing':
            break
          case 'wait':
            return { requeueAfterMs: plan.ms }
          case 'protect':
            await write(range, [...finalizers, cidrFinalizer], signal)
            break
          case 'release':
            await write(
              range,
              finalizers.filter((each) => each !== cidrFinalizer),
              signal,
            )
            break
          case 'say': {
            const others = range.status?.conditions?.filter(({ type }) => type !== 'Ready') ?? []
            const status = { ...range.status, conditions: [...others, plan.condition] }
            await api.update(serviceCIDRs, { ...range, status }, { subresource: 'status', signal })
          }
        }
      } catch (error) {
        // Its next version brings it back.
        if (isNotFound(error) || isConflict(error)) return
        const about = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: range.metadata }
        const message = 'The ServiceCIDR Status can not be set to Ready=True'
        if (plan.do === 'say') events.event(about, 'Warning', 'KubernetesServiceCIDRError', message)
        throw error
      }
      return
    },
  }
}
