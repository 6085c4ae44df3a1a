import type { Answer, SrvData } from 'dns-packet'
import { formatIp, type IpFamily, ipFamily, parseIp } from '../../../api/core/ip.ts'
import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice, Service } from '../../../api/generated/types.ts'
import type { Live } from '../../../client/types.ts'
import { canonicalIp, inCidr } from '../addresses.ts'
import type { ServiceTable } from '../services/table.ts'
import type { Question, Reply } from './message.ts'

export interface ZoneOptions {
  /** `cluster.local` */
  domain: string
  /** The address of this DNS service. */
  dnsAddress: string
  /** The addresses of pods and services: nobody else can say whose they are. */
  cidrs: readonly string[]
  services: ServiceTable
}

/**
 * What the cluster itself knows of a name, as upstream's DNS specification has it. `elsewhere`: another server's business.
 * `alias`: the name is another's, outside the cluster, whose records belong into the same answer.
 */
export type ZoneAnswer =
  | { kind: 'reply'; reply: Reply }
  | { kind: 'alias'; answers: Answer[]; target: string }
  | { kind: 'elsewhere' }

export const ttlSeconds = 5

/** Looks the question up in the cluster. */
export function answerFrom(zone: ZoneOptions, question: Question): ZoneAnswer {
  const own = zone.domain.split('.')
  const { labels } = question
  const inZone =
    labels.length >= own.length && own.every((label, i) => labels[labels.length - own.length + i] === label)
  if (inZone) {
    const found = lookUp(zone, question, labels.slice(0, labels.length - own.length))
    if (found !== undefined && 'target' in found) return { kind: 'alias', ...found }
    return { kind: 'reply', reply: complete(zone, question, found) }
  }
  const address = reverseAddress(labels)
  if (address === undefined || !zone.cidrs.some((cidr) => inCidr(cidr, address))) return { kind: 'elsewhere' }
  const names = namesOf(zone, address)
  const pointers = question.type === 'PTR' ? names.map((data) => record(question, 'PTR', data)) : []
  return { kind: 'reply', reply: complete(zone, question, names.length > 0 ? { answers: pointers } : undefined) }
}

/** Records of the name; none of the asked type is an empty list; undefined: there is no such name. */
type Found = { answers: Answer[]; additionals?: Answer[] } | { answers: Answer[]; target: string } | undefined

function lookUp(zone: ZoneOptions, question: Question, labels: readonly string[]): Found {
  const kind = labels.at(-1)
  const rest = labels.slice(0, -1)
  if (kind === undefined) return apex(zone, question)
  if (kind === 'svc') return inServices(zone, question, rest)
  if (kind === 'pod') return inPods(zone, question, rest)
  if (kind === 'dns-version' && rest.length === 0)
    return { answers: question.type === 'TXT' ? [{ ...record(question, 'TXT', schemaVersion) }] : [] }
  if (kind === 'dns' && rest.length === 0) return nothing
  if (kind === 'dns' && rest.length === 1 && rest[0] === 'ns')
    return { answers: addressRecords(question, [zone.dnsAddress]) }
  return undefined
}

const schemaVersion = '1.1.0'

const nothing: Found = { answers: [] }

function apex(zone: ZoneOptions, question: Question): Found {
  if (question.type === 'SOA') return { answers: [soa(zone, question)] }
  if (question.type !== 'NS') return nothing
  const host = `ns.dns.${zone.domain}`
  return {
    answers: [record(question, 'NS', host)],
    additionals: addressRecords({ name: host, type: typeFor(zone.dnsAddress) }, [zone.dnsAddress]),
  }
}

function inServices(zone: ZoneOptions, question: Question, labels: readonly string[]): Found {
  const namespace = labels.at(-1)
  if (namespace === undefined) return nothing
  if (labels.length === 1) return zone.services.hasNamespace(namespace) ? nothing : undefined
  const name = `${namespace}/${labels.at(-2)}`
  const service = zone.services.service(name)
  if (!service) return undefined
  const { type, externalName = '' } = service.spec ?? {}
  const [first = '', second] = labels.slice(0, -2)
  if (type === 'ExternalName') {
    if (labels.length > 2) return undefined
    const target = externalName.toLowerCase().replace(/\.$/, '')
    // Validation lets longer labels pass than DNS can say.
    if (!target.split('.').every((label) => label.length > 0 && label.length < 64)) return nothing
    const alias = record(question, 'CNAME', target)
    return question.type === 'CNAME' ? { answers: [alias] } : { answers: [alias], target }
  }
  const slices = zone.services.slices(name)
  switch (labels.length) {
    case 2:
      return ofService(zone, question, service, slices)
    case 3: {
      if (first.startsWith('_')) {
        const known = service.spec?.ports?.some(({ protocol }) => `_${(protocol ?? 'TCP').toLowerCase()}` === first)
        return known ? nothing : undefined
      }
      const endpoints = slices.flatMap(readyEndpoints).filter((endpoint) => hostnameOf(endpoint) === first)
      if (endpoints.length === 0) return undefined
      return { answers: addressRecords(question, endpoints.map(addressOf)) }
    }
    case 4: {
      const srv = first.startsWith('_') && second?.startsWith('_')
      const records = srv ? srvRecords(zone, question, service, slices, first.slice(1), second?.slice(1)) : undefined
      if (!records || records.answers.length === 0) return undefined
      return question.type === 'SRV' ? records : nothing
    }
    default:
      return undefined
  }
}

function ofService(
  zone: ZoneOptions,
  question: Question,
  service: Live<Service>,
  slices: readonly EndpointSlice[],
): Found {
  if (question.type === 'SRV') {
    const records = srvRecords(zone, question, service, slices, undefined, undefined)
    if (records.answers.length > 0) return records
  }
  const clusterIps = clusterIpsOf(service)
  if (clusterIps.length > 0) return { answers: addressRecords(question, clusterIps) }
  const addresses = slices.flatMap(readyEndpoints).map(addressOf)
  // A headless service that nobody serves does not exist, says the specification.
  return addresses.length > 0 ? { answers: addressRecords(question, addresses) } : undefined
}

function srvRecords(
  zone: ZoneOptions,
  question: Question,
  service: Live<Service>,
  slices: readonly EndpointSlice[],
  portName: string | undefined,
  protocol: string | undefined,
): { answers: Answer[]; additionals: Answer[] } {
  const matches = (port: Pick<DiscoveryV1EndpointPort, 'name' | 'protocol'>) =>
    portName === undefined || (port.name === portName && (port.protocol ?? 'TCP').toLowerCase() === protocol)
  const base = nameOf(zone, service)
  const targets: { target: string; port: number; address: string }[] = []
  const clusterIps = clusterIpsOf(service)
  if (clusterIps.length > 0) {
    for (const port of service.spec?.ports ?? [])
      if (matches(port)) for (const address of clusterIps) targets.push({ target: base, port: port.port, address })
  } else {
    for (const slice of slices)
      for (const port of slice.ports ?? [])
        if (port.port && matches(port))
          for (const endpoint of readyEndpoints(slice))
            targets.push({ target: `${hostnameOf(endpoint)}.${base}`, port: port.port, address: addressOf(endpoint) })
  }
  const places = new Map(targets.map(({ target, port }) => [`${target} ${port}`, { target, port }]))
  const weight = Math.max(1, Math.floor(100 / Math.max(1, places.size)))
  const answers = [...places.values()].map((place) => record(question, 'SRV', { priority: 0, weight, ...place }))
  const hosts = new Map(targets.map((target) => [`${target.target} ${target.address}`, target]))
  const additionals = [...hosts.values()].flatMap(({ target, address }) =>
    addressRecords({ name: target, type: typeFor(address) }, [address]),
  )
  return { answers, additionals }
}

/** A pod's address is in its name; whether there is such a pod is not asked. */
function inPods(zone: ZoneOptions, question: Question, labels: readonly string[]): Found {
  if (labels.length === 0) return nothing
  if (labels.length === 1) return zone.services.hasNamespace(labels[0] as string) ? nothing : undefined
  const dashed = labels[0] as string
  const address = canonicalIp(dashed.replaceAll('-', '.'), 'IPv4') ?? canonicalIp(dashed.replaceAll('-', ':'), 'IPv6')
  return labels.length === 2 && address !== undefined ? { answers: addressRecords(question, [address]) } : undefined
}

function namesOf(zone: ZoneOptions, address: string): string[] {
  const names: string[] = []
  for (const name of zone.services.withAddress(address)) {
    const service = zone.services.service(name)
    if (!service) continue
    if (clusterIpsOf(service).includes(address)) return [nameOf(zone, service)]
    for (const slice of zone.services.slices(name))
      for (const endpoint of readyEndpoints(slice))
        if (addressOf(endpoint) === address) names.push(`${hostnameOf(endpoint)}.${nameOf(zone, service)}`)
  }
  return [...new Set(names)]
}

function complete(
  zone: ZoneOptions,
  question: Question,
  found: { answers: Answer[]; additionals?: Answer[] } | undefined,
): Reply {
  const rcode = found ? 'NOERROR' : 'NXDOMAIN'
  const answers = found?.answers ?? []
  // Whoever remembers that there is no such name learns from the SOA for how long.
  const authorities = answers.length === 0 ? [soa(zone, question)] : []
  if (question.type === 'A' || question.type === 'AAAA') shuffle(answers)
  return { rcode, authoritative: true, answers, authorities, additionals: found?.additionals ?? [] }
}

function soa({ domain }: ZoneOptions, { labels }: Question): Answer {
  const data = {
    mname: `ns.dns.${domain}`,
    rname: `hostmaster.${domain}`,
    serial: Math.floor(Date.now() / 1000),
    refresh: 7200,
    retry: 1800,
    expire: 86_400,
    minimum: ttlSeconds,
  }
  return { type: 'SOA', name: labels.at(-1) === 'arpa' ? labels.slice(-2).join('.') : domain, ttl: ttlSeconds, data }
}

function addressRecords(question: Pick<Question, 'name' | 'type'>, addresses: readonly string[]): Answer[] {
  const { type } = question
  if (type !== 'A' && type !== 'AAAA') return []
  const fitting = new Set(addresses.filter((address) => typeFor(address) === type))
  return [...fitting].map((data) => record(question, type, data))
}

const typeFor = (address: string): 'A' | 'AAAA' => (address.includes(':') ? 'AAAA' : 'A')

function record(question: Pick<Question, 'name'>, type: 'SRV', data: SrvData): Answer
function record(
  question: Pick<Question, 'name'>,
  type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'PTR' | 'TXT',
  data: string,
): Answer
function record({ name }: Pick<Question, 'name'>, type: string, data: unknown): Answer {
  return { name, type, ttl: ttlSeconds, data } as Answer
}

const nameOf = ({ domain }: ZoneOptions, { metadata }: Live<Service>): string =>
  `${metadata.name}.${metadata.namespace}.svc.${domain}`

function clusterIpsOf({ spec }: Live<Service>): string[] {
  const ips = spec?.clusterIPs ?? [spec?.clusterIP ?? 'None']
  return ips.filter((ip) => ip !== 'None' && ip !== '')
}

function readyEndpoints({ addressType, endpoints }: EndpointSlice): Endpoint[] {
  if (addressType === 'FQDN') return []
  return (endpoints ?? []).filter(
    ({ conditions, addresses }) => (conditions?.ready ?? true) && ipFamily(addresses[0] ?? ''),
  )
}

function addressOf({ addresses }: Endpoint): string {
  const ip = parseIp(addresses[0] ?? '')
  return ip ? formatIp(ip) : ''
}

/** An endpoint without a name of its own goes by its address. */
function hostnameOf(endpoint: Endpoint): string {
  return endpoint.hostname?.toLowerCase() ?? addressOf(endpoint).replaceAll(/[.:]/g, '-')
}

/** The address that a name under in-addr.arpa or ip6.arpa stands for. */
function reverseAddress(labels: readonly string[]): string | undefined {
  const digits = labels.slice(0, -2).reverse()
  const domain = labels.slice(-2).join('.')
  const whole: [string[], IpFamily] | undefined =
    domain === 'in-addr.arpa' && digits.length === 4
      ? [[digits.join('.')], 'IPv4']
      : domain === 'ip6.arpa' && digits.length === 32 && digits.every((digit) => /^[0-9a-f]$/.test(digit))
        ? [digits.join('').match(/.{4}/g) ?? [], 'IPv6']
        : undefined
  return whole && canonicalIp(whole[0].join(':'), whole[1])
}

function shuffle(records: Answer[]): void {
  for (let i = records.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const held = records[i] as Answer
    records[i] = records[j] as Answer
    records[j] = held
  }
}
