import type { Columns, ResourceColumn } from '../cache/columns.ts'
import { isScalarResource, type Requests } from '../framework/requests.ts'
import type { ResourceSpec } from './args.ts'

/** One resource as a score sees it: what a node has, what is taken of it, and what a pod would add. */
export interface ResourceAmounts {
  readonly weight: number
  allocatable(row: number): number
  taken(row: number): number
  wanted(requests: Requests): number
  /** Resources that not every node has count only for pods that ask for them. */
  readonly isOptional: boolean
}

/**
 * The resources of a score. With `madeUp`, a container that says nothing of cpu or memory counts as asking for a little, as
 * upstream's NodeResourcesFit has it.
 */
export function resourceAmounts(
  columns: Columns,
  resources: readonly ResourceSpec[],
  { madeUp }: { madeUp: boolean },
): readonly ResourceAmounts[] {
  return resources.map(({ name, weight }): ResourceAmounts => {
    const isOptional = isScalarResource(name)
    const column = columnOf(columns, name)
    const plain: ResourceAmounts = {
      weight,
      isOptional,
      allocatable: (row) => column()?.allocatable[row] ?? 0,
      taken: (row) => column()?.requested[row] ?? 0,
      wanted: amountIn(name),
    }
    if (!madeUp) return plain
    if (name === 'cpu') {
      return { ...plain, taken: (row) => columns.scoredCpu[row] ?? 0, wanted: ({ wantedMilliCpu }) => wantedMilliCpu }
    }
    if (name === 'memory') {
      return {
        ...plain,
        taken: (row) => columns.scoredMemory[row] ?? 0,
        wanted: ({ wantedMemoryBytes }) => wantedMemoryBytes,
      }
    }
    return plain
  })
}

function columnOf(columns: Columns, name: string): () => ResourceColumn | undefined {
  switch (name) {
    case 'cpu':
      return () => columns.cpu
    case 'memory':
      return () => columns.memory
    case 'ephemeral-storage':
      return () => columns.storage
    default:
      return () => columns.scalars.get(name)
  }
}

function amountIn(name: string): (requests: Requests) => number {
  switch (name) {
    case 'cpu':
      return ({ milliCpu }) => milliCpu
    case 'memory':
      return ({ memoryBytes }) => memoryBytes
    case 'ephemeral-storage':
      return ({ storageBytes }) => storageBytes
    default:
      return ({ scalars }) => scalars.find(([resource]) => resource === name)?.[1] ?? 0
  }
}
