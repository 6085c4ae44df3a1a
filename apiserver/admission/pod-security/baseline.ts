import type { Probe, SELinuxOptions } from '../../../api/generated/types.ts'
import {
  type AnyContainer,
  badContainers,
  byContainers,
  type Check,
  type containersOf,
  hasOwnUsers,
  named,
  quote,
  subjects,
} from './check.ts'

const defaultCapabilities = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])
const selinuxTypes = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'])
const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

/** Sysctls that stay within a pod, with the minor version from which they are allowed. */
const safeSysctls = new Map([
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
  ['net.ipv4.tcp_rmem', 32],
  ['net.ipv4.tcp_wmem', 32],
])

/** Keeps pods from known ways to more privileges. Sorted by id, as violations are reported. */
export const baselineChecks: readonly Check[] = [
  {
    id: 'appArmorProfile',
    level: 'baseline',
    violation({ metadata, spec }) {
      const faults: string[] = []
      const isPodBad = spec.securityContext?.appArmorProfile?.type === 'Unconfined'
      const bad = badContainers(spec, ({ securityContext }) => securityContext?.appArmorProfile?.type === 'Unconfined')
      if (isPodBad || bad.length > 0) {
        faults.push(`${subjects(isPodBad, bad)} must not set AppArmor profile type to "Unconfined"`)
      }
      const annotations = Object.entries(metadata.annotations ?? {})
        .filter(([key, value]) => key.startsWith(appArmorPrefix) && !isAllowedAppArmor(value))
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .sort()
      if (annotations.length > 0)
        faults.push(`annotation${annotations.length === 1 ? '' : 's'} ${annotations.join(', ')}`)
      const count = annotations.length + bad.length + (isPodBad ? 1 : 0)
      const reason = `forbidden AppArmor profile${count === 1 ? '' : 's'}`
      return faults.length === 0 ? undefined : { reason, detail: faults.join(', ') }
    },
  },
  {
    id: 'capabilities_baseline',
    level: 'baseline',
    violation({ spec }) {
      const { containers, capabilities } = addedCapabilities(spec, defaultCapabilities)
      const what = `must not include ${quote(capabilities)} in securityContext.capabilities.add`
      return byContainers(containers, 'non-default capabilities', what)
    },
  },
  {
    id: 'hostNamespaces',
    level: 'baseline',
    violation({ spec }) {
      const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field])
      const detail = shared.map((field) => `${field}=true`).join(', ')
      return shared.length === 0 ? undefined : { reason: 'host namespaces', detail }
    },
  },
  {
    id: 'hostPathVolumes',
    level: 'baseline',
    violation({ spec }) {
      const bad = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
      return bad.length === 0 ? undefined : { reason: 'hostPath volumes', detail: named('volume', bad) }
    },
  },
  {
    id: 'hostPorts',
    level: 'baseline',
    violation({ spec }) {
      const ports = new Set<number>()
      const bad = badContainers(spec, (container) => {
        const own = ('ports' in container ? (container.ports ?? []) : []).flatMap(({ hostPort }) => hostPort || [])
        for (const port of own) ports.add(port)
        return own.length > 0
      })
      const list = [...ports].map(String).sort().join(', ')
      const what = `${bad.length === 1 ? 'uses' : 'use'} hostPort${ports.size === 1 ? '' : 's'} ${list}`
      return byContainers(bad, 'hostPort', what)
    },
  },
  {
    id: 'hostProbesAndHostLifecycle',
    level: 'baseline',
    since: 34,
    violation({ spec }) {
      const hosts = new Set<string>()
      const bad = badContainers(spec, (container) => {
        const own = handlerHosts(container)
        for (const host of own) hosts.add(host)
        return own.length > 0
      })
      const title = `probe or lifecycle host${hosts.size === 1 ? '' : 's'}`
      const what = `${bad.length === 1 ? 'uses' : 'use'} ${title} ${quote([...hosts].sort())}`
      return byContainers(bad, 'probe or lifecycle host', what)
    },
  },
  {
    id: 'privileged',
    level: 'baseline',
    violation: ({ spec }) =>
      byContainers(
        badContainers(spec, ({ securityContext }) => securityContext?.privileged === true),
        'privileged',
        'must not set securityContext.privileged=true',
      ),
  },
  {
    id: 'procMount',
    level: 'baseline',
    violation({ spec }, minor) {
      if (minor >= 35 && hasOwnUsers(spec)) return undefined
      const types = new Set<string>()
      const bad = badContainers(spec, ({ securityContext }) => {
        const type = securityContext?.procMount
        if (type === undefined || type === 'Default') return false
        types.add(type)
        return true
      })
      return byContainers(bad, 'procMount', `must not set securityContext.procMount to ${quote([...types].sort())}`)
    },
  },
  {
    id: 'seLinuxOptions',
    level: 'baseline',
    violation({ spec }) {
      const types = new Set<string>()
      const fields = new Set<string>()
      const isBad = (options: SELinuxOptions | undefined): boolean => {
        const { type = '', user, role } = options ?? {}
        if (!selinuxTypes.has(type)) types.add(type)
        if (user) fields.add('user')
        if (role) fields.add('role')
        return !selinuxTypes.has(type) || Boolean(user) || Boolean(role)
      }
      const isPodBad = isBad(spec.securityContext?.seLinuxOptions)
      const bad = badContainers(spec, ({ securityContext }) => isBad(securityContext?.seLinuxOptions))
      if (!isPodBad && bad.length === 0) return undefined
      const faults = [
        ...(types.size > 0 ? [`type${types.size === 1 ? '' : 's'} ${quote([...types].sort())}`] : []),
        ...['user', 'role'].filter((field) => fields.has(field)).map((field) => `${field} may not be set`),
      ]
      return {
        reason: 'seLinuxOptions',
        detail: `${subjects(isPodBad, bad)} set forbidden securityContext.seLinuxOptions: ${faults.join('; ')}`,
      }
    },
  },
  {
    id: 'seccompProfile_baseline',
    level: 'baseline',
    violation({ spec }) {
      const isPodBad = spec.securityContext?.seccompProfile?.type === 'Unconfined'
      const bad = badContainers(spec, ({ securityContext }) => securityContext?.seccompProfile?.type === 'Unconfined')
      if (!isPodBad && bad.length === 0) return undefined
      const detail = `${subjects(isPodBad, bad)} must not set securityContext.seccompProfile.type to "Unconfined"`
      return { reason: 'seccompProfile', detail }
    },
  },
  {
    id: 'sysctls',
    level: 'baseline',
    violation({ spec }, minor) {
      const bad = (spec.securityContext?.sysctls ?? [])
        .map(({ name }) => name)
        .filter((name) => (safeSysctls.get(name) ?? Number.POSITIVE_INFINITY) > minor || !safeSysctls.has(name))
      return bad.length === 0 ? undefined : { reason: 'forbidden sysctls', detail: bad.join(', ') }
    },
  },
  {
    id: 'windowsHostProcess',
    level: 'baseline',
    violation({ spec }) {
      const isPodBad = spec.securityContext?.windowsOptions?.hostProcess === true
      const bad = badContainers(spec, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess === true)
      if (!isPodBad && bad.length === 0) return undefined
      const detail = `${subjects(isPodBad, bad)} must not set securityContext.windowsOptions.hostProcess=true`
      return { reason: 'hostProcess', detail }
    },
  },
]

const isAllowedAppArmor = (profile: string): boolean =>
  profile === '' || profile === 'runtime/default' || profile.startsWith('localhost/')

/** Capabilities added beyond those allowed, and by whom. */
export function addedCapabilities(
  spec: Parameters<typeof containersOf>[0],
  allowed: ReadonlySet<string>,
): { containers: string[]; capabilities: string[] } {
  const capabilities = new Set<string>()
  const containers = badContainers(spec, ({ securityContext }) => {
    const bad = (securityContext?.capabilities?.add ?? []).filter((name) => !allowed.has(name))
    for (const name of bad) capabilities.add(name)
    return bad.length > 0
  })
  return { containers, capabilities: [...capabilities].sort() }
}

/** Hosts other than the pod itself that probes and hooks would call. */
function handlerHosts({ livenessProbe, readinessProbe, startupProbe, lifecycle }: AnyContainer): string[] {
  const handlers: (Pick<Probe, 'httpGet' | 'tcpSocket'> | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ]
  return handlers
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host): host is string => host !== undefined && host !== '')
}
