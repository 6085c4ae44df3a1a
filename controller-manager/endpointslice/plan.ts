import type {
  Endpoint,
  DiscoveryV1EndpointPort as EndpointPort,
  EndpointSlice,
  Node,
  Pod,
  Service,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isReady, isTerminal } from '../pods/condition.ts'
import { podAddress, targetPortIn } from '../service-pods/pods-of-services.ts'

export const maxEndpoints = 100
export const managedBy = 'endpointslice-controller.k8s.io'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
export const serviceNameLabel = 'kubernetes.io/service-name'
const headlessLabel = 'service.kubernetes.io/headless'
const zoneLabel = 'topology.kubernetes.io/zone'
export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

export interface SliceWorld {
  service: Live<Service>
  /** Those that the service selects. */
  pods: readonly Live<Pod>[]
  nodeOf: (name: string) => Live<Node> | undefined
  /** Those of this controller for the service. */
  slices: readonly Live<EndpointSlice>[]
  triggerTime?: string | undefined
}

export interface SlicePlan {
  create: EndpointSlice[]
  update: Live<EndpointSlice>[]
  remove: Live<EndpointSlice>[]
  /** Pods that were left out because their node is not known yet. */
  waitingForNodes: boolean
}

type Family = 'IPv4' | 'IPv6'

/**
 * The slices that show the service's pods, changing as few of those that stand as possible: endpoints stay where they are,
 * and new ones fill what has room before another slice is made.
 */
export function planSlices(world: SliceWorld): SlicePlan {
  const { service, slices } = world
  const plan: SlicePlan = { create: [], update: [], remove: [], waitingForNodes: false }
  const families = familiesOf(service)
  for (const slice of slices) if (!families.includes(slice.addressType as Family)) plan.remove.push(slice)
  for (const family of families) {
    const groups = desiredGroups(world, family, plan)
    const standing = slices.filter(({ addressType }) => addressType === family)
    for (const slice of standing) if (!groups.has(portsKey(slice.ports ?? []))) plan.remove.push(slice)
    for (const [key, group] of groups) {
      packGroup(
        world,
        family,
        group,
        standing.filter((slice) => portsKey(slice.ports ?? []) === key),
        plan,
      )
    }
    // A service without pods has one empty slice, so that whoever watches knows that there are none.
    if (groups.size === 0) {
      const [kept, ...spare] = standing
      if (kept) {
        plan.remove = plan.remove.filter((slice) => slice !== kept)
        update(world, kept, [], [], plan)
      } else plan.create.push(newSlice(world, family, [], []))
      for (const slice of spare) if (!plan.remove.includes(slice)) plan.remove.push(slice)
    }
  }
  return plan
}

interface Group {
  ports: EndpointPort[]
  endpoints: Map<string, Endpoint>
}

function familiesOf({ spec }: Live<Service>): Family[] {
  if (spec?.ipFamilies && spec.ipFamilies.length > 0) return spec.ipFamilies as Family[]
  return [spec?.clusterIP?.includes(':') ? 'IPv6' : 'IPv4']
}

/** The endpoints of the family, together with those that have the same ports. */
function desiredGroups(world: SliceWorld, family: Family, plan: SlicePlan): Map<string, Group> {
  const groups = new Map<string, Group>()
  const { service, nodeOf } = world
  for (const pod of world.pods) {
    const address = podAddress(pod, family)
    if (address === undefined || isTerminal(pod)) continue
    const node = pod.spec?.nodeName ? nodeOf(pod.spec.nodeName) : undefined
    if (!node && !service.spec?.publishNotReadyAddresses) {
      plan.waitingForNodes = true
      continue
    }
    const ports = portsOf(service, pod)
    const key = portsKey(ports)
    const group = groups.get(key) ?? { ports, endpoints: new Map() }
    group.endpoints.set(endpointId(pod.metadata.uid, address), endpointOf(service, pod, address, node))
    groups.set(key, group)
  }
  for (const { endpoints } of groups.values()) hint(service, endpoints.values())
  return groups
}

function portsOf(service: Live<Service>, pod: Live<Pod>): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = targetPortIn(pod, port)
    if (number === undefined) return []
    const { name = '', protocol = 'TCP', appProtocol } = port
    return [{ name, port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }]
  })
}

const portsKey = (ports: readonly EndpointPort[]): string =>
  JSON.stringify(
    ports.map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) => [name, port, protocol, appProtocol]).sort(),
  )

function endpointOf(service: Live<Service>, pod: Live<Pod>, address: string, node: Live<Node> | undefined): Endpoint {
  const { metadata, spec } = pod
  const terminating = metadata.deletionTimestamp !== undefined
  const serving = isReady(pod)
  const zone = node?.metadata.labels?.[zoneLabel]
  const named = spec?.hostname && spec.subdomain === service.metadata.name
  return {
    addresses: [address],
    conditions: {
      ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating),
      serving,
      terminating,
    },
    ...(named ? { hostname: spec.hostname as string } : {}),
    ...(spec?.nodeName ? { nodeName: spec.nodeName } : {}),
    targetRef: {
      kind: 'Pod',
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      name: metadata.name,
      ...(metadata.uid ? { uid: metadata.uid } : {}),
    },
    ...(zone ? { zone } : {}),
  }
}

/** Tells proxies to prefer what is near, where the service asks for it. */
function hint(service: Live<Service>, endpoints: Iterable<Endpoint>): void {
  const wanted = service.spec?.trafficDistribution
  if (wanted !== 'PreferClose' && wanted !== 'PreferSameZone' && wanted !== 'PreferSameNode') return
  for (const endpoint of endpoints) {
    const { zone, nodeName } = endpoint
    const hints = {
      ...(zone ? { forZones: [{ name: zone }] } : {}),
      ...(wanted === 'PreferSameNode' && nodeName ? { forNodes: [{ name: nodeName }] } : {}),
    }
    if (endpoint.conditions?.ready && Object.keys(hints).length > 0) endpoint.hints = hints
  }
}

const endpointId = (uid: string | undefined, address: string) => `${uid ?? ''} ${address}`
const idOf = ({ targetRef, addresses }: Endpoint) => endpointId(targetRef?.uid, addresses[0] ?? '')

function packGroup(
  world: SliceWorld,
  family: Family,
  group: Group,
  standing: Live<EndpointSlice>[],
  plan: SlicePlan,
): void {
  const left = new Map(group.endpoints)
  const next = standing.map((slice) => {
    const kept = (slice.endpoints ?? []).flatMap((endpoint) => {
      const wanted = left.get(idOf(endpoint))
      left.delete(idOf(endpoint))
      return wanted ? [wanted] : []
    })
    return { slice, endpoints: kept }
  })
  // First those that must be written anyway, fullest first; then whoever has room for all that is left.
  const changed = (entry: (typeof next)[number]) => !sameSlice(world, entry.slice, group.ports, entry.endpoints)
  const byRoom = [...next].sort(
    (a, b) => Number(changed(b)) - Number(changed(a)) || b.endpoints.length - a.endpoints.length,
  )
  const rest = [...left.values()]
  for (const entry of byRoom) {
    const room = maxEndpoints - entry.endpoints.length
    if (rest.length === 0 || room <= 0) continue
    if (!changed(entry) && rest.length > room) continue
    entry.endpoints.push(...rest.splice(0, room))
  }
  for (const { slice, endpoints } of next) {
    if (endpoints.length === 0) plan.remove.push(slice)
    else update(world, slice, group.ports, endpoints, plan)
  }
  for (let i = 0; i < rest.length; i += maxEndpoints)
    plan.create.push(newSlice(world, family, group.ports, rest.slice(i, i + maxEndpoints)))
}

function update(
  world: SliceWorld,
  slice: Live<EndpointSlice>,
  ports: EndpointPort[],
  endpoints: Endpoint[],
  plan: SlicePlan,
): void {
  if (sameSlice(world, slice, ports, endpoints)) return
  const { metadata } = slice
  plan.update.push({
    ...slice,
    metadata: { ...metadata, labels: labelsOf(world.service), annotations: annotationsOf(world, metadata.annotations) },
    endpoints,
    ports,
  })
}

function sameSlice(
  { service }: SliceWorld,
  slice: Live<EndpointSlice>,
  ports: EndpointPort[],
  endpoints: Endpoint[],
): boolean {
  const before = slice.endpoints ?? []
  if (before.length !== endpoints.length) return false
  if (portsKey(slice.ports ?? []) !== portsKey(ports)) return false
  const labels = labelsOf(service)
  if (JSON.stringify(sorted(labels)) !== JSON.stringify(sorted(slice.metadata.labels ?? {}))) return false
  const standing = new Map(before.map((endpoint) => [idOf(endpoint), shapeOf(endpoint)]))
  return endpoints.every((endpoint) => standing.get(idOf(endpoint)) === shapeOf(endpoint))
}

function shapeOf({ addresses, conditions = {}, hostname, nodeName, zone, hints }: Endpoint): string {
  const { ready, serving, terminating } = conditions
  return JSON.stringify([
    addresses,
    ready,
    serving,
    terminating,
    hostname,
    nodeName,
    zone,
    hints?.forZones,
    hints?.forNodes,
  ])
}

const sorted = (labels: Record<string, string>) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))

/** The service's own labels but for those that mean something on a slice, and ours. */
function labelsOf({ metadata, spec }: Live<Service>): Record<string, string> {
  const reserved = [serviceNameLabel, managedByLabel, headlessLabel]
  const own = Object.fromEntries(Object.entries(metadata.labels ?? {}).filter(([name]) => !reserved.includes(name)))
  return {
    ...own,
    [managedByLabel]: managedBy,
    [serviceNameLabel]: metadata.name,
    ...(spec?.clusterIP === 'None' ? { [headlessLabel]: '' } : {}),
  }
}

function annotationsOf({ triggerTime }: SliceWorld, standing: Record<string, string> = {}): Record<string, string> {
  const { [triggerTimeAnnotation]: _, ...rest } = standing
  return triggerTime ? { ...rest, [triggerTimeAnnotation]: triggerTime } : rest
}

function newSlice(world: SliceWorld, family: Family, ports: EndpointPort[], endpoints: Endpoint[]): EndpointSlice {
  const { name, namespace, uid } = world.service.metadata
  return {
    metadata: {
      generateName: `${name.slice(0, 57)}-`,
      ...(namespace ? { namespace } : {}),
      labels: labelsOf(world.service),
      annotations: annotationsOf(world),
      ownerReferences: [
        { apiVersion: 'v1', kind: 'Service', name, uid: uid ?? '', controller: true, blockOwnerDeletion: true },
      ],
    },
    addressType: family,
    endpoints,
    ports,
  }
}
