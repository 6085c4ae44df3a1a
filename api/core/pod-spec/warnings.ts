import type { NodeSelectorTerm, ObjectMeta, PodAffinityTerm, PodSpec, PodTemplateSpec } from '../../generated/types.ts'
import { isValidLabelValue } from '../../machinery/names.ts'
import { deprecatedNodeLabel } from '../../node/deprecated-labels.ts'
import { formatIp, parseIp } from '../ip.ts'
import { appArmorPrefix, appArmorProfileOf, seccompContainerPrefix, seccompPodAnnotation } from './annotations.ts'
import { visitContainers } from './containers-of.ts'
import { portWarnings } from './port-warnings.ts'
import { overlappingPathWarnings } from './volume-path-warnings.ts'

const deprecatedAnnotations: Readonly<Record<string, string>> = {
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
}

const deprecatedVolumes = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const

/** Warnings on the template of a workload; `path` is the template's. */
export const podTemplateWarnings = (template: PodTemplateSpec | undefined, path: string): string[] =>
  template?.spec ? specWarnings(template.spec, template.metadata, path) : []

/** Warnings on a pod. */
export const podWarnings = (meta: ObjectMeta, spec: PodSpec): string[] => specWarnings(spec, meta, '')

function specWarnings(spec: PodSpec, meta: ObjectMeta | undefined, path: string): string[] {
  const warnings: string[] = []
  const warn = (field: string, text: string) => warnings.push(`${field}: ${text}`)
  const dot = path === '' ? '' : `${path}.`
  const specPath = `${dot}spec`
  const annotationsPath = `${dot}metadata.annotations`
  const annotations = meta?.annotations

  for (const label in spec.nodeSelector) {
    const message = deprecatedNodeLabel(label)
    if (message) warn(`${specPath}.nodeSelector[${label}]`, message)
  }
  affinityWarnings(warn, spec, `${specPath}.affinity`)
  for (const [i, { topologyKey, labelSelector }] of (spec.topologySpreadConstraints ?? []).entries()) {
    const at = `${specPath}.topologySpreadConstraints[${i}]`
    const message = deprecatedNodeLabel(topologyKey)
    if (message) warn(`${at}.topologyKey`, `${topologyKey} is ${message}`)
    if (!labelSelector) warn(`${at}.labelSelector`, nullSelector)
  }
  for (const key in annotations) {
    if (deprecatedAnnotations[key]) warn(`${annotationsPath}[${key}]`, deprecatedAnnotations[key])
  }
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    for (const [type, shown, message] of deprecatedVolumes) {
      if (volume[type]) warn(`${specPath}.volumes[${i}].${shown}`, message)
    }
    const claim = volume.ephemeral?.volumeClaimTemplate?.spec
    const at = `${specPath}.volumes[${i}].ephemeral.volumeClaimTemplate.spec`
    if (claim) warnings.push(...claimSpecWarnings(claim.resources, at))
  }
  if (spec.volumes) warnings.push(...overlappingPathWarnings(spec.volumes))
  repeated(
    spec.hostAliases,
    ({ ip }) => ip,
    (i, ip) => warn(`${specPath}.hostAliases[${i}].ip`, `duplicate ip ${quote(ip)}`),
  )
  const secretPath = (i: number) => `${specPath}.imagePullSecrets[${i}].name`
  repeated(
    spec.imagePullSecrets,
    ({ name }) => name,
    (i, name) => warn(secretPath(i), `duplicate name ${quote(name)}`),
  )
  for (const [i, { name }] of (spec.imagePullSecrets ?? []).entries()) {
    if (!name) warn(secretPath(i), 'invalid empty name ""')
  }
  for (const name of byteResources) fractionWarning(warn, spec.overhead?.[name], `${specPath}.overhead[${name}]`)

  const useSeccompField = 'non-functional in v1.27+; use the "seccompProfile" field instead'
  if (annotations?.[seccompPodAnnotation] !== undefined && !spec.securityContext?.seccompProfile) {
    warn(`${annotationsPath}[${seccompPodAnnotation}]`, useSeccompField)
  }
  visitContainers(spec, specPath, (container, containerPath) => {
    const { securityContext, resources, env } = container
    if (annotations) {
      const seccomp = seccompContainerPrefix + container.name
      if (annotations[seccomp] !== undefined && !securityContext?.seccompProfile) {
        warn(`${annotationsPath}[${seccomp}]`, useSeccompField)
      }
      const appArmor = appArmorPrefix + container.name
      const profile = annotations[appArmor]
      if (profile !== undefined && !securityContext?.appArmorProfile) {
        const podProfile = spec.securityContext?.appArmorProfile
        const meant = appArmorProfileOf(profile)
        const same =
          podProfile?.type === meant?.type && podProfile?.localhostProfile === meant?.localhostProfile && podProfile
        if (!same) {
          warn(`${annotationsPath}[${appArmor}]`, 'deprecated since v1.30; use the "appArmorProfile" field instead')
        }
      }
    }
    for (const name of byteResources) {
      fractionWarning(warn, resources?.limits?.[name], `${containerPath}.resources.limits[${name}]`)
      fractionWarning(warn, resources?.requests?.[name], `${containerPath}.resources.requests[${name}]`)
    }
    repeated(
      env,
      ({ name }) => name,
      (i, name) => {
        const variable = env?.[i]
        const reference = `$(${name})`
        const value = variable?.value ?? ''
        if (variable?.valueFrom || value === reference || !value.includes(reference)) {
          warn(
            `${containerPath}.env[${i}]`,
            `hides previous definition of ${quote(name)}, which may be dropped when using apply`,
          )
        }
      },
    )
  })
  warnings.push(...portWarnings(spec, specPath))
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warn(
      `${specPath}.terminationGracePeriodSeconds`,
      'must be >= 0; negative values are invalid and will be treated as 1',
    )
  }
  podAffinityWarnings(warn, spec, `${specPath}.affinity`)
  for (const [i, server] of (spec.dnsConfig?.nameservers ?? []).entries()) {
    warnings.push(...ipWarnings(`${specPath}.dnsConfig.nameservers[${i}]`, server))
  }
  for (const [i, { ip }] of (spec.hostAliases ?? []).entries()) {
    warnings.push(...ipWarnings(`${specPath}.hostAliases[${i}].ip`, ip))
  }
  return warnings
}

type Warn = (field: string, text: string) => void

const nullSelector = 'a null labelSelector results in matching no pod'
const byteResources = ['memory', 'ephemeral-storage'] as const
const quote = (text: string | undefined): string => JSON.stringify(text ?? '')

/** Calls `report` with every item whose key came before. */
function repeated<T>(
  items: readonly T[] | undefined,
  keyOf: (item: T) => string | undefined,
  report: (i: number, key: string) => void,
): void {
  if (!items || items.length < 2) return
  const seen = new Set<string>()
  for (const [i, item] of items.entries()) {
    const key = keyOf(item) ?? ''
    if (seen.has(key)) report(i, key)
    seen.add(key)
  }
}

function fractionWarning(warn: Warn, amount: string | undefined, path: string): void {
  if (amount?.endsWith('m')) warn(path, `fractional byte value ${quote(amount)} is invalid, must be an integer`)
}

/** Warnings on the amounts a volume claim asks for; `path` is the claim spec's. */
export function claimSpecWarnings(
  resources: { requests?: Record<string, string>; limits?: Record<string, string> } | undefined,
  path: string,
): string[] {
  const warnings: string[] = []
  const warn: Warn = (field, text) => warnings.push(`${field}: ${text}`)
  fractionWarning(warn, resources?.requests?.storage, `${path}.resources.requests[storage]`)
  fractionWarning(warn, resources?.limits?.storage, `${path}.resources.limits[storage]`)
  return warnings
}

/** Warnings on an address that is not spelled the one way all programs agree on. */
export function ipWarnings(path: string, value: string): string[] {
  const ip = parseIp(value)
  if (!ip) return []
  const canonical = formatIp(ip)
  if (ip.leadingZeros || ip.mapped) {
    return [`${path}: non-standard IP address ${quote(value)} is invalid: use ${quote(canonical)}`]
  }
  if (ip.family === 'IPv6' && canonical !== value) {
    return [`${path}: IPv6 address ${quote(value)} should be in RFC 5952 canonical format (${quote(canonical)})`]
  }
  return []
}

function affinityWarnings(warn: Warn, spec: PodSpec, path: string): void {
  const affinity = spec.affinity?.nodeAffinity
  const needed = affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  const at = `${path}.nodeAffinity`
  for (const [i, term] of needed.entries()) {
    termWarnings(warn, term, false, `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`)
  }
  for (const [i, { preference }] of (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    if (!preference) continue
    termWarnings(warn, preference, true, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`)
  }
}

function termWarnings(warn: Warn, term: NodeSelectorTerm, checkValues: boolean, path: string): void {
  for (const [i, { key, values = [] }] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`
    const message = deprecatedNodeLabel(key)
    if (message) warn(`${at}.key`, `${key} is ${message}`)
    if (!checkValues) continue
    for (const [j, value] of values.entries()) {
      for (const fault of isValidLabelValue(value)) warn(`${at}.values[${j}]`, `${value} is invalid, ${fault}`)
    }
  }
}

function podAffinityWarnings(warn: Warn, spec: PodSpec, path: string): void {
  for (const side of ['podAffinity', 'podAntiAffinity'] as const) {
    const affinity = spec.affinity?.[side]
    const check = (term: PodAffinityTerm | undefined, at: string) => {
      if (!term?.labelSelector) warn(`${at}.labelSelector`, nullSelector)
    }
    const at = `${path}.${side}`
    for (const [i, term] of (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      check(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`)
    }
    for (const [i, item] of (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      check(item.podAffinityTerm, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`)
    }
  }
}
