import { describe, expect, it } from 'vitest'
import type { Container, ObjectMeta, PodSpec, Volume } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { pods, type StoredPod } from './pod.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

const pod = (spec: Partial<PodSpec> = {}, metadata: ObjectMeta = {}): StoredPod => ({
  metadata: { name: 'a', namespace: 'ns', ...metadata },
  spec: { containers: [{ name: 'c', image: 'web:1' }], ...spec },
})

function faults(object: StoredPod): string[] {
  pods.defaults?.(object)
  return (pods.validate?.(object, undefined, ctx) ?? []).map(formatFieldError)
}

const container = (part: Partial<Container>): Partial<PodSpec> => ({
  containers: [{ name: 'c', image: 'web:1', ...part }],
})
const volume = (part: Partial<Volume>): Partial<PodSpec> => ({ volumes: [{ name: 'v', ...part }] })
const at = 'spec.containers[0]'
const label =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"

type Case = [string, Partial<PodSpec>, string[]]

describe('a new pod', () => {
  it.each<Case>([
    ['one plain container', {}, []],
    ['no container', { containers: [] }, ['spec.containers: Required value']],
    ['a container without name', container({ name: '' }), [`${at}.name: Required value`]],
    ['a bad name', container({ name: 'A' }), [`${at}.name: Invalid value: "A": ${label}`]],
    ['no image', container({ image: '' }), [`${at}.image: Required value`]],
    [
      'a padded image',
      container({ image: ' web' }),
      [`${at}.image: Invalid value: " web": must not have leading or trailing whitespace`],
    ],
    [
      'one name twice',
      {
        containers: [
          { name: 'c', image: 'a' },
          { name: 'c', image: 'b' },
        ],
      },
      ['spec.containers[1].name: Duplicate value: "c"'],
    ],
    [
      'an unknown pull policy',
      container({ imagePullPolicy: 'Now' }),
      [`${at}.imagePullPolicy: Unsupported value: "Now": supported values: "Always", "IfNotPresent", "Never"`],
    ],
    [
      'a port out of range',
      container({ ports: [{ containerPort: 70_000, protocol: 'TCP' }] }),
      [`${at}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive`],
    ],
    [
      'a port number missing and a protocol of its own',
      container({ ports: [{ containerPort: 0, protocol: 'ICMP' }] }),
      [
        `${at}.ports[0].containerPort: Required value`,
        `${at}.ports[0].protocol: Unsupported value: "ICMP": supported values: "SCTP", "TCP", "UDP"`,
      ],
    ],
    [
      'a host port twice',
      container({
        ports: [
          { containerPort: 80, hostPort: 8080, protocol: 'TCP' },
          { containerPort: 81, hostPort: 8080, protocol: 'TCP' },
        ],
      }),
      [`${at}.ports[1].hostPort: Duplicate value: "TCP//8080"`],
    ],
    ['rules for restarts of one container', container({ restartPolicy: 'OnFailure' }), []],
    [
      'restart rules without a policy',
      container({ restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] }),
      [`${at}.restartPolicy: Required value: must specify restartPolicy when restart rules are used`],
    ],
    [
      'ephemeral containers',
      {
        ephemeralContainers: [{ name: 'e', image: 'sh', terminationMessagePolicy: 'File', imagePullPolicy: 'Always' }],
      },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
  ])('may have %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<Case>([
    ['a value', container({ env: [{ name: 'A', value: 'b' }] }), []],
    ['a name with any printable character', container({ env: [{ name: 'a b:c' }] }), []],
    [
      'a name with an equals sign',
      container({ env: [{ name: 'a=b' }] }),
      [
        `${at}.env[0].name: Invalid value: "a=b": a valid environment variable name must consist only of printable ASCII characters other than '='`,
      ],
    ],
    [
      'a field',
      container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.labels['a/b']" } } }] }),
      [],
    ],
    [
      'a field there is not',
      container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.color' } } }] }),
      [
        `${at}.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "metadata.color": error converting fieldPath: field label not supported: metadata.color`,
      ],
    ],
    [
      'a field for volumes only',
      container({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] }),
      [
        `${at}.env[0].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"`,
      ],
    ],
    [
      'a value and a source',
      container({ env: [{ name: 'A', value: 'b', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
      [`${at}.env[0].valueFrom: Invalid value: "": may not be specified when \`value\` is not empty`],
    ],
    [
      'an odd divisor',
      container({ env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '2' } } }] }),
      [
        `${at}.env[0].valueFrom.resourceFieldRef.divisor: Invalid value: "limits.cpu": only divisor's values 1m and 1 are supported with the cpu resource`,
      ],
    ],
    [
      'a whole map of neither kind',
      container({ envFrom: [{ prefix: 'X_' }] }),
      [`${at}.envFrom: Invalid value: "": must specify one of: \`configMapRef\` or \`secretRef\``],
    ],
    [
      'a file without its volume',
      container({ env: [{ name: 'A', valueFrom: { fileKeyRef: { key: 'k', path: 'f', volumeName: 'v' } } }] }),
      [`${at}.env[0].valueFrom.fileKeyRef.volumeName: Not found: "v"`],
    ],
  ])('takes its environment from %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<Case>([
    ['within limits', container({ resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } }), []],
    [
      'above its limit',
      container({ resources: { requests: { cpu: '3' }, limits: { cpu: '2' } } }),
      [`${at}.resources.requests: Invalid value: "3": must be less than or equal to cpu limit of 2`],
    ],
    [
      'a negative amount',
      container({ resources: { requests: { memory: '-1' } } }),
      [`${at}.resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0`],
    ],
    [
      'a resource nobody knows',
      container({ resources: { limits: { gold: '1' } } }),
      [
        `${at}.resources.limits[gold]: Invalid value: "gold": must be a standard resource type or fully qualified`,
        `${at}.resources.limits[gold]: Invalid value: "gold": must be a standard resource for containers`,
        `${at}.resources.requests[gold]: Invalid value: "gold": must be a standard resource type or fully qualified`,
        `${at}.resources.requests[gold]: Invalid value: "gold": must be a standard resource for containers`,
      ],
    ],
    [
      'half a device',
      container({ resources: { limits: { 'example.com/gpu': '500m' } } }),
      [
        `${at}.resources.limits[example.com/gpu]: Invalid value: "500m": must be an integer`,
        `${at}.resources.requests[example.com/gpu]: Invalid value: "500m": must be an integer`,
      ],
    ],
    [
      'a device without a limit',
      container({ resources: { requests: { 'example.com/gpu': '1' } } }),
      [`${at}.resources.limits: Required value: Limit must be set for non overcommitable resources`],
    ],
    [
      'huge pages alone',
      container({ resources: { limits: { 'hugepages-2Mi': '4Mi' } } }),
      [`${at}.resources: Forbidden: HugePages require cpu or memory`],
    ],
    [
      'part of a huge page',
      container({ resources: { requests: { cpu: '1' }, limits: { 'hugepages-2Mi': '3Mi' } } }),
      [
        `${at}.resources.limits[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
        `${at}.resources.requests[hugepages-2Mi]: Invalid value: "3Mi": 3Mi is not positive integer multiple of hugepages-2Mi`,
      ],
    ],
    [
      'a claim the pod has not',
      container({ resources: { claims: [{ name: 'gpu' }] } }),
      [
        `${at}.resources.claims[0]: Not found: "gpu": must be one of the names in pod.spec.resourceClaims which is empty`,
      ],
    ],
    [
      'more than the pod as a whole',
      {
        ...container({ resources: { requests: { cpu: '2' } } }),
        resources: { requests: { cpu: '1' }, limits: { cpu: '1' } },
      },
      [
        'spec.resources.requests[cpu]: Invalid value: "1": must be greater than or equal to aggregate container requests of 2',
      ],
    ],
  ])('asks for %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  const mounted = (mount: object): Partial<PodSpec> => ({
    ...container({ volumeMounts: [{ name: 'v', mountPath: '/m', ...mount }] }),
    ...volume({ emptyDir: {} }),
  })
  it.each<Case>([
    ['once', mounted({}), []],
    ['by an unknown name', mounted({ name: 'w' }), [`${at}.volumeMounts[0].name: Not found: "w"`]],
    ['nowhere', mounted({ mountPath: '' }), [`${at}.volumeMounts[0].mountPath: Required value`]],
    [
      'above itself',
      mounted({ subPath: '../x' }),
      [`${at}.volumeMounts.subPath: Invalid value: "../x": must not contain '..'`],
    ],
    [
      'with mounts passed to the host',
      mounted({ mountPropagation: 'Bidirectional' }),
      [
        `${at}.volumeMounts.mountPropagation: Forbidden: Bidirectional mount propagation is available only to privileged containers`,
      ],
    ],
    [
      'read only all the way down, yet writable',
      mounted({ recursiveReadOnly: 'Enabled' }),
      [`${at}.volumeMounts.recursiveReadOnly: Forbidden: may only be specified when readOnly is true`],
    ],
    [
      'as a device, though it is a directory',
      { ...container({ volumeDevices: [{ name: 'v', devicePath: '/d' }] }), ...volume({ emptyDir: {} }) },
      [
        `${at}.volumeDevices[0].name: Invalid value: "v": can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode`,
      ],
    ],
  ])('mounts a volume %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<Case>([
    ['none named, which is an empty directory', volume({}), []],
    [
      'two',
      volume({ emptyDir: {}, hostPath: { path: '/x' } }),
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a path above the host root',
      volume({ hostPath: { path: '/a/../b', type: 'Pipe' } }),
      [
        `spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain '..'`,
        'spec.volumes[0].hostPath.type: Unsupported value: "Pipe": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    ],
    ['a secret without name', volume({ secret: {} }), ['spec.volumes[0].secret.secretName: Required value']],
    [
      'a config map with a strange mode',
      volume({ configMap: { name: 'c', defaultMode: 0o1000, items: [{ key: '', path: '/abs' }] } }),
      [
        'spec.volumes[0].configMap.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
        'spec.volumes[0].configMap.items[0].key: Required value',
        'spec.volumes[0].configMap.items[0].path: Invalid value: "/abs": must be a relative path',
      ],
    ],
    [
      'a token for a minute',
      {
        serviceAccountName: 'a',
        ...volume({ projected: { sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 60 } }] } }),
      },
      [
        'spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
      ],
    ],
    [
      'a token of nobody',
      volume({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }),
      [
        'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
      ],
    ],
    [
      'a claim made with the pod',
      volume({ ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } } }),
      ['spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value'],
    ],
    [
      'an NFS export',
      volume({ nfs: { server: 's', path: 'x' } }),
      ['spec.volumes[0].nfs.path: Invalid value: "x": must be an absolute path'],
    ],
    [
      'an iSCSI target of no known form',
      volume({ iscsi: { targetPortal: 'p', iqn: 'foo', lun: 0 } }),
      ['spec.volumes[0].iscsi.iqn: Invalid value: "foo": must be valid format starting with iqn, eui, or naa'],
    ],
  ])('has a volume with source %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<Case>([
    ['over HTTP', container({ livenessProbe: { httpGet: { port: 'http' } } }), []],
    [
      'by two ways',
      container({ livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } }),
      [`${at}.livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type`],
    ],
    [
      'by none',
      container({ readinessProbe: {} }),
      [`${at}.readinessProbe: Required value: must specify a handler type`],
    ],
    [
      'alive twice',
      container({ livenessProbe: { exec: { command: ['x'] }, successThreshold: 2 } }),
      [`${at}.livenessProbe.successThreshold: Invalid value: 2: must be 1`],
    ],
    [
      'in the past',
      container({ startupProbe: { exec: { command: ['x'] }, initialDelaySeconds: -1 } }),
      [`${at}.startupProbe.initialDelaySeconds: Invalid value: -1: must be greater than or equal to 0`],
    ],
    [
      'and sleeps longer than it may',
      container({ lifecycle: { preStop: { sleep: { seconds: 31 } } } }),
      [
        `${at}.lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)`,
      ],
    ],
    [
      'while initializing',
      { initContainers: [{ name: 'i', image: 'a', livenessProbe: { exec: { command: ['x'] } } }] },
      [
        'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    ],
    [
      'as a sidecar',
      {
        initContainers: [
          { name: 'i', image: 'a', restartPolicy: 'Always', livenessProbe: { exec: { command: ['x'] } } },
        ],
      },
      [],
    ],
  ])('is probed %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  const required = (key: string, operator: string, values?: string[]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key, operator, ...(values ? { values } : {}) }] }],
        },
      },
    },
  })
  const term =
    'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]'
  it.each<Case>([
    ['with a label', required('a', 'In', ['b']), []],
    [
      'with no value',
      required('a', 'In'),
      [`${term}.values: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`],
    ],
    [
      'with one value too many',
      required('a', 'Gt', ['1', '2']),
      [`${term}.values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`],
    ],
    [
      'by magic',
      required('a', 'Like', ['x']),
      [`${term}.operator: Invalid value: "Like": not a valid selector operator`],
    ],
    [
      'of no domain',
      {
        affinity: {
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a b', matchLabelKeys: ['x'] }],
          },
        },
      },
      [
        'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].matchLabelKeys: Forbidden: must not be specified when labelSelector is not set',
        expect.stringContaining(
          '[0].topologyKey: Invalid value: "a b": name part must consist of',
        ) as unknown as string,
      ],
    ],
    [
      'of too much weight',
      {
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 101, podAffinityTerm: { topologyKey: 'zone' } },
            ],
          },
        },
      },
      [
        'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
      ],
    ],
    [
      'spread without skew',
      { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'Never' }] },
      [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: "Never": supported values: "DoNotSchedule", "ScheduleAnyway"',
      ],
    ],
    [
      'that are tainted, for ever or for a while',
      {
        tolerations: [
          { operator: 'Exists' },
          { key: 'a', operator: 'Exists', tolerationSeconds: 3 },
          { key: 'a', operator: 'Gt', value: '1' },
        ],
      },
      [
        'spec.tolerations[1].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
        'spec.tolerations[2].operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"',
      ],
    ],
    [
      'chosen already, though gated',
      { nodeName: 'n', schedulingGates: [{ name: 'g' }] },
      ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
    ],
  ])('wants nodes %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<Case>([
    [
      'root of two minds',
      container({ securityContext: { privileged: true, allowPrivilegeEscalation: false } }),
      [
        `${at}.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set \`allowPrivilegeEscalation\` to false and \`privileged\` to true`,
      ],
    ],
    [
      'nobody below zero',
      { securityContext: { runAsUser: -1 } },
      ['spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive'],
    ],
    [
      'a local profile without name',
      { securityContext: { seccompProfile: { type: 'Localhost' } } },
      [
        'spec.securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
      ],
    ],
    [
      'a sysctl of the host',
      { hostNetwork: true, securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } },
      [
        'spec.securityContext.sysctls[0].name: Invalid value: "net.core.somaxconn": may not be specified when \'hostNetwork\' is true',
      ],
    ],
    [
      'users of its own beside host processes',
      { hostUsers: false, hostPID: true },
      ['spec.HostPID: Forbidden: when `hostUsers` is false'],
    ],
    [
      'Linux fields on Windows',
      { os: { name: 'windows' }, hostPID: true, ...container({ securityContext: { privileged: true } }) },
      [
        'spec.hostPID: Forbidden: cannot be set for a windows pod',
        `${at}.securityContext.privileged: Forbidden: cannot be set for a windows pod`,
      ],
    ],
    [
      'an unknown system',
      { os: { name: 'plan9' } },
      ['spec.os: Unsupported value: "plan9": supported values: "linux", "windows"'],
    ],
  ])('runs as %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<Case>([
    [
      'no server',
      { dnsPolicy: 'None' },
      ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    ],
    [
      'four servers',
      { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', 'x'] } },
      [
        'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","x"]: must not have more than 3 nameservers',
        'spec.dnsConfig.nameservers[3]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    ],
    ['a search with underscores', { dnsConfig: { searches: ['_tcp.a.', '.'] } }, []],
    ['a bad hostname', { hostname: 'A' }, [`spec.hostname: Invalid value: "A": ${label}`]],
  ])('resolves names by %s, or is told why not', (_, spec, expected) => {
    expect(faults(pod(spec))).toEqual(expected)
  })

  it.each<[string, Record<string, string>, string[]]>([
    [
      'a mirror of nothing',
      { 'kubernetes.io/config.mirror': 'x' },
      [
        'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
      ],
    ],
    [
      'a cost in words',
      { 'controller.kubernetes.io/pod-deletion-cost': 'much' },
      [
        'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "much": must be a 32bit integer',
      ],
    ],
    [
      'a profile of no container',
      { 'container.apparmor.security.beta.kubernetes.io/x': 'unconfined' },
      [
        'metadata.annotations[container.apparmor.security.beta.kubernetes.io/x]: Invalid value: "x": container not found',
      ],
    ],
  ])('is annotated with %s, and told why not', (_, annotations, expected) => {
    expect(faults(pod({}, { annotations }))).toEqual(expected)
  })
})
