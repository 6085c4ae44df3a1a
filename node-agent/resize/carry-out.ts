import { podUidLabel } from '../containers/labels.ts'
import { containerResources, quotaPeriod } from '../containers/resources.ts'
import type { PodDeps } from '../pods/deps.ts'
import type { BoundPod } from '../pods/types.ts'
import { CriError } from '../runtime/cri.ts'
import { type Bounds, type MemoryInUse, type PodBounds, type ResizePlan, resizeSteps, shrinkFault } from './plan.ts'

type Deps = Pick<PodDeps, 'cri' | 'cgroups' | 'view' | 'node'>

/** What a container's kernel bounds follow from what the pod was granted. */
export const boundsIn =
  (pod: BoundPod, memoryCapacity: number) =>
  (container: Parameters<typeof containerResources>[1]): Bounds => {
    const { cpuShares = 0, cpuQuota = 0, memoryLimitInBytes = 0 } = containerResources(pod, container, memoryCapacity)
    return { cpuShares, cpuQuota, memoryLimitInBytes }
  }

/** Whether the pod's group is bound as it was granted. */
export async function podIsBound({ cgroups }: Deps, pod: BoundPod): Promise<boolean> {
  if (!cgroups) return true
  const has = await cgroups.read(pod)
  return has === undefined || resizeSteps({ restart: new Set(), change: [] }, has, cgroups.boundsOf(pod)).length === 0
}

/** Changes the groups of the pod and of its running containers. Answers why that cannot be done now, if so. */
export async function carryOutResize(deps: Deps, pod: BoundPod, plan: ResizePlan): Promise<string | undefined> {
  const { cri, cgroups, view } = deps
  const wants = cgroups?.boundsOf(pod) ?? unbound
  const seen = await cgroups?.read(pod)
  const has = seen ?? wants
  const fault = shrinkFault(plan, has, wants, await memoryInUse(deps, pod, plan, seen?.memoryInUse))
  if (fault !== undefined) return fault
  try {
    for (const step of resizeSteps(plan, has, wants)) {
      if (step.do === 'limit pod') await cgroups?.bind(pod, step.bounds)
      else {
        view.forget(step.id)
        await cri.updateContainerResources({ containerId: step.id, linux: linuxOf(step.bounds) })
      }
    }
  } catch (error) {
    // The kernel refuses what is less than is in use, and a container may have ended meanwhile.
    if (error instanceof CriError || isSystemError(error)) return error.message
    throw error
  }
  return undefined
}

const unbound: PodBounds = { cpuShare: 0, cpuQuota: 0, memoryBytes: 0 }

const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined

function linuxOf({ cpuShares, cpuQuota, memoryLimitInBytes }: Bounds) {
  return {
    cpuShares,
    cpuPeriod: quotaPeriod,
    ...(cpuQuota > 0 ? { cpuQuota } : {}),
    ...(memoryLimitInBytes > 0 ? { memoryLimitInBytes } : {}),
  }
}

async function memoryInUse({ cri }: Deps, pod: BoundPod, { change }: ResizePlan, ofPod: number | undefined) {
  const inUse: MemoryInUse & { containers: Map<string, number> } = { pod: ofPod, containers: new Map() }
  const shrinking = change.filter(({ has, wants }) => has.memoryLimitInBytes > wants.memoryLimitInBytes)
  if (shrinking.length === 0) return inUse
  const stats = await cri.listContainerStats({ labelSelector: { [podUidLabel]: pod.metadata.uid } })
  for (const { id, name } of shrinking) {
    const bytes = stats.find(({ attributes }) => attributes?.id === id)?.memory?.usageBytes?.value
    if (bytes !== undefined) inUse.containers.set(name, bytes)
  }
  return inUse
}
