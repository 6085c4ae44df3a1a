import { beforeEach, describe, expect, test } from 'vitest'
import type { PodSpec } from '../../../api/generated/types.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { alwaysAllow } from '../../auth/authorizer.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import { AdmissionChain } from '../chain.ts'
import type { AdmissionAttributes } from '../types.ts'
import { createPodSecurity } from './pod-security.ts'
import { type Level, violations } from './policy.ts'

const hardened = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
}
const spec = (securityContext: object = {}, more: object = {}): PodSpec => ({
  containers: [{ name: 'c', image: 'nginx', securityContext }],
  ...more,
})
const judge = (level: Level, podSpec: PodSpec, annotations: Record<string, string> = {}, version = 'latest') =>
  violations({ metadata: { annotations }, spec: podSpec }, { level, version })

describe('baseline', () => {
  test.each<[string, PodSpec, string]>([
    ['a plain pod', spec(), ''],
    [
      'host namespaces',
      spec({}, { hostNetwork: true, hostPID: true }),
      'host namespaces (hostNetwork=true, hostPID=true)',
    ],
    [
      'privileged',
      spec({ privileged: true }),
      'privileged (container "c" must not set securityContext.privileged=true)',
    ],
    [
      'a capability',
      spec({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }),
      'non-default capabilities (container "c" must not include "NET_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'a host path',
      spec(
        {},
        {
          volumes: [
            { name: 'a', hostPath: { path: '/' } },
            { name: 'b', hostPath: { path: '/' } },
          ],
        },
      ),
      'hostPath volumes (volumes "a", "b")',
    ],
    [
      'a host port',
      { containers: [{ name: 'c', ports: [{ containerPort: 80, hostPort: 80 }, { containerPort: 81 }] }] },
      'hostPort (container "c" uses hostPort 80)',
    ],
    [
      'a probe elsewhere',
      { containers: [{ name: 'c', livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } }] },
      'probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1")',
    ],
    [
      'procMount',
      spec({ procMount: 'Unmasked' }),
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'SELinux',
      spec({ seLinuxOptions: { type: 'x', user: 'u' } }, { securityContext: { seLinuxOptions: { role: 'r' } } }),
      'seLinuxOptions (pod and container "c" set forbidden securityContext.seLinuxOptions: type "x"; user may not be set; role may not be set)',
    ],
    [
      'seccomp',
      spec({ seccompProfile: { type: 'Unconfined' } }),
      'seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'sysctls',
      spec(
        {},
        {
          securityContext: {
            sysctls: [
              { name: 'kernel.msgmax', value: '1' },
              { name: 'net.ipv4.tcp_rmem', value: '1' },
            ],
          },
        },
      ),
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'host process',
      spec({}, { securityContext: { windowsOptions: { hostProcess: true } } }),
      'hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)',
    ],
  ])('%s', (_, podSpec, expected) => {
    expect(judge('baseline', podSpec)).toBe(expected)
    expect(judge('privileged', podSpec)).toBe('')
  })

  test('AppArmor by annotation', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/c'
    expect(judge('baseline', spec(), { [key]: 'runtime/default' })).toBe('')
    expect(judge('baseline', spec(), { [key]: 'unconfined' })).toBe(
      `forbidden AppArmor profile (annotation ${key}="unconfined")`,
    )
  })

  test('a version knows the rules of its time only', () => {
    const later = spec({}, { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1' }] } })
    expect(judge('baseline', later, {}, 'v1.31')).toBe('forbidden sysctls (net.ipv4.tcp_rmem)')
    expect(judge('baseline', later, {}, 'v1.32')).toBe('')
  })
})

describe('restricted', () => {
  test('a plain pod, in the words everyone knows', () => {
    expect(judge('restricted', spec())).toBe(
      'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    )
  })

  test.each<[string, PodSpec, string]>([
    ['a hardened pod', spec(hardened), ''],
    [
      'hardened as a whole',
      spec(
        { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
        { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost' } } },
      ),
      '',
    ],
    ['root by number', spec({ ...hardened, runAsUser: 0 }), 'runAsUser=0 (container "c" must not set runAsUser=0)'],
    [
      'root by word',
      spec({ ...hardened, runAsNonRoot: false }),
      'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
    ],
    [
      'a volume of the host',
      spec(hardened, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }),
      'restricted volume types (volume "v" uses restricted volume type "hostPath")',
    ],
    [
      'an added capability',
      spec({ ...hardened, capabilities: { drop: ['ALL'], add: ['CHOWN'] } }),
      'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      'baseline first',
      spec(hardened, { hostNetwork: true, volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] }),
      'host namespaces (hostNetwork=true), restricted volume types (volume "v" uses restricted volume type "nfs")',
    ],
  ])('%s', (_, podSpec, expected) => {
    expect(judge('restricted', podSpec)).toBe(expected)
  })
})

describe('admission', () => {
  let client: MemoryClient
  let chain: AdmissionChain
  let warnings: string[]
  beforeEach(() => {
    client = new MemoryClient()
    warnings = []
    const plugin = createPodSecurity({
      client,
      lookup: client.lookup,
      lookupKind: () => undefined,
      authorizer: alwaysAllow,
      now: () => 0,
      sleep: async () => {},
    })
    chain = new AdmissionChain([plugin])
  })
  const label = (mode: string, level: string) => ({ [`pod-security.kubernetes.io/${mode}`]: level })
  const namespace = (labels: object) => ({ metadata: { name: 'web', labels } })
  const run = (operation: 'CREATE' | 'UPDATE', group: string, plural: string, object: object, old?: object) => {
    const attributes: AdmissionAttributes = {
      operation,
      resource: client.lookup(group, plural),
      subresource: '',
      namespace: plural === 'namespaces' ? '' : 'web',
      name: (object as AnyObject).metadata.name ?? '',
      object: object as AnyObject,
      ...(old ? { old: old as AnyObject } : {}),
      user: { name: 'jane', groups: [] },
      dryRun: false,
      warn: (message) => warnings.push(message),
    }
    return chain.run(attributes)
  }
  const privileged = { metadata: { name: 'p', namespace: 'web' }, spec: spec({ privileged: true }) }
  const fault = 'privileged (container "c" must not set securityContext.privileged=true)'

  test('refuses what the namespace forbids, and warns of what it warns of', async () => {
    client.put('', 'namespaces', namespace(label('enforce', 'baseline')))
    await expect(run('CREATE', '', 'pods', privileged)).rejects.toMatchObject({
      code: 403,
      message: `pods "p" is forbidden: violates PodSecurity "baseline:latest": ${fault}`,
    })
    client.put('', 'namespaces', namespace(label('warn', 'baseline')))
    await run('CREATE', '', 'pods', privileged)
    expect(warnings).toEqual([`would violate PodSecurity "baseline:latest": ${fault}`])
  })

  test('an update that changes nothing of its security passes', async () => {
    client.put('', 'namespaces', namespace(label('enforce', 'baseline')))
    await run(
      'UPDATE',
      '',
      'pods',
      { ...privileged, metadata: { ...privileged.metadata, labels: { a: 'b' } } },
      privileged,
    )
  })

  test('those who make pods are warned only', async () => {
    client.put('', 'namespaces', namespace({ ...label('enforce', 'baseline'), ...label('warn', 'baseline') }))
    await run('CREATE', 'apps', 'deployments', {
      metadata: { name: 'd' },
      spec: { template: { spec: privileged.spec } },
    })
    await run('CREATE', 'batch', 'cronjobs', {
      metadata: { name: 'j' },
      spec: { jobTemplate: { spec: { template: { spec: privileged.spec } } } },
    })
    expect(warnings).toEqual(Array(2).fill(`would violate PodSecurity "baseline:latest": ${fault}`))
  })

  test('labels that make no sense are refused', async () => {
    await expect(run('CREATE', '', 'namespaces', namespace({ ...label('enforce', 'tight') }))).rejects.toMatchObject({
      code: 422,
      message: expect.stringContaining(
        'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "tight": must be one of privileged, baseline, restricted',
      ),
    })
  })

  test('a namespace that becomes stricter tells of the pods that would not be let in', async () => {
    for (const name of ['a', 'b', 'ok']) {
      client.put('', 'pods', {
        metadata: { name, namespace: 'web' },
        spec: name === 'ok' ? spec(hardened) : privileged.spec,
      })
    }
    await run('UPDATE', '', 'namespaces', namespace(label('enforce', 'baseline')), namespace({}))
    expect(warnings).toEqual([
      'existing pods in namespace "web" violate the new PodSecurity enforce level "baseline:latest"',
      `a (and 1 other pod): ${fault}`,
    ])
  })
})
