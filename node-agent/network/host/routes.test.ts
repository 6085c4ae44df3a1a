import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node } from '../../../api/generated/types.ts'
import { planRoutes, routeChanges } from './routes.ts'

function node(name: string, podCIDR: string | undefined, address: string | undefined): Node {
  return {
    metadata: { name },
    spec: podCIDR ? { podCIDR, podCIDRs: [podCIDR] } : {},
    status: address
      ? {
          addresses: [
            { type: 'Hostname', address: name },
            { type: 'InternalIP', address },
          ],
        }
      : {},
  }
}

describe('routes between nodes', () => {
  test('lead to every other node that has a range and an address', () => {
    const nodes = [
      node('node-1', '10.244.0.0/24', '10.89.0.11'),
      node('node-2', '10.244.1.0/24', '10.89.0.12'),
      node('node-3', undefined, '10.89.0.13'),
      node('node-4', '10.244.3.0/24', undefined),
    ]
    expect([...planRoutes(nodes, 'node-1')]).toEqual([['10.244.1.0/24', '10.89.0.12']])
  })

  test("go in each family by the node's address of that family", () => {
    const both: Node = {
      metadata: { name: 'node-2' },
      spec: { podCIDRs: ['10.244.1.0/24', 'fd00:10:1::/64'] },
      status: {
        addresses: [
          { type: 'InternalIP', address: '10.89.0.12' },
          { type: 'InternalIP', address: 'fd00::12' },
        ],
      },
    }
    expect(Object.fromEntries(planRoutes([both], 'node-1'))).toEqual({
      '10.244.1.0/24': '10.89.0.12',
      'fd00:10:1::/64': 'fd00::12',
    })
  })

  test('a node that is gone loses its route, a node that moved gets a new one, other routes stay', () => {
    const present = new Map([
      ['10.244.1.0/24', '10.89.0.12'],
      ['10.244.2.0/24', '10.89.0.13'],
      ['10.245.0.0/24', '10.89.0.99'],
    ])
    const wanted = new Map([['10.244.1.0/24', '10.89.0.22']])
    expect(routeChanges(present, wanted, ['10.244.0.0/16'])).toEqual({
      add: [['10.244.1.0/24', '10.89.0.22']],
      remove: [['10.244.2.0/24', '10.89.0.13']],
    })
  })

  test('changes carried out give what is wanted', () => {
    const routes = fc
      .array(fc.tuple(fc.nat(20), fc.nat(20)))
      .map((pairs) => new Map(pairs.map(([range, via]) => [`10.244.${range}.0/24`, `10.89.0.${via}`])))
    fc.assert(
      fc.property(routes, routes, (present, wanted) => {
        const { add, remove } = routeChanges(present, wanted, ['10.244.0.0/16'])
        const after = new Map(present)
        for (const [range] of remove) after.delete(range)
        for (const [range, via] of add) after.set(range, via)
        expect(after).toEqual(wanted)
      }),
    )
  })
})
