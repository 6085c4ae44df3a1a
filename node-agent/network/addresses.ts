import { type Cidr, formatCidr, formatIp, type IpFamily, parseCidr, parseIp } from '../../api/core/ip.ts'

/** The canonical spelling of an address of that family; undefined for any other. */
export function canonicalIp(text: string | undefined, family: IpFamily): string | undefined {
  const ip = text === undefined ? undefined : parseIp(text)
  return ip?.family === family ? formatIp(ip) : undefined
}

/** The networks of that family in canonical spelling, without those that lie within another. */
export function disjointCidrs(texts: readonly string[], family: IpFamily): string[] {
  const cidrs = texts.map((text) => parseCidr(text.trim())).filter((cidr) => cidr?.ip.family === family) as Cidr[]
  cidrs.sort((a, b) => a.prefix - b.prefix)
  const kept: Cidr[] = []
  for (const cidr of cidrs) if (!kept.some((wide) => cidrContains(wide, cidr.network))) kept.push(cidr)
  return kept.map(formatCidr).sort()
}

/** True when the address lies in the network; false too when either is not one. */
export function inCidr(cidr: string, address: string): boolean {
  const network = parseCidr(cidr)
  const ip = parseIp(address)
  return network !== undefined && ip !== undefined && cidrContains(network, ip.bytes)
}

/** Address number `n` of the network: 1 is the first host of `10.244.0.0/24`. Throws when the text is no network. */
export function nthAddress(cidr: string, n: number): string {
  const network = parseCidr(cidr)
  if (!network) throw new Error(`${JSON.stringify(cidr)} is not a network: write it like 10.244.0.0/16`)
  const bytes = [...network.network]
  for (let i = bytes.length - 1, carry = n; i >= 0 && carry > 0; i--) {
    const sum = (bytes[i] as number) + carry
    bytes[i] = sum & 0xff
    carry = sum >> 8
  }
  return formatIp({ bytes })
}

/** The bits of the mask of `address/bits`. */
export function prefixOf(cidr: string): number {
  return Number(cidr.slice(cidr.indexOf('/') + 1))
}

function cidrContains({ network, prefix }: Cidr, bytes: readonly number[]): boolean {
  if (bytes.length !== network.length) return false
  for (let bit = 0; bit < prefix; bit += 8) {
    const kept = Math.min(8, prefix - bit)
    const mask = (0xff << (8 - kept)) & 0xff
    if (((bytes[bit / 8] as number) & mask) !== ((network[bit / 8] as number) & mask)) return false
  }
  return true
}
