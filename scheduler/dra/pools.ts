import { type NodeIdentity, nodeSelectorTest } from '../../api/core/node-choice.ts'
import type { Device } from '../../api/generated/types.ts'
import type { Slice, Slices } from './device-world.ts'
import { deviceId } from './taken-devices.ts'

/** A device that can be reached from a node. */
export interface OfferedDevice {
  readonly id: string
  readonly driver: string
  readonly pool: string
  readonly device: Device
  readonly slice: Slice
}

/** The devices of a pool that can be reached from a node; none where they cannot be relied on. */
export interface Pool {
  /** `driver/pool` */
  readonly id: string
  readonly devices: readonly OfferedDevice[]
  /** Its driver is about to write the rest of it; or has said the same name twice. */
  readonly fault?: 'incomplete' | 'invalid'
}

/**
 * The pools with devices for a node, each as its driver last wrote it. Slices of the features that are not stable yet
 * (devices that say themselves where they are, counters that devices share) are nobody's, as upstream has it without them.
 */
export function gatherPools(slices: Slices, node: NodeIdentity): Pool[] {
  const newest = new Map<string, Slice[]>()
  for (const slice of [...slices.on(node.name), ...slices.shared().filter((each) => isReached(each, node))]) {
    const { driver, pool } = slice.spec
    const id = `${driver}/${pool.name}`
    const known = newest.get(id)
    const generation = known?.[0]?.spec.pool.generation
    if (!known || generation === undefined || pool.generation > generation) newest.set(id, [slice])
    else if (pool.generation === generation) known.push(slice)
  }
  return [...newest].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([id, found]) => poolOf(slices, id, found) ?? [])
}

function isReached({ spec }: Slice, node: NodeIdentity): boolean {
  if (spec.perDeviceNodeSelection || spec.sharedCounters?.length) return false
  return spec.allNodes === true || (spec.nodeSelector !== undefined && nodeSelectorTest(spec.nodeSelector)(node))
}

/** Undefined for a pool of which there is a newer version that has nothing for the node. */
function poolOf(slices: Slices, id: string, found: readonly Slice[]): Pool | undefined {
  const [first] = found
  if (!first) return undefined
  const { driver, pool } = first.spec
  if (found.length !== pool.resourceSliceCount) {
    // Those for other nodes count as well.
    const all = slices.ofPool(driver, pool.name)
    if (all.some(({ spec }) => spec.pool.generation > pool.generation)) return undefined
    const count = all.filter(({ spec }) => spec.pool.generation === pool.generation).length
    if (count !== pool.resourceSliceCount) return { id, devices: [], fault: 'incomplete' }
  }
  const inOrder = [...found].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  const devices = inOrder.flatMap((slice) =>
    (slice.spec.devices ?? []).map((device) => ({
      id: deviceId(driver, pool.name, device.name),
      driver,
      pool: pool.name,
      device,
      slice,
    })),
  )
  const isInvalid = new Set(devices.map((device) => device.id)).size < devices.length
  return isInvalid ? { id, devices: [], fault: 'invalid' } : { id, devices }
}
