import { isDNS1123Label } from '../../machinery/names.ts'

/** Warns of a workload's name that its pods cannot take for hostnames. */
export function workloadNameWarnings(name: string | undefined): string[] {
  const faults = isDNS1123Label(name ?? '')
  if (faults.length === 0) return []
  const text =
    'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended'
  return [`${text}: [${faults.join(' ')}]`]
}
