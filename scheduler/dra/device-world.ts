import type { DeviceClass, ResourceSlice, ResourceV1ResourceClaim } from '../../api/generated/types.ts'
import type { InformerFactory } from '../../client/informer.ts'
import { deviceClasses, resourceClaims, resourceSlices } from '../../client/resources.ts'
import type { Live } from '../../client/types.ts'
import { TakenDevices } from './taken-devices.ts'

export type Claim = Live<ResourceV1ResourceClaim>
export type Slice = Live<ResourceSlice>

/** What is known of devices, and of who has them. */
export interface DeviceWorld {
  claim(namespace: string, name: string): Claim | undefined
  deviceClass(name: string): Live<DeviceClass> | undefined
  slices: Slices
  /** Shared by all profiles: none may give away what another has promised. */
  taken: TakenDevices
}

/** The devices that drivers tell of, in pieces. */
export interface Slices {
  /** Those of this node alone. */
  on(node: string): readonly Slice[]
  /** Those of several nodes. */
  shared(): readonly Slice[]
  ofPool(driver: string, pool: string): readonly Slice[]
}

const byNode = 'node'
const byPool = 'pool'
const noNode = ''

/** Followed by informers. Ask for it before they are started. */
export function newDeviceWorld(informers: InformerFactory): DeviceWorld {
  const taken = new TakenDevices()
  const claims = informers.for(resourceClaims)
  claims.on({
    add: (claim) => taken.set(claim),
    update: (_before, claim) => taken.set(claim),
    delete: (claim) => taken.delete(claim),
  })
  const classes = informers.for(deviceClasses).lister
  const slices = informers.for(resourceSlices, {
    indexers: {
      [byNode]: ({ spec }) => [spec.nodeName ?? noNode],
      [byPool]: ({ spec }) => [`${spec.driver}/${spec.pool.name}`],
    },
  }).lister
  return {
    claim: (namespace, name) => claims.lister.get(namespace, name),
    deviceClass: (name) => classes.get(undefined, name),
    slices: {
      on: (node) => slices.byIndex(byNode, node),
      shared: () => slices.byIndex(byNode, noNode),
      ofPool: (driver, pool) => slices.byIndex(byPool, `${driver}/${pool}`),
    },
    taken,
  }
}
