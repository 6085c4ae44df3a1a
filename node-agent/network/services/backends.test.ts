import { describe, expect, test } from 'vitest'
import { service, slice } from '../testing/objects.ts'
import { backendsOf, chooseBackends, type Here } from './backends.ts'
import { routesOf } from './routes.ts'

const here: Here = { nodeName: 'node-1', zone: 'z1', family: 'IPv4' }
const both = { cluster: true, local: true }
const terminating = { ready: false, serving: true, terminating: true }
const dead = { ready: false, serving: false, terminating: true }

function choose(endpoints: Parameters<typeof slice>[1], from = here) {
  const { cluster, local, hasAny } = chooseBackends(
    backendsOf([slice('ns/web', endpoints)], 'http', 'tcp', from),
    both,
    from,
  )
  return { cluster: cluster.map(({ ip }) => ip), local: local.map(({ ip }) => ip), hasAny }
}

describe('which endpoints serve', () => {
  test.each([
    ['none', [], { cluster: [], local: [], hasAny: false }],
    [
      'the ready ones',
      ['10.0.0.1', { ip: '10.0.0.2', nodeName: 'node-1' }, { ip: '10.0.0.3', conditions: { ready: false } }],
      { cluster: ['10.0.0.1', '10.0.0.2'], local: ['10.0.0.2'], hasAny: true },
    ],
    [
      'those that terminate and still serve, when no other is left',
      [
        { ip: '10.0.0.1', conditions: terminating },
        { ip: '10.0.0.2', conditions: dead },
      ],
      { cluster: ['10.0.0.1'], local: [], hasAny: true },
    ],
    [
      'a terminating one of this node under the Local policy, though others are ready elsewhere',
      ['10.0.0.1', { ip: '10.0.0.2', nodeName: 'node-1', conditions: terminating }],
      { cluster: ['10.0.0.1'], local: ['10.0.0.2'], hasAny: true },
    ],
    [
      'conditions left out mean ready',
      [{ ip: '10.0.0.1', conditions: {} }],
      { cluster: ['10.0.0.1'], local: [], hasAny: true },
    ],
  ])('%s', (_, endpoints, expected) => {
    expect(choose(endpoints)).toEqual(expected)
  })

  test.each([
    ['zone hints are followed when every endpoint has one', ['z1', 'z2'], ['10.0.0.1']],
    ['zone hints are ignored when an endpoint has none', ['z1', undefined], ['10.0.0.1', '10.0.0.2']],
    ['zone hints are ignored when none is for us', ['z2', 'z3'], ['10.0.0.1', '10.0.0.2']],
  ])('%s', (_, zones, expected) => {
    const endpoints = zones.map((zone, i) => ({
      ip: `10.0.0.${i + 1}`,
      ...(zone ? { hints: { forZones: [{ name: zone }] } } : {}),
    }))
    expect(choose(endpoints).cluster).toEqual(expected)
  })

  test('a hint for this node goes before one for its zone', () => {
    const hinted = (ip: string, node: string) => ({
      ip,
      hints: { forNodes: [{ name: node }], forZones: [{ name: 'z1' }] },
    })
    expect(choose([hinted('10.0.0.1', 'node-2'), hinted('10.0.0.2', 'node-1')]).cluster).toEqual(['10.0.0.2'])
  })

  test('an endpoint that moves between slices counts once, and as ready where one of them says so', () => {
    const old = slice('ns/web', [{ ip: '10.0.0.1', conditions: { ready: false } }])
    const now = slice('ns/web', ['10.0.0.1'], undefined, 'b2')
    expect(backendsOf([old, now], 'http', 'tcp', here)).toMatchObject([{ ip: '10.0.0.1', ready: true }])
  })
})

describe('which services are routed', () => {
  test.each([
    ['headless', service('ns/web', 'None')],
    ['of an external name', service('ns/web', '', { type: 'ExternalName', externalName: 'example.com' })],
    ['of the other family', service('ns/web', 'fd00::1')],
  ])('not one that is %s', (_, object) => {
    expect(routesOf(object, [], here)).toBeUndefined()
  })

  test("not one that is another proxy's", () => {
    const object = service('ns/web', '10.96.0.1')
    object.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'other' }
    expect(routesOf(object, [], here)).toBeUndefined()
  })

  test('the cluster address of our family, whichever comes first', () => {
    const object = service('ns/web', 'fd00::1', { clusterIPs: ['fd00::1', '10.96.0.9'] })
    expect(routesOf(object, [], here)?.ports[0]?.clusterIp).toBe('10.96.0.9')
  })

  test('overlapping source ranges become one, and addresses of a proxying load balancer are left alone', () => {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { ip: '192.0.2.2', ipMode: 'Proxy' }] } }
    const spec = { type: 'LoadBalancer', loadBalancerSourceRanges: ['10.1.0.0/16', '10.0.0.0/8', ' 192.0.2.128/25'] }
    const routed = routesOf(service('ns/web', '10.96.0.1', spec, status), [], here)?.ports[0]
    expect(routed).toMatchObject({ sourceRanges: ['10.0.0.0/8', '192.0.2.128/25'], loadBalancerIps: ['192.0.2.1'] })
  })

  test('local endpoints are counted for the health check of a load balancer', () => {
    const spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30123 }
    const endpoints = [{ ip: '10.0.0.1', nodeName: 'node-1' }, '10.0.0.2']
    expect(routesOf(service('ns/web', '10.96.0.1', spec), [slice('ns/web', endpoints)], here)).toMatchObject({
      healthCheckNodePort: 30123,
      localReady: 1,
    })
  })
})
