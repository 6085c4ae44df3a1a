import type { Columns } from '../cache/columns.ts'
import { maxScore, type Plugin } from '../framework/plugin.ts'
import type { Requests } from '../framework/requests.ts'
import { defaultArgs } from './args.ts'
import { resourceAmounts } from './resource-amounts.ts'

/** Prefers nodes whose resources (cpu and memory, by default) end up used in more equal parts than they were. */
export function newNodeResourcesBalancedAllocation(
  columns: Columns,
  args = defaultArgs.NodeResourcesBalancedAllocation,
): Plugin {
  const resources = resourceAmounts(columns, args.resources, { madeUp: false })
  const isUsual = args === defaultArgs.NodeResourcesBalancedAllocation
  const gain = (requests: Requests, row: number): number => {
    const before: number[] = []
    const after: number[] = []
    for (const resource of resources) {
      const wanted = resource.wanted(requests)
      const allocatable = resource.allocatable(row)
      if (allocatable === 0 || (resource.isOptional && wanted === 0)) continue
      const taken = resource.taken(row)
      before.push(Math.min(taken / allocatable, 1))
      after.push(Math.min((taken + wanted) / allocatable, 1))
    }
    return balanceOf(after) - balanceOf(before)
  }
  /** The same for cpu and memory, spelled out: it runs more often than most. */
  const usualGain = ({ milliCpu, memoryBytes }: Requests, row: number): number => {
    const { cpu, memory } = columns
    const cpus = cpu.allocatable[row] as number
    const bytes = memory.allocatable[row] as number
    if (cpus === 0 || bytes === 0) return 0
    const cpuTaken = cpu.requested[row] as number
    const memoryTaken = memory.requested[row] as number
    const deviation = (moreCpu: number, moreMemory: number) =>
      Math.abs((Math.min((cpuTaken + moreCpu) / cpus, 1) - Math.min((memoryTaken + moreMemory) / bytes, 1)) / 2)
    return score(deviation(milliCpu, memoryBytes)) - score(deviation(0, 0))
  }
  return {
    name: 'NodeResourcesBalancedAllocation',
    basis: { score: 'node' },
    // Pods that ask for nothing change no balance: they would all go to one node.
    preScore: (_state, { requests }) => (resources.every(({ wanted }) => wanted(requests) === 0) ? 'skip' : undefined),
    score(_state, { requests }, { row }) {
      const more = isUsual ? usualGain(requests, row) : gain(requests, row)
      return maxScore / 2 + Math.trunc((maxScore / 2 + more) / 2)
    },
  }
}

const score = (deviation: number): number => Math.trunc((1 - deviation) * maxScore)

/** The highest score less the standard deviation of the fractions; one alone deviates from nothing. */
function balanceOf(fractions: readonly number[]): number {
  const [a, b] = fractions
  if (a === undefined || b === undefined) return maxScore
  if (fractions.length === 2) return score(Math.abs((a - b) / 2))
  const mean = fractions.reduce((sum, each) => sum + each, 0) / fractions.length
  const squares = fractions.reduce((sum, each) => sum + (each - mean) * (each - mean), 0)
  return score(Math.sqrt(squares / fractions.length))
}
