import type { Columns } from '../cache/columns.ts'
import { maxScore, type Plugin } from '../framework/plugin.ts'

/** Prefers nodes whose cpu and memory end up used in more equal parts than they were. */
export const newNodeResourcesBalancedAllocation = (columns: Columns): Plugin => ({
  name: 'NodeResourcesBalancedAllocation',
  // Pods that ask for nothing change no balance: they would all go to one node.
  preScore: (_state, { requests }) => (requests.milliCpu === 0 && requests.memoryBytes === 0 ? 'skip' : undefined),
  score(_state, { requests }, { row }) {
    const { cpu, memory } = columns
    const balance = (milliCpu: number, memoryBytes: number) =>
      balanceOf(
        fraction((cpu.requested[row] as number) + milliCpu, cpu.allocatable[row] as number),
        fraction((memory.requested[row] as number) + memoryBytes, memory.allocatable[row] as number),
      )
    const gain = balance(requests.milliCpu, requests.memoryBytes) - balance(0, 0)
    return maxScore / 2 + Math.trunc((maxScore / 2 + gain) / 2)
  },
})

/** Undefined for what the node does not have. */
const fraction = (requested: number, allocatable: number): number | undefined =>
  allocatable === 0 ? undefined : Math.min(requested / allocatable, 1)

/** The highest score less the deviation of two fractions; one alone deviates from nothing. */
function balanceOf(a: number | undefined, b: number | undefined): number {
  const deviation = a === undefined || b === undefined ? 0 : Math.abs((a - b) / 2)
  return Math.trunc((1 - deviation) * maxScore)
}
