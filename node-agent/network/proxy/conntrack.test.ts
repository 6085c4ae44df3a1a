import { describe, expect, test } from 'vitest'
import { routesOf } from '../services/routes.ts'
import { service, slice } from '../testing/objects.ts'
import { parseFlows, staleFlows } from './conntrack.ts'

const listed = `udp      17 28 src=10.244.0.5 dst=10.96.0.10 sport=40000 dport=53 src=10.244.0.9 dst=10.244.0.5 sport=8053 dport=40000 mark=0 use=1
udp      17 118 src=192.0.2.1 dst=192.0.2.11 sport=5000 dport=30053 [UNREPLIED] src=10.244.0.8 dst=192.0.2.11 sport=8053 dport=5000 [ASSURED] mark=0 use=1
udp      17 18 src=10.0.0.1 dst=10.96.0.10 sport=41000 dport=53 [UNREPLIED] src=10.96.0.10 dst=10.0.0.1 sport=53 dport=41000 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 3 flow entries have been shown.
`

describe('flows of datagrams', () => {
  test('are read from what conntrack lists', () => {
    expect(
      parseFlows(listed).map(({ source, replySource, replyPort }) => `${source} ${replySource}:${replyPort}`),
    ).toEqual(['10.244.0.5 10.244.0.9:8053', '192.0.2.1 10.244.0.8:8053', '10.0.0.1 10.96.0.10:53'])
  })

  test.each([
    ['kept where their pod serves', ['10.244.0.8', '10.244.0.9'], ['10.0.0.1']],
    ['forgotten where it does not', ['10.244.0.8'], ['10.244.0.5', '10.0.0.1']],
    ['forgotten at the node port too', ['10.244.0.9'], ['192.0.2.1', '10.0.0.1']],
  ])('are %s; those of before anybody served are forgotten', (_, pods, expected) => {
    const ports = [{ name: 'dns', port: 53, nodePort: 30053, protocol: 'UDP' }]
    const object = service('ns/dns', '10.96.0.10', { type: 'NodePort', ports })
    const endpoints = slice('ns/dns', pods, [{ name: 'dns', port: 8053, protocol: 'UDP' }])
    const routes = routesOf(object, [endpoints], { nodeName: 'node-1', zone: undefined, family: 'IPv4' })
    expect(staleFlows(parseFlows(listed), routes?.ports ?? []).map(({ source }) => source)).toEqual(expected)
  })
})
