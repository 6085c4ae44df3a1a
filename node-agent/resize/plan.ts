import type { Container } from '../../api/generated/types.ts'
import { latestContainer, type ObservedContainer, type ObservedPod, type RuntimeResources } from '../pods/observed.ts'
import { type BoundPod, isSidecar } from '../pods/types.ts'

/** What the kernel holds a container to; 0: no limit. */
export type Bounds = Pick<RuntimeResources, 'cpuShares' | 'cpuQuota' | 'memoryLimitInBytes'>

/** What the kernel holds the pod's group to, in the group's own numbers; 0: no limit. */
export interface PodBounds {
  /** cpu.shares or cpu.weight. */
  cpuShare: number
  /** Microseconds in a period. */
  cpuQuota: number
  memoryBytes: number
}

export interface ContainerChange {
  id: string
  name: string
  has: Bounds
  wants: Bounds
}

/** What running containers lack of what was granted. */
export interface ResizePlan {
  /** Names of containers that must be started anew for it. */
  restart: Set<string>
  change: ContainerChange[]
}

/** One thing to do, of several in this order. */
export type ResizeStep =
  | { do: 'limit pod'; bounds: Partial<PodBounds> }
  | { do: 'update container'; id: string; name: string; bounds: Bounds }

/** Compares what runs with what was granted. Containers that do not run get it when they start. Pure. */
export function planResize(
  pod: BoundPod,
  observed: ObservedPod,
  boundsOf: (container: Container) => Bounds,
): ResizePlan {
  const plan: ResizePlan = { restart: new Set(), change: [] }
  for (const container of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) {
    const running = latestContainer(observed, container.name)
    if (running?.state !== 'running' || !running.resources) continue
    const wants = boundsOf(container)
    if (mustRestart(container, running, wants)) {
      const isInit = pod.spec.initContainers?.includes(container) && !isSidecar(container)
      if (!isInit) plan.restart.add(container.name)
      continue
    }
    const { cpuShares, cpuQuota, memoryLimitInBytes } = running.resources
    const has: Bounds = { cpuShares, cpuQuota: Math.max(0, cpuQuota), memoryLimitInBytes }
    if (sameCpu(has, wants) && has.memoryLimitInBytes === wants.memoryLimitInBytes) continue
    plan.change.push({ id: running.id, name: container.name, has, wants })
  }
  return plan
}

const sameCpu = (a: Bounds, b: Bounds): boolean => a.cpuShares === b.cpuShares && a.cpuQuota === b.cpuQuota

/** Whether an amount has changed of which the container must hear by being started anew. */
function mustRestart({ resizePolicy = [], resources }: Container, running: ObservedContainer, wants: Bounds): boolean {
  return resizePolicy.some(({ resourceName, restartPolicy }) => {
    if (restartPolicy !== 'RestartContainer') return false
    const { madeWith, resources: has } = running
    if (madeWith) {
      return (['requests', 'limits'] as const).some(
        (list) => madeWith[list]?.[resourceName] !== resources?.[list]?.[resourceName],
      )
    }
    if (!has) return false
    return resourceName === 'cpu' ? !sameCpu(has, wants) : has.memoryLimitInBytes !== wants.memoryLimitInBytes
  })
}

/**
 * The order of changes: memory first; the pod's group grows before its containers and shrinks after them, limits before
 * requests on the way up and after them on the way down; of the containers, those that give something back come first.
 * So no container is ever given more than its pod has.
 */
export function resizeSteps({ change }: ResizePlan, has: PodBounds, wants: PodBounds): ResizeStep[] {
  const steps: ResizeStep[] = []
  const limitPod = (bounds: Partial<PodBounds>): void => void steps.push({ do: 'limit pod', bounds })
  // What containers have while memory is changed and the processor is not yet.
  const now = new Map(change.map(({ id, has }) => [id, { ...has }]))
  const update = (changes: readonly ContainerChange[], set: (bounds: Bounds, wants: Bounds) => void): void => {
    for (const { id, name, wants } of changes) {
      const bounds = now.get(id) as Bounds
      set(bounds, wants)
      steps.push({ do: 'update container', id, name, bounds: { ...bounds } })
    }
  }

  if (more(wants.memoryBytes, has.memoryBytes)) limitPod({ memoryBytes: wants.memoryBytes })
  const memory = change.filter(({ has, wants }) => has.memoryLimitInBytes !== wants.memoryLimitInBytes)
  update(shrinkingFirst(memory, 'memoryLimitInBytes'), (bounds, { memoryLimitInBytes }) =>
    Object.assign(bounds, { memoryLimitInBytes }),
  )
  if (more(has.memoryBytes, wants.memoryBytes)) limitPod({ memoryBytes: wants.memoryBytes })

  if (more(wants.cpuQuota, has.cpuQuota)) limitPod({ cpuQuota: wants.cpuQuota })
  if (wants.cpuShare > has.cpuShare) limitPod({ cpuShare: wants.cpuShare })
  const cpu = change.filter(({ has, wants }) => !sameCpu(has, wants))
  const quotaChanges = cpu.some(({ has, wants }) => has.cpuQuota !== wants.cpuQuota)
  update(shrinkingFirst(cpu, quotaChanges ? 'cpuQuota' : 'cpuShares'), (bounds, { cpuShares, cpuQuota }) =>
    Object.assign(bounds, { cpuShares, cpuQuota }),
  )
  if (wants.cpuShare < has.cpuShare) limitPod({ cpuShare: wants.cpuShare })
  if (more(has.cpuQuota, wants.cpuQuota)) limitPod({ cpuQuota: wants.cpuQuota })
  return steps
}

/** More than the other, where 0 has no limit. */
const more = (a: number, b: number): boolean => a !== b && (a === 0 || (b !== 0 && a > b))

function shrinkingFirst(changes: readonly ContainerChange[], what: keyof Bounds): ContainerChange[] {
  const grows = ({ has, wants }: ContainerChange) => Number(more(wants[what], has[what]))
  return changes.toSorted((a, b) => grows(a) - grows(b))
}

/** Memory in use, in bytes: of containers by name, and of the whole pod; undefined: not known. */
export interface MemoryInUse {
  pod: number | undefined
  containers: ReadonlyMap<string, number>
}

/** Why memory limits cannot be lowered now: more is in use. Undefined: they can. */
export function shrinkFault(
  { change }: ResizePlan,
  has: PodBounds,
  wants: PodBounds,
  inUse: MemoryInUse,
): string | undefined {
  const faults: string[] = []
  if (more(has.memoryBytes, wants.memoryBytes) && inUse.pod !== undefined && inUse.pod >= wants.memoryBytes) {
    faults.push(`attempting to set pod memory limit (${wants.memoryBytes}) below current usage (${inUse.pod})`)
  }
  for (const { name, has, wants } of change) {
    const limit = wants.memoryLimitInBytes
    const used = inUse.containers.get(name)
    if (!more(has.memoryLimitInBytes, limit) || used === undefined || used < limit) continue
    faults.push(`attempting to set container "${name}" memory limit (${limit}) below current usage (${used})`)
  }
  if (faults.length === 0) return undefined
  return `cannot decrease memory limits: ${faults.length > 1 ? `[${faults.join(', ')}]` : faults[0]}`
}
