import type {
  AllocationResult,
  Device,
  DeviceClaim,
  DeviceClass,
  DeviceSelector,
  ResourceClaimStatus,
  ResourceSliceSpec,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Claim, Slice } from '../dra/device-world.ts'

export const driver = 'gpu.example.com'

/** Devices `name-0`, `name-1`, and so on. */
export const devices = (name: string, count: number, more: Partial<Device> = {}): Device[] =>
  Array.from({ length: count }, (_, i) => ({ name: `${name}-${i}`, ...more }))

/** The whole of a pool on one node, unless said otherwise. */
export function slice(
  node: string | undefined,
  its: Device[],
  { pool, name, ...spec }: Partial<ResourceSliceSpec> & { name?: string } = {},
): Slice {
  const poolName = node ?? 'everywhere'
  return {
    metadata: { name: name ?? `slice-of-${pool?.name ?? poolName}` },
    spec: {
      driver,
      ...(node === undefined ? {} : { nodeName: node }),
      devices: its,
      pool: { name: poolName, generation: 1, resourceSliceCount: 1, ...pool },
      ...spec,
    },
  }
}

export const cel = (...expressions: string[]): DeviceSelector[] =>
  expressions.map((expression) => ({ cel: { expression } }))

export const deviceClass = (name = 'gpus', spec: Partial<DeviceClass['spec']> = {}): Live<DeviceClass> => ({
  metadata: { name },
  spec,
})

export const claim = (
  name: string,
  its: DeviceClaim = { requests: [{ name: 'gpu', exactly: { deviceClassName: 'gpus', count: 1 } }] },
  status?: ResourceClaimStatus,
): Claim => ({
  metadata: { name, namespace: 'default', uid: `uid-of-${name}`, resourceVersion: '1' },
  spec: { devices: its },
  ...(status ? { status } : {}),
})

/** One device of the node's pool. */
export const allocated = (device: string, node = 'a'): AllocationResult => ({
  devices: { results: [{ request: 'gpu', driver, pool: node, device }] },
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }],
  },
})
