import { requestOf } from '../../api/core/volume-binding.ts'
import type { PersistentVolumeClaim } from '../../api/generated/types.ts'
import { compareQuantity } from '../../api/machinery/quantity.ts'
import type { Controller } from '../../client/controller.ts'
import { keyOf } from '../../client/key.ts'
import { persistentVolumeClaims } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'

/** Tells that a claim that is to grow waits for its driver: no volume is grown by anybody else. */
export function newExpandController({ clock, events, informers }: ControllerDeps): Controller {
  const queue = new WorkQueue({ clock, name: 'volume_expand' })
  const claims = informers.for<PersistentVolumeClaim>(persistentVolumeClaims)
  const isToGrow = (claim: Live<PersistentVolumeClaim>) =>
    claim.status?.phase === 'Bound' && compareQuantity(requestOf(claim), claim.status.capacity?.storage ?? '0') > 0
  claims.on({
    update(before, after) {
      if (requestOf(before) !== requestOf(after) && isToGrow(after)) queue.add(keyOf(after))
    },
  })
  return {
    name: 'expand',
    queue,
    async reconcile(key) {
      const claim = claims.lister.byKey(key)
      if (!claim || !isToGrow(claim)) return
      const about = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: claim.metadata }
      events.event(about, 'Normal', 'ExternalExpanding', 'waiting for an external controller to expand this PVC')
      return
    },
  }
}
