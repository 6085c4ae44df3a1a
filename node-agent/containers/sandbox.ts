import type { HostPort } from '../network/index.ts'
import type { BoundPod } from '../pods/types.ts'
import type { Given, PodSandboxConfig } from '../runtime/cri.ts'
import { type DnsDefaults, podDns } from './dns.ts'
import { hostnameOf, kernelHostname } from './hosts.ts'
import { sandboxLabels } from './labels.ts'
import { namespacesOf, supplementalGroups } from './security.ts'

export interface SandboxFacts {
  dns: DnsDefaults
  /** Under which the logs of all pods lie. */
  logRoot: string
  /** '' where cgroups are not ours to make. */
  cgroupParent: string
}

/** What the runtime is told of a pod. Throws an Error where the pod asks for what cannot be. */
export function sandboxConfig(pod: BoundPod, attempt: number, facts: SandboxFacts): Given<PodSandboxConfig> {
  const { metadata, spec } = pod
  const { runAsUser, runAsGroup, sysctls = [] } = spec.securityContext ?? {}
  const hostname = spec.hostNetwork ? '' : kernelHostname(pod, hostnameOf(pod, facts.dns.clusterDomain))
  return {
    metadata: { name: metadata.name, namespace: metadata.namespace, uid: metadata.uid, attempt },
    hostname,
    logDirectory: podLogDirectory(facts.logRoot, pod),
    dnsConfig: podDns(pod, facts.dns),
    portMappings: hostPorts(pod).map(({ protocol, ...port }) => ({
      ...port,
      protocol: protocol === 'udp' ? 'UDP' : 'TCP',
    })),
    labels: sandboxLabels(pod),
    annotations: metadata.annotations ?? {},
    linux: {
      cgroupParent: facts.cgroupParent,
      sysctls: Object.fromEntries(sysctls.map(({ name, value }) => [name.replaceAll('/', '.'), value])),
      securityContext: {
        privileged: allContainers(pod).some(({ securityContext }) => securityContext?.privileged),
        seccomp: { profileType: 'RuntimeDefault', localhostRef: '' },
        namespaceOptions: namespacesOf(pod),
        ...(runAsUser === undefined ? {} : { runAsUser: { value: runAsUser } }),
        ...(runAsGroup === undefined ? {} : { runAsGroup: { value: runAsGroup } }),
        supplementalGroups: supplementalGroups(pod),
      },
    },
  }
}

/** `<root>/NAMESPACE_NAME_UID`: containers' logs lie below it as `CONTAINER/N.log`. */
export const podLogDirectory = (root: string, { metadata }: Pick<BoundPod, 'metadata'>): string =>
  `${root}/${metadata.namespace}_${metadata.name}_${metadata.uid}`

const allContainers = ({ spec }: BoundPod) => [...(spec.initContainers ?? []), ...spec.containers]

/** The ports of the machine that lead into the pod; none with host networking. */
export function hostPorts(pod: BoundPod): HostPort[] {
  if (pod.spec.hostNetwork) return []
  return allContainers(pod)
    .flatMap(({ ports = [] }) => ports)
    .flatMap(({ containerPort, hostPort, hostIP = '', protocol = 'TCP' }) => {
      const lower = protocol.toLowerCase()
      return hostPort && lower !== 'sctp'
        ? [{ containerPort, hostPort, hostIp: hostIP, protocol: lower as HostPort['protocol'] }]
        : []
    })
}
