import type { PodSpec, WindowsSecurityContextOptions } from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-errors.ts'
import { isDNS1123Subdomain } from '../../machinery/names.ts'
import { addInvalid } from './checks.ts'
import { visitContainers } from './containers-of.ts'

/** What the operating system a pod is made for rules out. `path` is the spec's. */
export function validateOS(errors: FieldError[], spec: PodSpec, path: string): void {
  const name = spec.os?.name
  if (!name) errors.push(required(`${path}.os.name`))
  else if (name === 'linux') forbidOnLinux(errors, spec, path)
  else if (name === 'windows') forbidOnWindows(errors, spec, path)
  else errors.push(notSupported(`${path}.os`, name, ['linux', 'windows']))
}

function forbidOnLinux(errors: FieldError[], spec: PodSpec, path: string): void {
  const rule = 'windows options cannot be set for a linux pod'
  if (spec.securityContext?.windowsOptions) errors.push(forbidden(`${path}.securityContext.windowsOptions`, rule))
  visitContainers(spec, path, ({ securityContext }, containerPath) => {
    if (securityContext?.windowsOptions) errors.push(forbidden(`${containerPath}.securityContext.windowsOptions`, rule))
  })
}

const linuxPodFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const

const linuxContainerFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

function forbidOnWindows(errors: FieldError[], spec: PodSpec, path: string): void {
  const forbid = (field: string) => errors.push(forbidden(field, 'cannot be set for a windows pod'))
  for (const field of linuxPodFields) {
    const value = spec.securityContext?.[field]
    if (value === undefined || (field === 'sysctls' && (value as unknown[]).length === 0)) continue
    forbid(`${path}.securityContext.${field}`)
  }
  if (spec.hostUsers !== undefined) forbid(`${path}.hostUsers`)
  if (spec.hostPID) forbid(`${path}.hostPID`)
  if (spec.hostIPC) forbid(`${path}.hostIPC`)
  if (spec.shareProcessNamespace !== undefined) forbid(`${path}.shareProcessNamespace`)
  visitContainers(spec, path, ({ securityContext }, containerPath) => {
    if (!securityContext) return
    for (const field of linuxContainerFields) {
      if (securityContext[field] !== undefined) forbid(`${containerPath}.securityContext.${field}`)
    }
  })
}

/** Either all containers of a pod are processes of the Windows host, or none. `path` is the spec's. */
export function validateHostProcesses(errors: FieldError[], spec: PodSpec, path: string): void {
  const podWide = spec.securityContext?.windowsOptions?.hostProcess
  let containers = 0
  let hostProcesses = 0
  visitContainers(spec, path, ({ securityContext }, containerPath) => {
    containers++
    const own = securityContext?.windowsOptions?.hostProcess
    if (podWide !== undefined && own !== undefined && podWide !== own) {
      const rule = `pod hostProcess value must be identical if both are specified, was ${podWide}`
      errors.push(invalid(`${containerPath}.securityContext.windowsOptions.hostProcess`, own, rule))
    }
    if (own ?? podWide) hostProcesses++
  })
  if (hostProcesses === 0) return
  if (hostProcesses !== containers) {
    errors.push(
      invalid(
        path,
        '',
        'If pod contains any hostProcess containers then all containers must be HostProcess containers',
      ),
    )
  }
  if (!spec.hostNetwork) {
    const rule = 'hostNetwork must be true if pod contains any hostProcess containers'
    errors.push(invalid(`${path}.hostNetwork`, false, rule))
  }
}

const maxCredentialSpecKiB = 64
const maxDomainLength = 256
const maxUserLength = 104
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacters = /[\x00-\x1f\x7f]/
const netBiosName = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const dnsLabel = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?'
const dnsName = new RegExp(`^${dnsLabel}(?:\\.${dnsLabel})*$`)
const badUserCharacters = /["/\\:;|=,+*?<>@[\]]/
const onlyDotsAndSpaces = /^[. ]+$/

export function validateWindowsOptions(
  errors: FieldError[],
  windows: WindowsSecurityContextOptions,
  path: string,
): void {
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: spec, runAsUserName } = windows
  if (specName !== undefined) {
    addInvalid(errors, `${path}.gmsaCredentialSpecName`, specName, isDNS1123Subdomain(specName))
  }
  if (spec !== undefined) {
    if (spec === '') {
      errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'))
    } else if (Buffer.byteLength(spec) > maxCredentialSpecKiB * 1024) {
      const rule = `gmsaCredentialSpec size must be under ${maxCredentialSpecKiB} KiB`
      errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, rule))
    }
  }
  if (runAsUserName !== undefined) {
    for (const fault of userNameFaults(runAsUserName)) {
      errors.push(invalid(`${path}.runAsUserName`, runAsUserName, fault))
    }
  }
}

/** Faults of `user` or `domain\user`. */
function userNameFaults(name: string): string[] {
  if (name === '') return ['runAsUserName cannot be an empty string']
  if (controlCharacters.test(name)) return ['runAsUserName cannot contain control characters']
  const parts = name.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const domain = parts.length === 2 ? (parts[0] as string) : undefined
  const user = parts.at(-1) as string
  const faults: string[] = []
  if (domain !== undefined) {
    if (domain.length >= maxDomainLength) {
      faults.push(`runAsUserName's Domain length must be under ${maxDomainLength} characters`)
    }
    if (!netBiosName.test(domain) && !dnsName.test(domain)) {
      faults.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
    }
  }
  if (user === '') faults.push("runAsUserName's User cannot be empty")
  else if (user.length > maxUserLength) {
    faults.push(`runAsUserName's User length must not be longer than ${maxUserLength} characters`)
  }
  if (onlyDotsAndSpaces.test(user)) faults.push("runAsUserName's User cannot contain only periods or spaces")
  if (badUserCharacters.test(user)) {
    faults.push(`runAsUserName's User cannot contain the following characters: "/\\:;|=,+*?<>@[]`)
  }
  return faults
}
