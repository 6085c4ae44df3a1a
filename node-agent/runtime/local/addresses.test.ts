import { expect, it } from 'vitest'
import { Addresses } from './addresses.ts'

it('gives each address once, and used ones again only when it comes round', () => {
  const addresses = new Addresses('127.244.3.0/29')
  const taken = new Set<string>()
  for (let i = 0; i < 5; i++) taken.add(addresses.take(taken))
  expect([...taken]).toEqual(['127.244.3.2', '127.244.3.3', '127.244.3.4', '127.244.3.5', '127.244.3.6'])
  expect(() => addresses.take(taken)).toThrow('all 5 addresses for pods on this node are taken')
  taken.delete('127.244.3.4')
  expect(addresses.take(taken)).toBe('127.244.3.4')
})

it.each(['', '10.0.0.0', '10.0.0/24', 'fd00::/64', '10.0.0.0/31', '300.0.0.0/24'])('refuses %j', (cidr) => {
  expect(() => new Addresses(cidr)).toThrow('is not a range of IPv4 addresses')
})
