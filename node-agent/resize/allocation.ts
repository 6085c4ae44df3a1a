import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Container, PodSpec, ResourceRequirements } from '../../api/generated/types.ts'
import { latestContainer, type ObservedPod } from '../pods/observed.ts'
import { omitUndefined } from '../pods/omit.ts'
import type { BoundPod } from '../pods/types.ts'

/** What this node has granted a pod. Its specification may ask for something else by now. */
export interface Allocation {
  /** For the pod as a whole. */
  pod?: ResourceRequirements
  /** By container, init containers too. */
  containers: Record<string, ResourceRequirements>
}

const resizable = ({ initContainers = [], containers }: PodSpec): Container[] => [...initContainers, ...containers]

/** What the specification asks for. */
export function allocationOf(spec: PodSpec): Allocation {
  const containers = Object.fromEntries(resizable(spec).map(({ name, resources = {} }) => [name, resources]))
  return omitUndefined<Allocation>({ pod: spec.resources, containers })
}

/** The pod as it may run: with what it was granted in place of what it asks for. */
export function granted(pod: BoundPod, allocation: Allocation | undefined): BoundPod {
  if (!allocation || isDeepStrictEqual(allocation, allocationOf(pod.spec))) return pod
  const { resources: _, ...spec } = pod.spec
  const change = <T extends Container>(container: T): T => {
    const resources = allocation.containers[container.name]
    return resources ? { ...container, resources } : container
  }
  return {
    ...pod,
    spec: omitUndefined<PodSpec>({
      ...spec,
      resources: allocation.pod,
      initContainers: spec.initContainers?.map(change),
      containers: spec.containers.map(change),
    }),
  }
}

/**
 * What containers were made with, which is what was granted to a pod that was never resized; undefined: nothing differs
 * from the specification.
 */
export function allocationOfContainers(spec: PodSpec, observed: ObservedPod): Allocation | undefined {
  const allocation = allocationOf(spec)
  for (const { name } of resizable(spec)) {
    const made = latestContainer(observed, name)?.madeWith
    if (made) allocation.containers[name] = made
  }
  return isDeepStrictEqual(allocation, allocationOf(spec)) ? undefined : allocation
}

const fileOf = (podsDirectory: string, uid: string): string => join(podsDirectory, uid, 'allocation.json')

/** What an earlier agent has granted; undefined: it has never changed anything. */
export async function readAllocation(podsDirectory: string, uid: string): Promise<Allocation | undefined> {
  try {
    return JSON.parse(await readFile(fileOf(podsDirectory, uid), 'utf8')) as Allocation
  } catch (error) {
    // One that was cut short by a crash was never relied on.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

/** Keeps what is granted for an agent that comes after this one. */
export async function writeAllocation(podsDirectory: string, uid: string, allocation: Allocation): Promise<void> {
  const path = fileOf(podsDirectory, uid)
  await mkdir(join(podsDirectory, uid), { recursive: true, mode: 0o750 })
  await writeFile(`${path}.new`, JSON.stringify(allocation), { mode: 0o600 })
  await rename(`${path}.new`, path)
}
