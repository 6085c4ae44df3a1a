import { Counter, Histogram, type Registry } from 'prom-client'
import type { MirrorPlan } from './plan.ts'

const prefix = 'endpoint_slice_mirroring_controller'

/** What is counted of mirroring, under upstream's names. */
export function mirrorMetrics(registry: Registry) {
  const perSync = (name: string, help: string) =>
    new Histogram({
      name: `${prefix}_${name}_per_sync`,
      help,
      buckets: Array.from({ length: 15 }, (_, i) => 2 * 2 ** i),
      registers: [registry],
    })
  const added = perSync('endpoints_added', 'Endpoints added by a sync')
  const updated = perSync('endpoints_updated', 'Endpoints changed by a sync')
  const removed = perSync('endpoints_removed', 'Endpoints removed by a sync')
  const skipped = perSync('addresses_skipped', 'Addresses that a sync did not mirror')
  const changes = new Counter({
    name: `${prefix}_changes`,
    help: 'Slices written',
    labelNames: ['operation'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: `${prefix}_endpoints_sync_duration`,
    help: 'Seconds a sync took',
    buckets: Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i),
    registers: [registry],
  })
  return {
    synced(plan: MirrorPlan, seconds: number): void {
      added.observe(plan.changes.added)
      updated.observe(plan.changes.updated)
      removed.observe(plan.changes.removed)
      skipped.observe(plan.skipped)
      duration.observe(seconds)
    },
    wrote(operation: 'create' | 'update' | 'delete'): void {
      changes.inc({ operation })
    },
  }
}
