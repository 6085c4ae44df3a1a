import type {
  AppArmorProfile,
  PodSecurityContext,
  PodSpec,
  SeccompProfile,
  SecurityContext,
} from '../../generated/types.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../machinery/field-errors.ts'
import { checkChoice, checkDescendingPath, checkId } from './checks.ts'
import type { PodValidationOptions } from './options.ts'
import { validateWindowsOptions } from './windows.ts'

/** Under which identity and confinement all containers of a pod run. `path` is that of the security context. */
export function validatePodSecurityContext(
  errors: FieldError[],
  spec: PodSpec,
  path: string,
  options: PodValidationOptions,
): void {
  const context = spec.securityContext as PodSecurityContext
  checkId(errors, context.fsGroup, `${path}.fsGroup`)
  checkId(errors, context.runAsUser, `${path}.runAsUser`)
  checkId(errors, context.runAsGroup, `${path}.runAsGroup`)
  if (context.supplementalGroups) {
    for (const [i, group] of context.supplementalGroups.entries()) {
      checkId(errors, group, `${path}.supplementalGroups[${i}]`)
    }
  }
  if (spec.shareProcessNamespace && spec.hostPID) {
    const rule = 'ShareProcessNamespace and HostPID cannot both be enabled'
    errors.push(invalid(`${path}.shareProcessNamespace`, true, rule))
  }
  if (context.sysctls?.length) validateSysctls(errors, spec, `${path}.sysctls`, options)
  checkChoice(errors, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch'], `${path}.fsGroupChangePolicy`)
  if (context.seccompProfile) validateSeccompProfile(errors, context.seccompProfile, `${path}.seccompProfile`)
  if (context.windowsOptions) validateWindowsOptions(errors, context.windowsOptions, `${path}.windowsOptions`)
  if (context.appArmorProfile) validateAppArmorProfile(errors, context.appArmorProfile, `${path}.appArmorProfile`)
  checkChoice(errors, context.supplementalGroupsPolicy, ['Merge', 'Strict'], `${path}.supplementalGroupsPolicy`)
  const policies = options.allowAnySELinuxChangePolicy ? ['MountOption', 'Recursive'] : ['Recursive']
  checkChoice(errors, context.seLinuxChangePolicy, policies, `${path}.seLinuxChangePolicy`)
}

/** The same for one container. `hostUsers`: the pod has no user namespace of its own. */
export function validateSecurityContext(
  errors: FieldError[],
  context: SecurityContext,
  path: string,
  hostUsers: boolean,
): void {
  checkId(errors, context.runAsUser, `${path}.runAsUser`)
  checkId(errors, context.runAsGroup, `${path}.runAsGroup`)
  const { procMount } = context
  if (procMount !== undefined) {
    checkChoice(errors, procMount, ['Default', 'Unmasked'], `${path}.procMount`)
    if (hostUsers && procMount === 'Unmasked') {
      errors.push(invalid(`${path}.procMount`, procMount, '`hostUsers` must be false to use `Unmasked`'))
    }
  }
  if (context.seccompProfile) validateSeccompProfile(errors, context.seccompProfile, `${path}.seccompProfile`)
  if (context.allowPrivilegeEscalation === false) {
    const prefix = 'cannot set `allowPrivilegeEscalation` to false and'
    if (context.privileged) errors.push(invalid(path, context, `${prefix} \`privileged\` to true`))
    if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      errors.push(invalid(path, context, `${prefix} \`capabilities.Add\` CAP_SYS_ADMIN`))
    }
  }
  if (context.windowsOptions) validateWindowsOptions(errors, context.windowsOptions, `${path}.windowsOptions`)
  if (context.appArmorProfile) validateAppArmorProfile(errors, context.appArmorProfile, `${path}.appArmorProfile`)
}

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

function validateSeccompProfile(errors: FieldError[], profile: SeccompProfile, path: string): void {
  if (!profile.type) errors.push(required(`${path}.type`, 'type is required when seccompProfile is set'))
  else checkChoice(errors, profile.type, profileTypes, `${path}.type`)
  if (profile.type === 'Localhost') {
    if (profile.localhostProfile === undefined) {
      errors.push(required(`${path}.localhostProfile`, 'must be set when seccomp type is Localhost'))
    } else checkDescendingPath(errors, profile.localhostProfile, `${path}.localhostProfile`)
  } else if (profile.localhostProfile !== undefined) {
    errors.push(invalid(`${path}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'))
  }
}

/** The longest path the kernel takes, less the closing zero. */
const maxProfileBytes = 4095

export function validateAppArmorProfile(errors: FieldError[], profile: AppArmorProfile, path: string): void {
  const { type, localhostProfile: name } = profile
  const namePath = `${path}.localhostProfile`
  if (type === 'Localhost') {
    if (name === undefined) errors.push(required(namePath, 'must be set when AppArmor type is Localhost'))
    else {
      if (name.trim() !== name) errors.push(invalid(namePath, name, 'must not be padded with whitespace'))
      else if (name === '') errors.push(required(namePath, 'must be set when AppArmor type is Localhost'))
      if (Buffer.byteLength(name) > maxProfileBytes) errors.push(tooLong(namePath, maxProfileBytes))
    }
  } else if (!type) errors.push(required(`${path}.type`, 'type is required when appArmorProfile is set'))
  else if (!profileTypes.includes(type)) errors.push(notSupported(`${path}.type`, type, profileTypes))
  else if (name !== undefined) {
    errors.push(invalid(namePath, name, 'can only be set when AppArmor type is Localhost'))
  }
}

const sysctlSegment = '[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const sysctlFormat = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`
const sysctlPattern = new RegExp(sysctlFormat)
const maxSysctlLength = 253

function validateSysctls(errors: FieldError[], spec: PodSpec, path: string, options: PodValidationOptions): void {
  const seen = new Set<string>()
  for (const [i, { name = '' }] of (spec.securityContext?.sysctls ?? []).entries()) {
    const namePath = `${path}[${i}].name`
    if (!name) errors.push(required(namePath))
    else if (name.length > maxSysctlLength || !sysctlPattern.test(name)) {
      const rule = `must have at most ${maxSysctlLength} characters and match regex ${sysctlFormat}`
      errors.push(invalid(namePath, name, rule))
    } else if (seen.has(name)) errors.push(duplicate(namePath, name))
    seen.add(name)
    if (!options.allowHostNamespaceSysctls) {
      const owner = hostNamespaceOf(spec, name)
      if (owner) errors.push(invalid(namePath, name, `may not be specified when '${owner}' is true`))
    }
  }
}

/** Some sysctl of the pod belongs to a namespace that the pod shares with its host. */
export const hasHostNamespaceSysctl = (spec: PodSpec): boolean =>
  (spec.securityContext?.sysctls ?? []).some(({ name = '' }) => hostNamespaceOf(spec, name) !== undefined)

const ipcSysctls = new Set(
  'kernel.sem kernel.shmall kernel.shmmax kernel.shmmni kernel.shm_rmid_forced kernel.shm kernel.msgmax kernel.msgmnb kernel.msgmni kernel.msg'.split(
    ' ',
  ),
)

function hostNamespaceOf(spec: PodSpec, sysctl: string): 'hostNetwork' | 'hostIPC' | undefined {
  // Either separator may come first; it is the other one that may then stand inside of a name.
  const normal = /^[^./]*\//.test(sysctl) ? sysctl.replace(/[./]/g, (c) => (c === '.' ? '/' : '.')) : sysctl
  const star = normal.indexOf('*')
  const name = star < 0 ? normal : normal.slice(0, star)
  if (spec.hostNetwork && name.startsWith('net.')) return 'hostNetwork'
  if (spec.hostIPC && (ipcSysctls.has(name) || name.startsWith('fs.mqueue.'))) return 'hostIPC'
  return undefined
}

/** A pod with user IDs of its own may not share what user namespaces do not cover. `path` is the spec's. */
export function validateUserNamespace(
  errors: FieldError[],
  spec: PodSpec,
  path: string,
  options: PodValidationOptions,
): void {
  if (spec.hostUsers !== false) return
  const rule = 'when `hostUsers` is false'
  if (spec.hostNetwork && !options.allowHostNetworkWithUserNamespaces) {
    errors.push(forbidden(`${path}.hostNetwork`, rule))
  }
  if (spec.hostPID) errors.push(forbidden(`${path}.HostPID`, rule))
  if (spec.hostIPC) errors.push(forbidden(`${path}.HostIPC`, rule))
  if (options.allowVolumeDevicesWithUserNamespaces) return
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) {
      if (container.volumeDevices?.length) errors.push(forbidden(`${path}.${list}[${i}].volumeDevices`, rule))
    }
  }
}
