import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  canonicalCidrFaults,
  canonicalIpFaults,
  cidrFaults,
  cidrWarnings,
  endpointIpFaults,
  formatIp,
  type Ip,
  ipFaults,
  ipWarnings,
  isStrictSubnet,
  parseCidr,
  parseIp,
} from './ip.ts'

const details = (errors: { message: string }[]) =>
  errors.map(({ message }) => message.replace(/^Invalid value: "[^"]*": /, ''))
const notAnIp = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1', 'IPv4'],
    ['010.002.003.004', '10.2.3.4', 'IPv4'],
    ['::ffff:1.2.3.4', '1.2.3.4', 'IPv4'],
    ['::', '::', 'IPv6'],
    ['::1', '::1', 'IPv6'],
    ['FE80:0:0:0:0:0:0:0abc', 'fe80::abc', 'IPv6'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 'IPv6'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3', 'IPv6'],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304', 'IPv6'],
    ['1::', '1::', 'IPv6'],
  ])('reads %s as %s', (text, canonical, family) => {
    const ip = parseIp(text) as Ip
    expect([formatIp(ip), ip.family]).toEqual([canonical, family])
  })

  it.each([
    '',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4.5',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    'fe80::1%eth0',
    '1.2.3.4:',
    'g::',
  ])('does not take %j for one', (text) => {
    expect(parseIp(text)).toBeUndefined()
    expect(details(ipFaults('ip', text))).toEqual([notAnIp])
  })

  it('knows every address again by its canonical spelling', () => {
    const bytes = fc.oneof(
      fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }),
      fc.array(fc.constantFrom(0, 0, 0, 1, 255), { minLength: 16, maxLength: 16 }).filter((all) => all[0] !== 0),
    )
    fc.assert(
      fc.property(bytes, (all) => {
        const text = formatIp({ bytes: all })
        expect(parseIp(text)?.bytes).toEqual(all)
        expect(canonicalIpFaults('ip', text)).toEqual([])
      }),
    )
  })

  it.each([
    ['10.00.0.1', 'must not have leading 0s', 'ip: non-standard IP address "10.00.0.1" is invalid: use "10.0.0.1"'],
    [
      '::ffff:1.2.3.4',
      'must not be an IPv4-mapped IPv6 address',
      'ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
    ],
  ])('refuses %s, unless it was there before', (text, detail, warning) => {
    expect(details(ipFaults('ip', text))).toEqual([detail])
    expect(ipFaults('ip', text, [text])).toEqual([])
    expect(ipWarnings('ip', text)).toEqual([warning])
  })

  it('accepts an unusual spelling in old fields, with a warning, and not in new ones', () => {
    expect(ipFaults('ip', 'FE80::1')).toEqual([])
    expect(ipWarnings('ip', 'FE80::1')).toEqual([
      'ip: IPv6 address "FE80::1" should be in RFC 5952 canonical format ("fe80::1")',
    ])
    expect(details(canonicalIpFaults('ip', 'FE80::1'))).toEqual(['must be in canonical form ("fe80::1")'])
  })

  it.each([
    ['10.1.2.3', []],
    ['2001:db8::1', []],
    ['0.0.0.0', ['may not be unspecified (0.0.0.0)']],
    ['::', ['may not be unspecified (::)']],
    ['127.1.2.3', ['may not be in the loopback range (127.0.0.0/8, ::1/128)']],
    ['::1', ['may not be in the loopback range (127.0.0.0/8, ::1/128)']],
    ['169.254.1.1', ['may not be in the link-local range (169.254.0.0/16, fe80::/10)']],
    ['fe80::1', ['may not be in the link-local range (169.254.0.0/16, fe80::/10)']],
    ['224.0.0.9', ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)']],
    ['ff02::1', ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)']],
    ['x', ['must be a valid IP address']],
  ])('as the place of an endpoint, %s has the faults %j', (text, expected) => {
    expect(details(endpointIpFaults('ip', text))).toEqual(expected)
  })
})

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', []],
    ['2001:DB8::/32', []],
    ['10.0.0.0', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['10.0.0.0/33', ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)']],
    ['10.00.0.0/8', ['must not have leading 0s in IP or prefix length']],
    ['10.0.0.0/08', ['must not have leading 0s in IP or prefix length']],
    ['::ffff:10.0.0.0/104', ['must not have an IPv4-mapped IPv6 address']],
    ['10.0.0.1/8', ['must not have bits set beyond the prefix length']],
  ])('%s has the faults %j', (text, expected) => {
    expect(details(cidrFaults('cidr', text))).toEqual(expected)
    expect(cidrFaults('cidr', text, [text])).toEqual([])
  })

  it.each([
    ['10.0.0.0/8', []],
    [
      '192.168.1.5/24',
      ['c: CIDR value "192.168.1.5/24" is ambiguous in this context (should be "192.168.1.0/24" or "192.168.1.5/32"?)'],
    ],
    ['010.0.0.0/8', ['c: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"']],
    ['::ffff:10.0.0.0/104', ['c: non-standard CIDR value "::ffff:10.0.0.0/104" is invalid: use "10.0.0.0/8"']],
    ['2001:DB8::/32', ['c: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")']],
  ])('%s gets the warnings %j', (text, expected) => {
    expect(cidrWarnings('c', text)).toEqual(expected)
  })

  it('wants new fields canonical', () => {
    expect(details(canonicalCidrFaults('c', '2001:DB8::/32'))).toEqual(['must be in canonical form ("2001:db8::/32")'])
  })

  it.each([
    ['10.0.0.0/8', '10.1.0.0/16', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['10.0.0.0/9', '10.128.0.0/16', false],
    ['10.0.0.0/8', '2001:db8::/32', false],
    ['2001:db8::/33', '2001:db8:4000::/34', true],
  ])('%s holds %s: %s', (outer, inner, expected) => {
    const [a, b] = [parseCidr(outer), parseCidr(inner)]
    expect(a && b && isStrictSubnet(a, b)).toBe(expected)
  })
})
