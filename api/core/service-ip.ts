import type { Service, ServiceSpec } from '../generated/types.ts'
import { duplicate, type FieldError, index, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { semanticEqual } from '../machinery/field-rules.ts'
import type { Stored } from '../machinery/object.ts'
import { ipFamily, ipFaults, isDualStack } from './ip.ts'

/** A service whose defaults have run. */
export type ServiceObject = Stored<Service> & { spec: ServiceSpec }

/** The cluster IP of a service that has none. */
export const noClusterIP = 'None'

/** Such a service has cluster IPs, or is explicitly without ('None'). */
export const needsClusterIP = ({ spec }: ServiceObject): boolean => spec.type !== 'ExternalName'

/** No cluster IP is to be allocated: clients find the endpoints through DNS. */
export const isHeadless = ({ spec }: ServiceObject): boolean =>
  spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === noClusterIP

/** How many addresses of which family a service lacks, once its families are decided. */
export function missingClusterIPs(service: ServiceObject): { index: number; family: string }[] {
  if (!needsClusterIP(service) || isHeadless(service)) return []
  const { ipFamilies = [], clusterIPs = [] } = service.spec
  return ipFamilies.flatMap((family, i) => (clusterIPs[i] ? [] : [{ index: i, family }]))
}

/** Fills in what follows from the request alone; what depends on the cluster's ranges is left to the allocator. */
export function completeClusterIPs({ spec }: ServiceObject): void {
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
  if (spec.type !== 'ExternalName') spec.ipFamilyPolicy ??= defaultFamilyPolicy(spec)
}

/**
 * The same on an update: a writer who does not know the allocated values, or only the older field `clusterIP`, gets
 * what is meant by that.
 */
export function completeClusterIPsUpdate(service: ServiceObject, old: ServiceObject): void {
  const { spec } = service
  const before = old.spec
  if (needsClusterIP(service) && needsClusterIP(old)) {
    if (!spec.clusterIP && before.clusterIP) spec.clusterIP = before.clusterIP
    if (!spec.clusterIPs?.length && before.clusterIPs?.length) spec.clusterIPs = [...before.clusterIPs]
  }
  alignPlural(service, old)
  if (!needsClusterIP(service)) return
  spec.ipFamilyPolicy ??= before.ipFamilyPolicy ?? defaultFamilyPolicy(spec)
  if (spec.ipFamilyPolicy !== 'SingleStack') return
  // The policy alone says what is wanted: the first address and family never change, so the second goes.
  if (sameClusterIPs(service, old) && (spec.clusterIPs?.length ?? 0) > 1)
    spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? []
  if (sameFamilies(service, old) && (spec.ipFamilies?.length ?? 0) > 1)
    spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? []
}

/** Wipes the addresses of a service that turns into one without, unless its writer changed them too. */
export function dropClusterIPs(service: ServiceObject, old: ServiceObject): void {
  if (!needsClusterIP(old) || needsClusterIP(service)) return
  const { spec } = service
  if (sameClusterIPs(service, old)) {
    delete spec.clusterIP
    delete spec.clusterIPs
  }
  if (sameFamilies(service, old)) delete spec.ipFamilies
  if (spec.ipFamilyPolicy === old.spec.ipFamilyPolicy) delete spec.ipFamilyPolicy
}

/** Faults of clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy taken together. */
export function validateClusterIPs(service: ServiceObject, old: ServiceObject | undefined): FieldError[] {
  if (!needsClusterIP(service)) return []
  const { clusterIP = '', clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec
  const errors: FieldError[] = []
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) errors.push(required(ipsPath))
    else if (clusterIPs[0] !== clusterIP)
      errors.push(invalid(ipsPath, clusterIPs, 'first value must match `clusterIP`'))
  } else if (clusterIPs.length > 0) {
    errors.push(invalid(ipsPath, clusterIPs, 'must be empty when `clusterIP` is not specified'))
  }
  for (const [i, family] of ipFamilies.entries()) {
    if (!families.includes(family)) errors.push(notSupported(index(familiesPath, i), family, families))
    if (ipFamilies.indexOf(family) < i) errors.push(duplicate(index(familiesPath, i), family))
  }
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy))
    errors.push(notSupported(policyPath, ipFamilyPolicy, policies))

  const faults = validateAddresses(clusterIPs, old?.spec.clusterIPs ?? [])
  if (clusterIPs.length > 2) faults.errors.push(invalid(ipsPath, clusterIPs, 'may only hold up to 2 values'))
  errors.push(...faults.errors)
  // With an address that is none, the rest would only mislead.
  if (faults.unreadable) return errors
  if (clusterIPs.length > 1 && !isDualStack(clusterIPs.map(ipFamily)))
    errors.push(invalid(ipsPath, clusterIPs, 'may specify no more than one IP for each IP family'))
  if (!isHeadless(service)) {
    for (const [i, ip] of clusterIPs.entries()) {
      const family = ipFamilies[i]
      if (families.includes(family ?? '') && ipFamily(ip) !== family)
        errors.push(invalid(index(ipsPath, i), ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``))
    }
  }
  if (ipFamilyPolicy === 'SingleStack') {
    const because = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
    if (clusterIPs.length === 2)
      errors.push(invalid(policyPath, ipFamilyPolicy, `${because} cluster IPs are specified`))
    if (ipFamilies.length === 2)
      errors.push(invalid(policyPath, ipFamilyPolicy, `${because} IP families are specified`))
  }
  return errors
}

/** A service may gain or lose its second address and family; the first stay what they are. */
export function validateClusterIPsUpdate(service: ServiceObject, old: ServiceObject): FieldError[] {
  if (!needsClusterIP(service) || !needsClusterIP(old)) return []
  const headless = isHeadless(service)
  const wasHeadless = isHeadless(old)
  return [
    ...(headless && wasHeadless ? [] : firstKept(service.spec.clusterIPs, old.spec.clusterIPs, ipsPath, 'clusterIP')),
    ...(headless || wasHeadless
      ? []
      : firstKept(service.spec.ipFamilies, old.spec.ipFamilies, familiesPath, 'ipFamily')),
    ...validateRelease(service, old),
  ]
}

const ipsPath = 'spec.clusterIPs'
const familiesPath = 'spec.ipFamilies'
const policyPath = 'spec.ipFamilyPolicy'
const families = ['IPv4', 'IPv6']
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

function firstKept(next: string[] = [], before: string[] = [], path: string, what: string): FieldError[] {
  if (next.length === before.length) {
    return before.flatMap((value, i) => {
      const at = what === 'ipFamily' ? 0 : i
      return value === next[i] ? [] : [invalid(index(path, at), next, 'may not change once set')]
    })
  }
  if (before.length === 0) return []
  // Families left out are inferred by the allocator.
  if (next.length === 0)
    return what === 'ipFamily' ? [] : [invalid(index(path, 0), next, `primary ${what} can not be unset`)]
  return next[0] === before[0] ? [] : [invalid(index(path, 0), next, 'may not change once set')]
}

function validateRelease(service: ServiceObject, old: ServiceObject): FieldError[] {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec
  if (ipFamilyPolicy === 'SingleStack') return []
  const errors: FieldError[] = []
  const reduced = (next: string[], before: string[] = []) =>
    next.length > 0 && next.length < before.length && next[0] === before[0]
  if (reduced(clusterIPs, old.spec.clusterIPs))
    errors.push(invalid(policyPath, ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP"))
  if (reduced(ipFamilies, old.spec.ipFamilies))
    errors.push(invalid(policyPath, ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family"))
  return errors
}

function validateAddresses(ips: string[], accepted: string[]): { errors: FieldError[]; unreadable: boolean } {
  const errors: FieldError[] = []
  let unreadable = false
  for (const [i, ip] of ips.entries()) {
    const faults =
      i === 0 && ip === noClusterIP
        ? ips.length > 1
          ? [invalid(ipsPath, ips, "'None' must be the first and only value")]
          : []
        : ipFaults(index(ipsPath, i), ip, accepted)
    unreadable ||= faults.length > 0
    errors.push(...faults)
  }
  return { errors, unreadable }
}

function alignPlural({ spec }: ServiceObject, { spec: before }: ServiceObject): void {
  const clusterIP = spec.clusterIP ?? ''
  const oldClusterIP = before.clusterIP ?? ''
  if (clusterIP === oldClusterIP || !semanticEqual(spec.clusterIPs, before.clusterIPs)) {
    // Only the older field was sent.
    if (clusterIP !== '' && clusterIP === oldClusterIP && !spec.clusterIPs?.length && before.clusterIPs?.length)
      spec.clusterIPs = [...before.clusterIPs]
    return
  }
  if (clusterIP === '') delete spec.clusterIPs
  else spec.clusterIPs = [clusterIP]
}

const defaultFamilyPolicy = ({ clusterIP, selector }: ServiceSpec): string =>
  clusterIP === noClusterIP && Object.keys(selector ?? {}).length === 0 ? 'RequireDualStack' : 'SingleStack'

const sameClusterIPs = ({ spec }: ServiceObject, { spec: before }: ServiceObject): boolean =>
  (spec.clusterIP ?? '') === (before.clusterIP ?? '') && semanticEqual(spec.clusterIPs, before.clusterIPs)

const sameFamilies = ({ spec }: ServiceObject, { spec: before }: ServiceObject): boolean =>
  semanticEqual(spec.ipFamilies, before.ipFamilies)
