import { formatQuantity, isQuantity, quantityValue } from '../../api/machinery/quantity.ts'
import type { FileSystem, Reserves } from '../node/machine.ts'

/** What a node keeps an eye on, in upstream's words. */
export const signals = [
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'pid.available',
] as const
export type Signal = (typeof signals)[number]

/** Below it, the node defends itself. A share is one of the capacity. */
export type Threshold = { signal: Signal } & ({ amount: number } | { share: number })

/** Upstream's, and a share of process numbers that no node can do without. */
export const defaultThresholds =
  'memory.available<100Mi,nodefs.available<10%,nodefs.inodesFree<5%,imagefs.available<15%,imagefs.inodesFree<5%,pid.available<5%'

/** Reads `memory.available<100Mi,nodefs.available<10%`. What is not named is not watched. Throws an Error that says why not. */
export function parseThresholds(text: string): Threshold[] {
  const all = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .map(thresholdOf)
  const twice = all.find(({ signal }, i) => all.findIndex((other) => other.signal === signal) < i)
  if (twice) throw new Error(`${twice.signal} is named twice`)
  // As upstream has it: so the default of one signal is turned off.
  return all.filter((threshold) => !('share' in threshold) || (threshold.share > 0 && threshold.share < 1))
}

function thresholdOf(text: string): Threshold {
  const [, name, value = ''] = /^([^<]*)<(.*)$/.exec(text) ?? []
  const signal = signals.find((known) => known === name)
  if (!signal) throw new Error(`${JSON.stringify(text)} is not one of ${signals.join(', ')}, then < and an amount`)
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(value)?.[1]
  if (percent !== undefined && Number(percent) <= 100) return { signal, share: Number(percent) / 100 }
  if (!isQuantity(value) || quantityValue(value) < 0) {
    throw new Error(`${signal}: ${JSON.stringify(value)} is neither a quantity nor a percentage`)
  }
  return { signal, amount: quantityValue(value) }
}

/** How much of something there is, and how much of that is left. */
interface Observation {
  capacity: number
  available: number
}

/** What a signal looks at; undefined: there is nothing to be seen. */
function observe(signal: Signal, reserves: Reserves): Observation | undefined {
  const { memoryBytes, memoryAvailableBytes, nodefs, imagefs, pids, maxPids } = reserves
  const space = (fs: FileSystem | undefined) => fs && { capacity: fs.bytes, available: fs.availableBytes }
  // Some file systems make inodes as they need them, and count none.
  const inodes = (fs: FileSystem | undefined) =>
    fs && fs.inodes > 0 ? { capacity: fs.inodes, available: fs.inodesFree } : undefined
  switch (signal) {
    case 'memory.available':
      return { capacity: memoryBytes, available: memoryAvailableBytes }
    case 'nodefs.available':
      return space(nodefs)
    case 'nodefs.inodesFree':
      return inodes(nodefs)
    case 'imagefs.available':
      return space(imagefs)
    case 'imagefs.inodesFree':
      return inodes(imagefs)
    case 'pid.available':
      return { capacity: maxPids, available: maxPids - pids }
  }
}

/** A threshold that is crossed: what there should be at least, and what there is. */
export interface Shortage {
  signal: Signal
  threshold: number
  available: number
}

/** What is short, memory first: it is the first to do harm. */
export function shortages(thresholds: readonly Threshold[], reserves: Reserves): Shortage[] {
  return thresholds
    .flatMap((threshold) => {
      const seen = observe(threshold.signal, reserves)
      if (!seen) return []
      const least = leastOf(threshold, seen.capacity)
      return seen.available < least ? [{ signal: threshold.signal, threshold: least, available: seen.available }] : []
    })
    .sort((a, b) => signals.indexOf(a.signal) - signals.indexOf(b.signal))
}

const leastOf = (threshold: Threshold, capacity: number): number =>
  'share' in threshold ? Math.floor(threshold.share * capacity) : threshold.amount

/** What of the capacity is kept back for a signal's threshold, and so is not for pods. */
export function keptBack(thresholds: readonly Threshold[], signal: Signal, capacity: number): number {
  const threshold = thresholds.find((known) => known.signal === signal)
  return threshold ? leastOf(threshold, capacity) : 0
}

/** The resource that is short, as evictions name it. */
export type StarvedResource = 'memory' | 'ephemeral-storage' | 'inodes' | 'pids'

export function resourceOf(signal: Signal): StarvedResource {
  if (signal === 'memory.available') return 'memory'
  if (signal === 'pid.available') return 'pids'
  return signal.endsWith('.available') ? 'ephemeral-storage' : 'inodes'
}

/** An amount as it is told to people. */
export const amountInWords = (resource: StarvedResource, amount: number): string =>
  formatQuantity({
    nanos: BigInt(Math.round(amount)) * 1_000_000_000n,
    format: resource === 'memory' || resource === 'ephemeral-storage' ? 'BinarySI' : 'DecimalSI',
  })
