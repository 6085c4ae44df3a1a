import { describe, expect, it } from 'vitest'
import type { ServicePort, ServiceSpec } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { services } from './service.ts'
import { missingClusterIPs, type ServiceObject } from './service-ip.ts'
import { heldNodePorts, needsHealthCheckNodePort, needsNodePorts } from './service-ports.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const http: ServicePort = { port: 80 }

interface Wanted extends ServiceSpec {
  annotations?: Record<string, string>
}

/** A service as a request brings it: defaulted, not yet prepared. */
function service({ annotations, ...spec }: Wanted = {}): ServiceObject {
  const made: ServiceObject = {
    metadata: { name: 'web', namespace: 'ns', ...(annotations ? { annotations } : {}) },
    spec: structuredClone({ ports: [http], ...spec }),
  }
  services.defaults?.(made)
  return made
}

function created(wanted?: Wanted): ServiceObject {
  const made = service(wanted)
  services.strategy.prepareForCreate?.(made, ctx)
  return made
}

const faultsOf = (wanted: Wanted) => services.validate?.(created(wanted), undefined, ctx).map(formatFieldError)

function update(before: Wanted, after: Wanted) {
  const old = created(before)
  const next = service(after)
  services.strategy.prepareForUpdate?.(next, old, ctx)
  return { next, faults: services.validate?.(next, old, ctx).map(formatFieldError) }
}

const dual = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'] }

describe('defaults of a service', () => {
  it('fills in what a plain service leaves out', () => {
    expect(service().spec).toEqual({
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    })
  })

  it.each<[string, Wanted, Partial<ServiceSpec>]>([
    [
      'a load balancer',
      { type: 'LoadBalancer' },
      { externalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true },
    ],
    ['a node port', { type: 'NodePort' }, { externalTrafficPolicy: 'Cluster' }],
    ['external addresses', { externalIPs: ['1.2.3.4'] }, { externalTrafficPolicy: 'Cluster' }],
    ['affinity', { sessionAffinity: 'ClientIP' }, { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10_800 } } }],
  ])('knows what %s needs', (_, wanted, expected) => {
    expect(service(wanted).spec).toMatchObject(expected)
  })

  it('drops what a name without proxy cannot have', () => {
    const { spec } = service({ type: 'ExternalName', externalName: 'a.b', internalTrafficPolicy: 'Cluster' })
    expect(spec.internalTrafficPolicy).toBeUndefined()
  })

  it('says how a load balancer forwards', () => {
    const made = service({ type: 'LoadBalancer' })
    made.status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'a.b' }] } }
    services.defaults?.(made)
    expect(made.status.loadBalancer?.ingress).toEqual([{ ip: '1.2.3.4', ipMode: 'VIP' }, { hostname: 'a.b' }])
  })
})

describe('a new service', () => {
  it.each<[string, Wanted]>([
    ['plain', {}],
    ['headless without ports', { clusterIP: 'None', ports: [] }],
    ['external name', { type: 'ExternalName', externalName: 'db.example.com.', ports: [] }],
    ['node port', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] }],
    ['load balancer that keeps client addresses', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }],
    [
      'one number for two protocols',
      {
        ports: [
          { name: 'a', port: 53 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    ],
    ['dual stack', { ...dual, ipFamilyPolicy: 'PreferDualStack' }],
    ['padded source ranges', { type: 'LoadBalancer', loadBalancerSourceRanges: [' 10.0.0.0/8 '] }],
    ['named target port', { ports: [{ port: 80, targetPort: 'http' }] }],
  ])('may be: %s', (_, wanted) => {
    expect(faultsOf(wanted)).toEqual([])
  })

  it.each<[string, Wanted, string[]]>([
    ['no ports', { ports: [] }, ['spec.ports: Required value']],
    ['ports without names', { ports: [{ port: 80 }, { port: 81, name: 'a' }] }, ['spec.ports[0].name: Required value']],
    [
      'ports of one name',
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'a' },
        ],
      },
      ['spec.ports[1].name: Duplicate value: "a"'],
    ],
    [
      'port out of range',
      { ports: [{ port: 70_000, targetPort: 80 }] },
      ['spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'one port twice',
      {
        ports: [
          { port: 80, name: 'a' },
          { port: 80, name: 'b' },
        ],
      },
      [
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    ],
    [
      'one node port twice',
      {
        type: 'NodePort',
        ports: [
          { port: 80, name: 'a', nodePort: 30_000 },
          { port: 81, name: 'b', nodePort: 30_000 },
        ],
      },
      ['spec.ports[1].nodePort: Duplicate value: 30000'],
    ],
    [
      'unknown protocol',
      { ports: [{ port: 80, protocol: 'ICMP' }] },
      ['spec.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"'],
    ],
    [
      'node port of a cluster IP',
      { ports: [{ port: 80, nodePort: 30_000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    [
      'unknown type',
      { type: 'Magic' },
      [
        'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    ],
    [
      'headless node port',
      { type: 'NodePort', clusterIP: 'None' },
      ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
    ],
    ['external name without name', { type: 'ExternalName', ports: [] }, ['spec.externalName: Required value']],
    [
      'external name with address',
      { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1', ports: [] },
      ['spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
    ],
    [
      'unknown affinity',
      { sessionAffinity: 'Maybe' },
      ['spec.sessionAffinity: Unsupported value: "Maybe": supported values: "ClientIP", "None"'],
    ],
    [
      'too long an affinity',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_401 } } },
      [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
      ],
    ],
    [
      'addresses that differ',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] },
      ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
    ],
    [
      'two addresses of one family',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'], ipFamilyPolicy: 'PreferDualStack' },
      ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
    ],
    [
      'two addresses and a single stack',
      { ...dual },
      [
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified",
        "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
      ],
    ],
    [
      'address of the other family',
      { clusterIP: '10.0.0.1', ipFamilies: ['IPv6'] },
      ['spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`'],
    ],
    [
      'a family twice',
      { ipFamilies: ['IPv4', 'IPv4'], ipFamilyPolicy: 'RequireDualStack' },
      ['spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    ],
    [
      'no address at all',
      { clusterIP: 'x' },
      ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ],
    [
      'loopback as external address',
      { externalIPs: ['127.0.0.1'] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
    [
      'source ranges of a cluster IP',
      { loadBalancerSourceRanges: ['10.0.0.0/8'] },
      ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ],
    [
      'class of a cluster IP',
      { loadBalancerClass: 'a/b' },
      ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ],
    [
      'traffic policy of a cluster IP',
      { externalTrafficPolicy: 'Local' },
      ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
    ],
    [
      'health check port nobody asks for',
      { type: 'LoadBalancer', healthCheckNodePort: 30_000 },
      [
        "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ],
    ],
    [
      'unknown distribution',
      { trafficDistribution: 'Far' },
      [
        'spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"',
      ],
    ],
    [
      'bad range in the annotation',
      {
        type: 'LoadBalancer',
        annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8, x' },
      },
      [
        'metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    ],
  ])('may not be: %s', (_, wanted, expected) => {
    expect(faultsOf(wanted)).toEqual(expected)
  })

  it.each<[string, Wanted, string]>([
    ['plain', {}, 'SingleStack'],
    ['headless with selector', { clusterIP: 'None', selector: { a: 'b' } }, 'SingleStack'],
    ['headless without selector', { clusterIP: 'None' }, 'RequireDualStack'],
  ])('gets the family policy of one that is %s', (_, wanted, expected) => {
    expect(created(wanted).spec.ipFamilyPolicy).toBe(expected)
  })

  it('has an empty status, whatever came', () => {
    expect(created().status).toEqual({ loadBalancer: {} })
  })
})

describe('an update of a service', () => {
  const allocated = {
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
  }
  const balancer: Wanted = {
    ...allocated,
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 32_000,
    loadBalancerClass: 'a.b/c',
    ports: [{ name: 'a', port: 80, nodePort: 30_080 }],
  }

  it('may be sent again as it was first written', () => {
    const { next, faults } = update(balancer, {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      loadBalancerClass: 'a.b/c',
      ports: [{ name: 'a', port: 81 }],
    })
    expect(faults).toEqual([])
    expect(next.spec).toMatchObject({
      clusterIPs: ['10.0.0.1'],
      healthCheckNodePort: 32_000,
      ports: [{ nodePort: 30_080 }],
    })
  })

  it('does not give one port the number that another has now', () => {
    const { next } = update(balancer, {
      ...balancer,
      ports: [
        { name: 'a', port: 80 },
        { name: 'b', port: 81, nodePort: 30_080 },
      ],
    })
    expect(next.spec.ports?.map(({ nodePort }) => nodePort)).toEqual([undefined, 30_080])
  })

  it('drops what the new type does not have', () => {
    const { next, faults } = update(balancer, { ...balancer, type: 'ClusterIP', allocateLoadBalancerNodePorts: true })
    expect(faults).toEqual([])
    for (const field of [
      'healthCheckNodePort',
      'loadBalancerClass',
      'externalTrafficPolicy',
      'allocateLoadBalancerNodePorts',
    ])
      expect(next.spec).not.toHaveProperty(field)
    expect(heldNodePorts(next)).toEqual([])
    expect(next.status).toEqual({ loadBalancer: {} })
  })

  it('keeps what its writer set himself, so that validation can refuse it', () => {
    const { faults } = update(balancer, {
      ...balancer,
      type: 'ClusterIP',
      loadBalancerClass: 'd.e/f',
      externalTrafficPolicy: '',
    })
    expect(faults).toContain("spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'")
  })

  it('gives up its addresses on becoming an external name', () => {
    const { next, faults } = update(allocated, { ...allocated, type: 'ExternalName', externalName: 'a.b' })
    expect(faults).toEqual([])
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
      expect(next.spec).not.toHaveProperty(field)
  })

  it('releases the second address when only the policy says so', () => {
    const { next, faults } = update(
      { ...dual, ipFamilyPolicy: 'PreferDualStack' },
      { ...dual, ipFamilyPolicy: 'SingleStack' },
    )
    expect(faults).toEqual([])
    expect(next.spec).toMatchObject({ clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4'] })
  })

  it('understands a writer who knows only the singular field', () => {
    const { next } = update({ type: 'ExternalName', externalName: 'a.b', ports: [] }, { clusterIP: '10.0.0.9' })
    expect(next.spec.clusterIPs).toEqual(['10.0.0.9'])
  })

  it.each<[string, Wanted, Wanted, string[]]>([
    [
      'another address',
      allocated,
      { ...allocated, clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] },
      ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
    ],
    [
      'another family',
      { clusterIP: '10.0.0.1', ipFamilies: ['IPv4'] },
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv6'] },
      [
        'spec.ipFamilies[0]: Invalid value: ["IPv6"]: may not change once set',
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
      ],
    ],
    [
      'a second address gone without a word',
      { ...dual, ipFamilyPolicy: 'PreferDualStack' },
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv4', 'IPv6'] },
      [
        'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be \'SingleStack\' to release the secondary cluster IP',
      ],
    ],
    [
      'another class',
      { type: 'LoadBalancer', loadBalancerClass: 'a/b' },
      { type: 'LoadBalancer', loadBalancerClass: 'a/c' },
      ['spec.loadBalancerClass: Invalid value: "a/c": may not change once set'],
    ],
    [
      'another health check port',
      balancer,
      { ...balancer, healthCheckNodePort: 32_001 },
      ['spec.healthCheckNodePort: Forbidden: field is immutable'],
    ],
  ])('may not bring %s', (_, before, after, expected) => {
    expect(update(before, after).faults).toEqual(expected)
  })

  it('accepts an odd external address that was there before', () => {
    expect(update({ externalIPs: ['010.0.0.1'] }, { externalIPs: ['010.0.0.1'] }).faults).toEqual([])
    expect(update({}, { externalIPs: ['010.0.0.1'] }).faults).toEqual([
      'spec.externalIPs[0]: Invalid value: "010.0.0.1": must not have leading 0s',
    ])
  })
})

describe('what a service needs allocated', () => {
  it.each<[string, Wanted, string[]]>([
    ['nothing yet', { ipFamilies: ['IPv4', 'IPv6'] }, ['IPv4', 'IPv6']],
    ['one of two', { clusterIP: '10.0.0.1', ipFamilies: ['IPv4', 'IPv6'] }, ['IPv6']],
    ['headless', { clusterIP: 'None', ipFamilies: ['IPv4'] }, []],
    ['external name', { type: 'ExternalName' }, []],
  ])('addresses when it has %s', (_, wanted, expected) => {
    expect(missingClusterIPs(created(wanted)).map(({ family }) => family)).toEqual(expected)
  })

  it.each<[string, Wanted, boolean, boolean]>([
    ['cluster IP', {}, false, false],
    ['node port', { type: 'NodePort', externalTrafficPolicy: 'Local' }, true, false],
    ['load balancer', { type: 'LoadBalancer' }, true, false],
    ['load balancer of its own means', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false }, false, false],
    ['local load balancer', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' }, true, true],
  ])('ports of a %s', (_, wanted, nodePorts, healthCheck) => {
    const made = created(wanted)
    expect([needsNodePorts(made), needsHealthCheckNodePort(made)]).toEqual([nodePorts, healthCheck])
  })
})

describe('the status of a service', () => {
  const statusFaults = (type: string, ingress: object[]) => {
    const made = service({ type })
    made.status = { loadBalancer: { ingress } }
    return services.validateStatus?.(made, service({ type }), ctx).map(formatFieldError)
  }
  const path = 'status.loadBalancer.ingress[0]'

  it.each<[string, string, object[], string[]]>([
    ['addresses of a load balancer', 'LoadBalancer', [{ ip: '1.2.3.4', ipMode: 'VIP' }, { hostname: 'a.b' }], []],
    [
      'addresses of another type',
      'ClusterIP',
      [{ hostname: 'a.b' }],
      ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
    ],
    [
      'no mode',
      'LoadBalancer',
      [{ ip: '1.2.3.4' }],
      [`${path}.ipMode: Required value: must be specified when \`ip\` is set`],
    ],
    [
      'a mode for a name',
      'LoadBalancer',
      [{ hostname: 'a.b', ipMode: 'VIP' }],
      [`${path}.ipMode: Forbidden: may not be specified when \`ip\` is not set`],
    ],
    [
      'an address as name',
      'LoadBalancer',
      [{ hostname: '1.2.3.4' }],
      [`${path}.hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address`],
    ],
  ])('with %s', (_, type, ingress, expected) => {
    expect(statusFaults(type, ingress)).toEqual(expected)
  })
})

describe('warnings and columns of a service', () => {
  it.each<[Wanted, string[]]>([
    [{}, []],
    [
      { externalIPs: ['1.2.3.4'] },
      ['spec.externalIPs is deprecated and may no longer be implemented in some clusters'],
    ],
    [
      { clusterIP: 'None', loadBalancerIP: '1.2.3.4', sessionAffinity: 'ClientIP' },
      ['spec.loadBalancerIP is ignored for headless services', 'spec.SessionAffinity is ignored for headless services'],
    ],
    [{ externalName: 'a.b' }, ['spec.externalName is ignored when spec.type is not "ExternalName"']],
    [
      { trafficDistribution: 'PreferClose' },
      ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
    ],
  ])('warns of %j', (wanted, expected) => {
    expect(services.warnings?.(created(wanted), undefined)).toEqual(expected)
  })

  it('prints as kubectl shows it', () => {
    const made = created({
      type: 'LoadBalancer',
      clusterIP: '10.0.0.1',
      selector: { b: '2', a: '1' },
      externalIPs: ['9.9.9.9'],
      ports: [
        { name: 'a', port: 80, nodePort: 30_080 },
        { name: 'b', port: 53, protocol: 'UDP' },
      ],
    })
    made.status = { loadBalancer: { ingress: [{ hostname: 'z.example.com' }, { ip: '1.2.3.4' }] } }
    made.metadata.creationTimestamp = '2024-01-01T00:00:00Z'
    const cells = services.columns?.map(({ value }) => value(made, Date.parse('2024-01-01T02:00:00Z')))
    expect(cells).toEqual([
      'web',
      'LoadBalancer',
      '10.0.0.1',
      '1.2.3.4,z.example.com,9.9.9.9',
      '80:30080/TCP,53/UDP',
      '120m',
      'a=1,b=2',
    ])
  })
})
