import { podQOS } from '../../api/core/pod-qos.ts'
import type { Container, PodSpec } from '../../api/generated/types.ts'
import { quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import { type BoundPod, isSidecar } from '../pods/types.ts'
import type { LinuxContainerResources } from '../runtime/cri.ts'

/** Microseconds: the kernel's usual period. */
export const quotaPeriod = 100_000
const minQuota = 1000
const minShares = 2
const maxShares = 262_144

/** cgroup v1's cpu.shares for thousandths of a core. */
export const cpuShares = (milli: number): number =>
  Math.min(maxShares, Math.max(minShares, Math.floor((milli * 1024) / 1000)))

/** Microseconds of processor time in a period; 0: no limit. */
export const cpuQuota = (milli: number): number =>
  milli === 0 ? 0 : Math.max(minQuota, Math.floor((milli * quotaPeriod) / 1000))

/** cpu.weight of cgroup v2 for cpu.shares of v1. */
export const cpuWeight = (shares: number): number =>
  Math.floor(1 + ((shares - minShares) * 9999) / (maxShares - minShares))

/** What the kernel is told of a container's resources. */
export function containerResources(
  pod: BoundPod,
  container: Container,
  memoryCapacity: number,
): Partial<LinuxContainerResources> {
  const { requests = {}, limits = {} } = container.resources ?? {}
  const ofPod = pod.spec.resources?.limits ?? {}
  const cpuLimit = quantityMilli(limits.cpu ?? ofPod.cpu)
  const memoryLimit = quantityValue(limits.memory ?? ofPod.memory)
  return {
    cpuShares: cpuShares(requests.cpu === undefined ? cpuLimit : quantityMilli(requests.cpu)),
    cpuPeriod: quotaPeriod,
    cpuQuota: cpuQuota(cpuLimit),
    ...(memoryLimit > 0 ? { memoryLimitInBytes: memoryLimit } : {}),
    oomScoreAdj: oomScore(pod, container, memoryCapacity),
  }
}

const nodeCritical = 2_000_001_000

/** Who dies first when memory is short: what asked for the least. */
export function oomScore(pod: BoundPod, container: Container, memoryCapacity: number): number {
  if ((pod.spec.priority ?? 0) >= nodeCritical) return -997
  switch (podQOS(pod)) {
    case 'Guaranteed':
      return -997
    case 'BestEffort':
      return 1000
    case 'Burstable':
  }
  const score = (bytes: number): number => 1000 - Math.floor((1000 * bytes) / memoryCapacity)
  const own = score(quantityValue(container.resources?.requests?.memory))
  const adjusted = isSidecar(container) ? Math.min(own, score(leastRegularMemory(pod.spec))) : own
  return Math.min(999, Math.max(3, adjusted))
}

const leastRegularMemory = ({ containers }: PodSpec): number =>
  Math.min(...containers.map(({ resources }) => quantityValue(resources?.requests?.memory)))
