import { describe, expect, it } from 'vitest'
import type { Container, PodSpec } from '../../api/generated/types.ts'
import { boundPod, container } from '../testing/builders.ts'
import { containerConfig } from './config.ts'
import { parseResolvConf, podDns } from './dns.ts'
import { hostnameOf, hostsFile } from './hosts.ts'
import { containerHash } from './labels.ts'
import { cpuQuota, cpuShares, cpuWeight, oomScore } from './resources.ts'
import { sandboxConfig } from './sandbox.ts'

const configOf = (
  main: Partial<Container> = {},
  spec: Partial<PodSpec> = {},
  user = {},
  extraGroups: number[] = [],
) => {
  const own = container('main', main)
  return containerConfig({
    pod: boundPod({ spec: { containers: [own], ...spec } }),
    container: own,
    restartCount: 3,
    imageRef: 'sha256:1',
    imageUser: user,
    environment: new Map([['NAME', 'gantry']]),
    mounts: [],
    extraGroups,
    memoryCapacity: 8 * 2 ** 30,
    seccompRoot: '/var/seccomp',
  })
}

describe('a container', () => {
  it('is named, labelled and logged so that it is found again', () => {
    expect(configOf({ command: ['echo', '$(NAME)'] })).toMatchObject({
      metadata: { name: 'main', attempt: 3 },
      command: ['echo', 'gantry'],
      logPath: 'main/3.log',
      labels: {
        'io.kubernetes.pod.name': 'web',
        'io.kubernetes.pod.namespace': 'default',
        'io.kubernetes.pod.uid': 'uid-web',
        'io.kubernetes.container.name': 'main',
      },
      annotations: {
        'io.kubernetes.container.restartCount': '3',
        'io.kubernetes.pod.terminationGracePeriod': '30',
      },
    })
  })

  it('is in the groups that its volumes are for, each once', () => {
    const securityContext = { fsGroup: 5, supplementalGroups: [7] }
    const groups = configOf({}, { securityContext }, {}, [7, 9]).linux?.securityContext?.supplementalGroups
    expect(groups).toEqual([5, 7, 9])
  })

  it('takes the pod’s security where it has none of its own', () => {
    const securityContext = { runAsUser: 1000, fsGroup: 5, supplementalGroups: [7] }
    const own = { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } }
    expect(configOf(own, { securityContext }).linux?.securityContext).toMatchObject({
      runAsUser: { value: 1000 },
      supplementalGroups: [5, 7],
      noNewPrivs: true,
      capabilities: { dropCapabilities: ['ALL'] },
      seccomp: { profileType: 'Unconfined' },
      namespaceOptions: { pid: 'CONTAINER', network: 'POD' },
    })
  })

  it.each([
    [{ uid: 0 }, /image will run as root/],
    [{ username: 'app' }, /non-numeric user \(app\)/],
  ])('is refused as root where root is forbidden: %o', (user, message) => {
    expect(() => configOf({}, { securityContext: { runAsNonRoot: true } }, user)).toThrow(message)
    expect(() => configOf({}, { securityContext: { runAsNonRoot: true, runAsUser: 1 } }, user)).not.toThrow()
  })

  it('changes its hash with its image and nothing else', () => {
    const hash = containerHash(container('a'))
    expect(containerHash(container('a', { command: ['x'] }))).toBe(hash)
    expect(containerHash(container('a', { image: 'other' }))).not.toBe(hash)
    expect(containerHash(container('b'))).not.toBe(hash)
  })
})

describe('resources', () => {
  it('become what the kernel counts in', () => {
    expect([cpuShares(0), cpuShares(1000), cpuShares(100)]).toEqual([2, 1024, 102])
    expect([cpuQuota(0), cpuQuota(500), cpuQuota(1)]).toEqual([0, 50_000, 1000])
    expect([cpuWeight(2), cpuWeight(1024), cpuWeight(262_144)]).toEqual([1, 39, 10_000])
    const limits = { cpu: '500m', memory: '64Mi' }
    expect(configOf({ resources: { limits, requests: { cpu: '100m' } } }).linux?.resources).toMatchObject({
      cpuShares: 102,
      cpuQuota: 50_000,
      cpuPeriod: 100_000,
      memoryLimitInBytes: 64 * 2 ** 20,
    })
  })

  it('decide who dies first', () => {
    const score = (requests: Record<string, string>, limits: Record<string, string> = {}) => {
      const main = container('main', { resources: { requests, limits } })
      return oomScore(boundPod({ spec: { containers: [main] } }), main, 8 * 2 ** 30)
    }
    expect(score({})).toBe(1000)
    expect(score({ cpu: '1', memory: '1Gi' }, { cpu: '1', memory: '1Gi' })).toBe(-997)
    expect(score({ memory: '2Gi' })).toBe(750)
    expect(score({ memory: '1' })).toBe(999)
  })
})

describe('names', () => {
  const host = parseResolvConf('nameserver 9.9.9.9\nsearch corp.example\noptions timeout:1 # x\n')
  const dns = (spec: Partial<PodSpec>) =>
    podDns(boundPod({ spec }), { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', host })
  const cluster = ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example']

  it('are asked for where the policy says', () => {
    expect(dns({})).toEqual({ servers: ['10.96.0.10'], searches: cluster, options: ['ndots:5'] })
    expect(dns({ hostNetwork: true }).servers).toEqual(['9.9.9.9'])
    expect(dns({ hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }).servers).toEqual(['10.96.0.10'])
    expect(dns({ dnsPolicy: 'Default' })).toEqual({
      servers: ['9.9.9.9'],
      searches: ['corp.example'],
      options: ['timeout:1'],
    })
    const dnsConfig = { nameservers: ['1.1.1.1'], options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] }
    expect(dns({ dnsPolicy: 'None', dnsConfig })).toEqual({
      servers: ['1.1.1.1'],
      searches: [],
      options: ['ndots:2', 'edns0'],
    })
  })

  it('of the pod itself stand in its hosts file', () => {
    const pod = boundPod({ spec: { subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] } })
    const text = hostsFile(pod, ['10.0.0.5'], hostnameOf(pod, 'cluster.local'), '')
    expect(text).toContain('10.0.0.5\tweb.sub.default.svc.cluster.local\tweb\n')
    expect(text).toContain('# Entries added by HostAliases.\n1.2.3.4\ta\tb\n')
  })
})

it('a sandbox opens host ports, unless it is on the host’s network', () => {
  const ports = [{ containerPort: 80, hostPort: 8080 }, { containerPort: 81 }]
  const facts = {
    dns: { clusterDns: [], clusterDomain: 'cluster.local', host: { servers: [], searches: [], options: [] } },
    logRoot: '/logs',
    cgroupParent: '/kubepods/poduid-web',
  }
  const of = (spec: Partial<PodSpec>) =>
    sandboxConfig(boundPod({ spec: { containers: [container('main', { ports })], ...spec } }), 1, facts)
  expect(of({})).toMatchObject({
    hostname: 'web',
    logDirectory: '/logs/default_web_uid-web',
    portMappings: [{ containerPort: 80, hostPort: 8080, protocol: 'TCP' }],
    linux: { cgroupParent: '/kubepods/poduid-web' },
  })
  expect(of({ hostNetwork: true })).toMatchObject({ hostname: '', portMappings: [] })
})
