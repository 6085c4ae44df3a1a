import { randomInt } from 'node:crypto'
import type { Service } from '../../api/generated/types.ts'
import { internalServerError, invalidError } from '../../api/machinery/errors.ts'
import { type FieldError, invalid } from '../../api/machinery/field-errors.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import { newObject } from '../bootstrap.ts'
import type { Registry } from '../registry/registry.ts'
import type { RegistryHooks } from '../registry/write.ts'
import type { Change, Store } from '../storage/store.ts'
import { addressAt, canonicalIp, contains, familyOf, type IpRange } from './ip-range.ts'

export interface ServiceAllocatorOptions {
  ranges: readonly IpRange[]
  nodePorts: readonly [number, number]
  /** Of networking.k8s.io ipaddresses. */
  ipAddresses: () => Registry
  store: Store
  now: () => number
}

type Family = 'IPv4' | 'IPv6'
const portPrefix = '/ranges/servicenodeports'
const maxTries = 32

/**
 * Gives services their addresses and node ports. Each is an entry of its own, committed together with the service: one
 * that is taken makes the commit fail and another is tried, and nothing is ever leaked or given twice.
 */
export function serviceHooks(options: ServiceAllocatorOptions): RegistryHooks {
  return {
    async allocate(object, old, { dryRun }) {
      const service = object as unknown as Stored<Service>
      const before = old as unknown as Stored<Service> | undefined
      const changes = [
        ...(await allocateIps(options, service, before)),
        ...(await allocatePorts(options, service, before)),
      ]
      return dryRun ? [] : changes
    },
    async release(object) {
      const { clusterIps, ports } = holdings(object as unknown as Stored<Service>)
      return [
        ...clusterIps.map((ip) => removal(ipKey(options, ip))),
        ...ports.map((port) => removal(`${portPrefix}/${port}`)),
      ]
    },
  }
}

interface Holdings {
  clusterIps: string[]
  ports: number[]
}

function holdings(service: Stored<Service> | undefined): Holdings {
  const { clusterIPs = [], clusterIP, ports = [], healthCheckNodePort } = service?.spec ?? {}
  const ips = clusterIPs.length > 0 ? clusterIPs : clusterIP ? [clusterIP] : []
  const taken = ports.flatMap(({ nodePort }) => nodePort || [])
  return {
    clusterIps: ips.filter((ip) => ip !== 'None' && ip !== '').map(canonicalIp),
    ports: [...new Set(healthCheckNodePort ? [...taken, healthCheckNodePort] : taken)],
  }
}

async function allocateIps(
  options: ServiceAllocatorOptions,
  service: Stored<Service>,
  before: Stored<Service> | undefined,
): Promise<Change[]> {
  const spec = service.spec
  if (!spec) return []
  const held = holdings(before).clusterIps
  if (spec.type === 'ExternalName') return held.map((ip) => removal(ipKey(options, ip)))
  decideFamilies(options, service, before)
  if (spec.clusterIP === 'None') return held.map((ip) => removal(ipKey(options, ip)))

  const changes: Change[] = []
  const ips = [...(spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : []))]
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) {
    const range = options.ranges.find((candidate) => candidate.family === family) as IpRange
    const asked = ips[i]
    if (asked === undefined || asked === '') ips[i] = await freeIp(options, range)
    else if (!held.includes(canonicalIp(asked))) await requireFreeIp(options, range, service, asked)
  }
  spec.clusterIPs = ips
  if (ips[0] !== undefined) spec.clusterIP = ips[0]
  const wanted = ips.map(canonicalIp)
  for (const ip of wanted) if (!held.includes(ip)) changes.push(ipClaim(options, service, ip))
  for (const ip of held) if (!wanted.includes(ip)) changes.push(removal(ipKey(options, ip)))
  return changes
}

/** Fills in ipFamilyPolicy and ipFamilies. Throws 422 for what this cluster does not have. */
function decideFamilies(
  { ranges }: ServiceAllocatorOptions,
  service: Stored<Service>,
  before: Stored<Service> | undefined,
): void {
  const { spec } = service
  if (!spec) return
  const headless = spec.clusterIP === 'None'
  const selectorless = Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??=
    before?.spec?.ipFamilyPolicy ?? (headless && selectorless ? 'RequireDualStack' : 'SingleStack')
  const families: Family[] = [...((spec.ipFamilies ?? []) as Family[])]
  if (families.length === 0 && !headless) {
    for (const ip of spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])) families.push(familyOf(ip))
  }
  const served = ranges.map(({ family }) => family)
  if (families.length === 0)
    families.push(...((before?.spec?.ipFamilies as Family[] | undefined) ?? [served[0] as Family]))
  const other: Family = families[0] === 'IPv4' ? 'IPv6' : 'IPv4'
  const errors: FieldError[] = []
  if (headless && selectorless) {
    // Nobody allocates anything for it: it may speak of families that the cluster has not.
    if (families.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') families.push(other)
  } else {
    if (spec.ipFamilyPolicy === 'RequireDualStack' && served.length < 2) {
      errors.push(
        invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
      )
    }
    for (const [i, family] of families.entries()) {
      if (!served.includes(family))
        errors.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'))
    }
    // An update that does not speak of it must not upgrade a service.
    const isUntouched =
      before?.spec?.ipFamilyPolicy === spec.ipFamilyPolicy && before?.spec?.ipFamilies?.length === families.length
    if (spec.ipFamilyPolicy !== 'SingleStack' && families.length === 1 && served.length > 1 && !isUntouched)
      families.push(other)
  }
  if (errors.length > 0) throw invalidError({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors)
  spec.ipFamilies = families
}

async function freeIp(options: ServiceAllocatorOptions, range: IpRange): Promise<string> {
  // The lower part is left to those who choose their address themselves, as upstream does.
  const spare = BigInt(Math.min(Math.max(16, Number(range.size / 16n)), 256))
  const usable = range.size - 2n
  const from = usable > spare * 2n ? spare : 1n
  const span = Number(usable - from > 1_000_000_000n ? 1_000_000_000n : usable - from)
  const registry = options.ipAddresses()
  for (let i = 0; i < maxTries; i++) {
    const ip = addressAt(range, from + BigInt(randomInt(Math.max(1, span))))
    if (!registry.cache.get(registry.key('', ip))) return ip
  }
  for (let n = 1n; n <= usable; n++) {
    const ip = addressAt(range, n)
    if (!registry.cache.get(registry.key('', ip))) return ip
  }
  throw internalServerError(`failed to allocate a serviceIP: range ${range.cidr} is full`)
}

async function requireFreeIp(
  options: ServiceAllocatorOptions,
  range: IpRange | undefined,
  service: Stored<Service>,
  ip: string,
): Promise<void> {
  const refuse = (why: string) =>
    invalidError({ group: '', kind: 'Service' }, service.metadata.name ?? '', [
      invalid('spec.clusterIPs', service.spec?.clusterIPs ?? [ip], `failed to allocate IP ${ip}: ${why}`),
    ])
  if (!range || !contains(range, ip)) {
    throw refuse('the provided network does not match the current range')
  }
  if (await options.store.get(ipKey(options, canonicalIp(ip)))) throw refuse('provided IP is already allocated')
}

function ipClaim(options: ServiceAllocatorOptions, service: Stored<Service>, ip: string): Change {
  const registry = options.ipAddresses()
  const { namespace = '', name = '' } = service.metadata
  const object: AnyObject = {
    metadata: {
      name: ip,
      labels: {
        'ipaddress.kubernetes.io/ip-family': familyOf(ip),
        'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
      },
    },
    spec: { parentRef: { resource: 'services', namespace, name } },
  }
  const value = registry.cache.codec.encode(newObject(registry, '', object, options.now()))
  return { key: ipKey(options, ip), expect: 'absent', value }
}

async function allocatePorts(
  options: ServiceAllocatorOptions,
  service: Stored<Service>,
  before: Stored<Service> | undefined,
): Promise<Change[]> {
  const { spec } = service
  if (!spec) return []
  const held = holdings(before).ports
  const errors: FieldError[] = []
  const taken = new Set(holdings(service).ports)
  // A port for TCP and the same for UDP may share one number.
  const byPort = new Map<number, number>()
  if (needsNodePorts(service)) {
    for (const [i, port] of (spec.ports ?? []).entries()) {
      if (!port.nodePort) {
        port.nodePort = (sharesNumber(spec.ports ?? [], i) && byPort.get(port.port)) || (await freePort(options, taken))
        taken.add(port.nodePort)
      } else if (!held.includes(port.nodePort)) {
        const fault = await portFault(options, port.nodePort)
        if (fault) errors.push(invalid(`spec.ports[${i}].nodePort`, port.nodePort, fault))
      }
      byPort.set(port.port, port.nodePort)
    }
  }
  if (needsHealthCheckPort(service)) {
    if (!spec.healthCheckNodePort) spec.healthCheckNodePort = await freePort(options, taken)
    else if (!held.includes(spec.healthCheckNodePort)) {
      const fault = await portFault(options, spec.healthCheckNodePort)
      if (fault) errors.push(invalid('spec.healthCheckNodePort', spec.healthCheckNodePort, fault))
    }
  }
  if (errors.length > 0) throw invalidError({ group: '', kind: 'Service' }, service.metadata.name ?? '', errors)
  const wanted = holdings(service).ports
  const { namespace, name } = service.metadata
  const value = Buffer.from(JSON.stringify({ service: `${namespace}/${name}` }))
  return [
    ...wanted
      .filter((port) => !held.includes(port))
      .map((port): Change => ({ key: `${portPrefix}/${port}`, expect: 'absent', value })),
    ...held.filter((port) => !wanted.includes(port)).map((port) => removal(`${portPrefix}/${port}`)),
  ]
}

function needsNodePorts({ spec }: Stored<Service>): boolean {
  if (spec?.type === 'NodePort') return true
  return spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false
}

function needsHealthCheckPort({ spec }: Stored<Service>): boolean {
  return spec?.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
}

function sharesNumber(ports: readonly { port: number; protocol?: string }[], i: number): boolean {
  const own = ports[i]
  return ports.some((port, at) => at < i && port.port === own?.port && port.protocol !== own.protocol)
}

async function freePort(
  { nodePorts: [low, high], store }: ServiceAllocatorOptions,
  taken: ReadonlySet<number>,
): Promise<number> {
  for (let i = 0; i < maxTries; i++) {
    const port = randomInt(low, high + 1)
    if (!taken.has(port) && !(await store.get(`${portPrefix}/${port}`))) return port
  }
  for (let port = low; port <= high; port++) {
    if (!taken.has(port) && !(await store.get(`${portPrefix}/${port}`))) return port
  }
  throw internalServerError('failed to allocate a nodePort: range is full')
}

async function portFault(
  { nodePorts: [low, high], store }: ServiceAllocatorOptions,
  port: number,
): Promise<string | undefined> {
  if (port < low || port > high) {
    return `provided port is not in the valid range. The range of valid ports is ${low}-${high}`
  }
  return (await store.get(`${portPrefix}/${port}`)) ? 'provided port is already allocated' : undefined
}

function ipKey({ ipAddresses }: ServiceAllocatorOptions, ip: string): string {
  return ipAddresses().key('', ip)
}

const removal = (key: string): Change => ({ key, expect: 'any', value: null })
