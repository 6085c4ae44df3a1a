import { isIPv4, isIPv6 } from 'node:net'

/** Addresses of one family, as numbers. */
export interface IpRange {
  cidr: string
  family: 'IPv4' | 'IPv6'
  /** The network's own address; never given out. */
  base: bigint
  /** How many addresses there are, the first and (IPv4) the last included. */
  size: bigint
}

/** Reads `10.96.0.0/16` or `fd00::/108`. Throws an Error that says what is wrong. */
export function parseRange(cidr: string): IpRange {
  const [ip = '', bits = ''] = cidr.split('/')
  const width = isIPv4(ip) ? 32 : isIPv6(ip) ? 128 : 0
  const prefix = Number(bits)
  if (width === 0 || !/^\d{1,3}$/.test(bits) || prefix > width) {
    throw new Error(`${JSON.stringify(cidr)} is not a range of addresses such as 10.96.0.0/16`)
  }
  const size = 1n << BigInt(width - prefix)
  const base = (ipToNumber(ip) / size) * size
  return { cidr, family: width === 32 ? 'IPv4' : 'IPv6', base, size }
}

/** The n-th address of a range. */
export const addressAt = ({ base, family }: IpRange, n: bigint): string => numberToIp(base + n, family)

export function contains({ base, size, family }: IpRange, ip: string): boolean {
  if (familyOf(ip) !== family) return false
  const number = ipToNumber(ip)
  return number > base && number < base + size
}

export const familyOf = (ip: string): 'IPv4' | 'IPv6' => (ip.includes(':') ? 'IPv6' : 'IPv4')

/** One spelling for each address, so that equal addresses have equal names. */
export const canonicalIp = (ip: string): string => numberToIp(ipToNumber(ip), familyOf(ip))

function ipToNumber(ip: string): bigint {
  if (isIPv4(ip)) return ip.split('.').reduce((sum, part) => sum * 256n + BigInt(Number(part)), 0n)
  const dotted = ip.match(/^(.*:)(\d+\.\d+\.\d+\.\d+)$/)
  let text = ip
  if (dotted) {
    const low = ipToNumber(dotted[2] as string)
    text = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`
  }
  const [head = '', tail] = text.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return groups.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n)
}

function numberToIp(number: bigint, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => Number((number >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((number >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  // RFC 5952: the longest run of zeros, two at least, is written as two colons.
  let best = { at: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (groups[i + length] === '0') length++
    if (length > best.length) best = { at: i, length }
    i += length
  }
  if (best.at < 0) return groups.join(':')
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`
}
