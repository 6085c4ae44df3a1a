import { inCidr, prefixOf } from '../../node-agent/network/addresses.ts'

/** The first of 10.89.0.0/24, 10.89.1.0/24, … that overlaps with none of those taken (`address/bits`). */
export function freeSubnet(taken: readonly string[]): string {
  for (let third = 0; third < 256; third++) {
    const candidate = `10.89.${third}.0/24`
    if (!taken.some((other) => overlap(candidate, other))) return candidate
  }
  throw new Error('all of 10.89.0.0/16 is taken on this machine: choose a subnet for the nodes yourself')
}

/** Of two networks that overlap, the wider holds the other's address. */
function overlap(a: string, b: string): boolean {
  const [wide, narrow] = prefixOf(a) <= prefixOf(b) ? [a, b] : [b, a]
  return inCidr(wide, narrow.slice(0, narrow.indexOf('/')))
}
