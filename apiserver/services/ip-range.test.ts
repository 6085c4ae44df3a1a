import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressAt, canonicalIp, contains, parseRange } from './ip-range.ts'

describe('ranges of addresses', () => {
  it.each([
    ['10.96.0.0/16', 1n, '10.96.0.1'],
    ['10.96.0.0/16', 258n, '10.96.1.2'],
    ['fd00::/108', 1n, 'fd00::1'],
    ['2001:db8:0:0:1::/80', 0x10002n, '2001:db8::1:0:1:2'],
  ])('%s has %s as %s', (cidr, n, ip) => {
    expect(addressAt(parseRange(cidr), n)).toBe(ip)
  })

  it('knows its own addresses, and not its network address', () => {
    const range = parseRange('10.96.0.0/24')
    expect([
      contains(range, '10.96.0.7'),
      contains(range, '10.96.0.0'),
      contains(range, '10.96.1.1'),
      contains(range, 'fd00::1'),
    ]).toEqual([true, false, false, false])
  })

  it.each(['10.96.0.0', '10.96.0.0/33', 'x/8', 'fd00::/129', '/8'])('refuses %s', (cidr) => {
    expect(() => parseRange(cidr)).toThrowError(/is not a range/)
  })

  it('spells equal addresses equally', () => {
    expect(canonicalIp('FD00:0:0:0:0:0:0:1')).toBe('fd00::1')
    expect(canonicalIp('::ffff:1.2.3.4')).toBe('::ffff:102:304')
    fc.assert(
      fc.property(fc.ipV6(), (ip) => {
        expect(canonicalIp(canonicalIp(ip))).toBe(canonicalIp(ip))
      }),
    )
  })
})
