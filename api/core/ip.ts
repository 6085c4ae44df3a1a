import { type FieldError, invalid } from '../machinery/field-errors.ts'

export type IpFamily = 'IPv4' | 'IPv6'

/** An address as fields of old may spell it: leading zeros and IPv4 inside IPv6 are understood, and remembered. */
export interface Ip {
  /** An IPv4-mapped IPv6 address counts as IPv4. */
  family: IpFamily
  /** 4 or 16 of them. */
  bytes: readonly number[]
  mapped: boolean
  leadingZeros: boolean
}

export interface Cidr {
  ip: Ip
  /** Bits of the mask, counted in the family of `ip`. */
  prefix: number
  network: readonly number[]
  leadingZeros: boolean
}

/** Reads an address, as leniently as the first API fields did; undefined when it is none. */
export function parseIp(text: string): Ip | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text)
}

/** Reads `address/bits` as leniently as {@link parseIp}. */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/')
  if (slash < 0) return undefined
  const ip = parseIp(text.slice(0, slash))
  const digits = text.slice(slash + 1)
  if (!ip || !/^\d{1,8}$/.test(digits)) return undefined
  const written = Number(digits)
  if (written > (ip.family === 'IPv4' && !ip.mapped ? 32 : 128)) return undefined
  const prefix = ip.mapped ? Math.max(0, written - 96) : written
  return {
    ip,
    prefix,
    network: masked(ip.bytes, prefix),
    leadingZeros: ip.leadingZeros || digits !== String(written),
  }
}

/** The spelling everybody agrees on (RFC 5952). */
export function formatIp({ bytes }: Pick<Ip, 'bytes'>): string {
  return bytes.length === 4 ? bytes.join('.') : formatIpv6(bytes)
}

/** The network in its canonical spelling. */
export const formatCidr = ({ network, prefix }: Cidr): string => `${formatIp({ bytes: network })}/${prefix}`

export const isIp = (text: string): boolean => parseIp(text) !== undefined

/** The family of an address; undefined when it is none. */
export const ipFamily = (text: string): IpFamily | undefined => parseIp(text)?.family

/** The family of `address/bits`; undefined when it is none. */
export const cidrFamily = (text: string): IpFamily | undefined => parseCidr(text)?.ip.family

/** One of each family among them. */
export const isDualStack = (families: readonly (IpFamily | undefined)[]): boolean =>
  families.includes('IPv4') && families.includes('IPv6')

/** True when `inner` lies within `outer` and is smaller. */
export function isStrictSubnet(outer: Cidr, inner: Cidr): boolean {
  if (outer.ip.family !== inner.ip.family || outer.prefix >= inner.prefix) return false
  return masked(inner.network, outer.prefix).every((byte, i) => byte === outer.network[i])
}

/** Faults of an address in a field that predates strict spelling. What the old object held is accepted. */
export function ipFaults(path: string, value: string, accepted: readonly string[] = []): FieldError[] {
  const fault = accepted.includes(value) ? undefined : ipFault(value)
  return fault === undefined ? [] : [invalid(path, value, fault)]
}

/** Faults of an address in a newer field: it must be spelt canonically. */
export const canonicalIpFaults = (path: string, value: string): FieldError[] =>
  canonicalIpMessages(value).map((fault) => invalid(path, value, fault))

/** The same as messages, for a name that is an address. */
export function canonicalIpMessages(value: string): string[] {
  const fault = ipFault(value)
  if (fault !== undefined) return [fault]
  const canonical = formatIp(parseIp(value) as Ip)
  return value === canonical ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`]
}

/** Faults of a network in a field that predates strict spelling. What the old object held is accepted. */
export function cidrFaults(path: string, value: string, accepted: readonly string[] = []): FieldError[] {
  if (accepted.includes(value)) return []
  const cidr = parseCidr(value)
  if (!cidr) return [invalid(path, value, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
  if (cidr.leadingZeros) return [invalid(path, value, 'must not have leading 0s in IP or prefix length')]
  if (cidr.ip.mapped) return [invalid(path, value, 'must not have an IPv4-mapped IPv6 address')]
  return hasHostBits(cidr) ? [invalid(path, value, 'must not have bits set beyond the prefix length')] : []
}

/** Faults of a network in a newer field: it must be spelt canonically. */
export function canonicalCidrFaults(path: string, value: string): FieldError[] {
  const faults = cidrFaults(path, value)
  if (faults.length > 0) return faults
  const canonical = formatCidr(parseCidr(value) as Cidr)
  return value === canonical ? [] : [invalid(path, value, `must be in canonical form (${JSON.stringify(canonical)})`)]
}

/** What is said of an address that only its own machine reaches. */
export const loopbackFault = 'may not be in the loopback range (127.0.0.0/8, ::1/128)'

/** Faults of an address as the place of an endpoint: those nobody else can reach are refused. */
export function endpointIpFaults(path: string, value: string): FieldError[] {
  const ip = parseIp(value)
  if (!ip) return [invalid(path, value, 'must be a valid IP address')]
  const [first = 0, second = 0, third = 0] = ip.bytes
  const v4 = ip.bytes.length === 4
  const faults: string[] = []
  const allZeroBut = (last: number) => ip.bytes.every((byte, i) => byte === (i === ip.bytes.length - 1 ? last : 0))
  if (allZeroBut(0)) faults.push(`may not be unspecified (${value})`)
  if (v4 ? first === 127 : allZeroBut(1)) faults.push(loopbackFault)
  if (v4 ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80)
    faults.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  if (v4 ? first === 224 && second === 0 && third === 0 : first === 0xff && (second & 0x0f) === 2)
    faults.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
  return faults.map((fault) => invalid(path, value, fault))
}

/** Warnings for an address that is accepted but oddly spelt. */
export function ipWarnings(path: string, value: string): string[] {
  const ip = parseIp(value)
  if (!ip) return []
  const canonical = formatIp(ip)
  if (ip.leadingZeros || ip.mapped)
    return [`${path}: non-standard IP address ${JSON.stringify(value)} is invalid: use ${JSON.stringify(canonical)}`]
  if (ip.family === 'IPv4' || value === canonical) return []
  return [
    `${path}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical)})`,
  ]
}

/** Warnings for a network that is accepted but oddly spelt. */
export function cidrWarnings(path: string, value: string): string[] {
  const cidr = parseCidr(value)
  if (!cidr) return []
  const quoted = JSON.stringify(value)
  const canonical = formatCidr(cidr)
  const warnings: string[] = []
  if (hasHostBits(cidr)) {
    const single = `${formatIp(cidr.ip)}/${cidr.ip.mapped ? 128 : cidr.ip.bytes.length * 8}`
    warnings.push(
      `${path}: CIDR value ${quoted} is ambiguous in this context (should be "${canonical}" or "${single}"?)`,
    )
  }
  if (cidr.leadingZeros || cidr.ip.mapped)
    warnings.push(`${path}: non-standard CIDR value ${quoted} is invalid: use "${canonical}"`)
  if (warnings.length === 0 && cidr.ip.family === 'IPv6' && canonical !== value)
    warnings.push(`${path}: IPv6 CIDR value ${quoted} should be in RFC 5952 canonical format ("${canonical}")`)
  return warnings
}

function ipFault(value: string): string | undefined {
  const ip = parseIp(value)
  if (!ip) return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
  if (ip.leadingZeros) return 'must not have leading 0s'
  return ip.mapped ? 'must not be an IPv4-mapped IPv6 address' : undefined
}

function parseIpv4(text: string): Ip | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let leadingZeros = false
  const bytes: number[] = []
  for (const part of parts) {
    if (!/^\d{1,8}$/.test(part) || Number(part) > 255) return undefined
    leadingZeros ||= part.length > 1 && part.startsWith('0')
    bytes.push(Number(part))
  }
  return { family: 'IPv4', bytes, mapped: false, leadingZeros }
}

function parseIpv6(text: string): Ip | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const left = parseGroups(halves[0] as string, halves.length === 1)
  const right = halves.length === 2 ? parseGroups(halves[1] as string, true) : { bytes: [], leadingZeros: false }
  if (!left || !right) return undefined
  const missing = 16 - left.bytes.length - right.bytes.length
  // "::" stands for at least one group.
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  const bytes = [...left.bytes, ...Array.from({ length: missing }, () => 0), ...right.bytes]
  const mapped = bytes.every((byte, i) => i >= 12 || byte === (i >= 10 ? 0xff : 0))
  return {
    family: mapped ? 'IPv4' : 'IPv6',
    bytes: mapped ? bytes.slice(12) : bytes,
    mapped,
    leadingZeros: left.leadingZeros || right.leadingZeros,
  }
}

/** Groups of hexadecimal digits; the last may be a dotted IPv4 address where that ends the whole. */
function parseGroups(text: string, mayEndDotted: boolean): { bytes: number[]; leadingZeros: boolean } | undefined {
  const bytes: number[] = []
  let leadingZeros = false
  if (text === '') return { bytes, leadingZeros }
  const groups = text.split(':')
  for (const [i, group] of groups.entries()) {
    if (group.includes('.')) {
      const dotted = mayEndDotted && i === groups.length - 1 ? parseIpv4(group) : undefined
      if (!dotted) return undefined
      bytes.push(...dotted.bytes)
      leadingZeros ||= dotted.leadingZeros
      continue
    }
    if (!/^[0-9a-fA-F]{1,8}$/.test(group)) return undefined
    const value = Number.parseInt(group, 16)
    if (value > 0xffff) return undefined
    leadingZeros ||= group.length > 4
    bytes.push(value >> 8, value & 0xff)
  }
  return { bytes, leadingZeros }
}

function formatIpv6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
    i = Math.max(i, end - 1)
  }
  const hex = (part: number[]) => part.map((group) => group.toString(16)).join(':')
  return start < 0 ? hex(groups) : `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`
}

function masked(bytes: readonly number[], prefix: number): number[] {
  return bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, prefix - i * 8))) & 0xff)
}

const hasHostBits = ({ ip, network }: Cidr): boolean => ip.bytes.some((byte, i) => byte !== network[i])
