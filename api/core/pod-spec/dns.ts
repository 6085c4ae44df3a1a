import type { HostAlias, PodDNSConfig, PodSpec } from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, required, tooLong } from '../../machinery/field-errors.ts'
import { isDNS1123Subdomain, isDNS1123SubdomainWithUnderscore } from '../../machinery/names.ts'
import { ipFaults } from '../ip.ts'
import { addInvalid, checkLabelName } from './checks.ts'

const maxNameservers = 3
const maxSearchPaths = 32
const maxSearchCharacters = 2048

/** How the pod resolves names. `path` is the spec's. */
export function validateDNS(errors: FieldError[], spec: PodSpec, path: string): void {
  const { dnsConfig } = spec
  if (spec.dnsPolicy === 'None' && !dnsConfig?.nameservers?.length) {
    errors.push(
      dnsConfig
        ? required(`${path}.dnsConfig.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None')
        : required(`${path}.dnsConfig`, 'must provide `dnsConfig` when `dnsPolicy` is None'),
    )
  } else if (dnsConfig) validateConfig(errors, dnsConfig, `${path}.dnsConfig`)
}

function validateConfig(errors: FieldError[], config: PodDNSConfig, path: string): void {
  const { nameservers = [], searches = [], options = [] } = config
  if (nameservers.length > maxNameservers) {
    errors.push(invalid(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`))
  }
  for (const [i, server] of nameservers.entries()) errors.push(...ipFaults(`${path}.nameservers[${i}]`, server))
  if (searches.length > maxSearchPaths) {
    errors.push(invalid(`${path}.searches`, searches, `must not have more than ${maxSearchPaths} search paths`))
  }
  if (Buffer.byteLength(searches.join(' ')) > maxSearchCharacters) {
    const rule = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`
    errors.push(invalid(`${path}.searches`, searches, rule))
  }
  for (const [i, search] of searches.entries()) {
    if (search === '.') continue
    const name = search.endsWith('.') ? search.slice(0, -1) : search
    addInvalid(errors, `${path}.searches[${i}]`, name, isDNS1123SubdomainWithUnderscore(name))
  }
  for (const [i, { name }] of options.entries()) {
    if (!name) errors.push(required(`${path}.options[${i}]`, 'must not be empty'))
  }
}

/** Lines for the pod's hosts file. */
export function validateHostAliases(errors: FieldError[], aliases: readonly HostAlias[], path: string): void {
  for (const [i, { ip = '', hostnames = [] }] of aliases.entries()) {
    errors.push(...ipFaults(`${path}[${i}].ip`, ip))
    for (const [j, hostname] of hostnames.entries()) {
      addInvalid(errors, `${path}[${i}].hostnames[${j}]`, hostname, isDNS1123Subdomain(hostname))
    }
  }
}

/** The name the pod gives itself. `path` is the spec's. */
export function validateHostname(errors: FieldError[], spec: PodSpec, path: string): void {
  if (spec.hostname) checkLabelName(errors, spec.hostname, `${path}.hostname`)
  if (spec.subdomain) checkLabelName(errors, spec.subdomain, `${path}.subdomain`)
  const override = spec.hostnameOverride
  if (override === undefined) return
  const at = `${path}.hostnameOverride`
  if (spec.setHostnameAsFQDN) errors.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'))
  if (spec.hostNetwork) errors.push(forbidden(at, 'may not be specified when hostNetwork is true'))
  // The longest hostname Linux knows.
  if (Buffer.byteLength(override) > 64) errors.push(tooLong(at, 64))
  addInvalid(errors, at, override, isDNS1123Subdomain(override))
}
