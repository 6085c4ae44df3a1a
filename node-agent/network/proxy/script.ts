import type { IpFamily } from '../../../api/core/ip.ts'
import type { Delta, Element } from './ruleset.ts'

/**
 * The commands for `nft -f -` that carry out a change, all or nothing. Chains that are no longer wanted are emptied here and
 * deleted by a later script, with `staleChains`: kernels before 6.2 still count a reference from a map for a while.
 */
export function deltaScript(
  delta: Delta,
  table: string,
  family: IpFamily,
  staleChains: readonly string[] = [],
): string {
  const name = `${family === 'IPv4' ? 'ip' : 'ip6'} ${table}`
  const address = family === 'IPv4' ? 'ipv4_addr' : 'ipv6_addr'
  const lines: string[] = []
  // Nothing may refer to what goes: first the elements, then the rules, then the sets.
  lines.push(...elementLines('delete', name, delta.removeElements))
  for (const chain of delta.removeChains) lines.push(`flush chain ${name} ${chain}`)
  for (const { name: chain } of delta.writeChains)
    lines.push(`add chain ${name} ${chain}`, `flush chain ${name} ${chain}`)
  for (const set of delta.removeSets) lines.push(`delete set ${name} ${set}`)
  for (const { name: set, timeoutSeconds, withPort } of delta.addSets) {
    const type = withPort ? `${address} . inet_proto . inet_service` : address
    const flags = timeoutSeconds === undefined ? '' : ` flags dynamic,timeout; timeout ${timeoutSeconds}s;`
    lines.push(`add set ${name} ${set} { type ${type};${flags} }`)
  }
  for (const { name: chain, rules } of delta.writeChains)
    for (const rule of rules) lines.push(`add rule ${name} ${chain} ${rule}`)
  lines.push(...elementLines('add', name, delta.addElements))
  for (const chain of staleChains) lines.push(`delete chain ${name} ${chain}`)
  return lines.map((line) => `${line}\n`).join('')
}

function elementLines(verb: 'add' | 'delete', table: string, elements: readonly Element[]): string[] {
  const bySet = new Map<string, string[]>()
  for (const { set, key, verdict } of elements) {
    const texts = bySet.get(set) ?? []
    if (texts.length === 0) bySet.set(set, texts)
    texts.push(verb === 'add' && verdict !== undefined ? `${key} : ${verdict}` : key)
  }
  return [...bySet].map(([name, texts]) => `${verb} element ${table} ${name} { ${texts.join(', ')} }`)
}
