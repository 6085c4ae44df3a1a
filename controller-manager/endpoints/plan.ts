import type {
  EndpointAddress,
  CoreV1EndpointPort as EndpointPort,
  EndpointSubset,
  Endpoints,
  Pod,
  Service,
} from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { isReady, isTerminal } from '../pods/condition.ts'
import { podAddress, targetPortIn } from '../service-pods/pods-of-services.ts'

/** More addresses than this are left out: whoever needs them reads the slices. */
export const maxAddresses = 1000
const overCapacity = 'endpoints.kubernetes.io/over-capacity'
export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'
const headlessLabel = 'service.kubernetes.io/headless'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'

/** The Endpoints of the service; undefined when those that stand are already right. */
export function planEndpoints(
  service: Live<Service>,
  pods: readonly Live<Pod>[],
  standing: Live<Endpoints> | undefined,
  triggerTime: string | undefined,
): Endpoints | undefined {
  const { subsets, truncated } = capped(subsetsOf(service, pods))
  const { name, namespace } = service.metadata
  const labels = {
    ...service.metadata.labels,
    [managedByLabel]: 'endpoint-controller',
    ...(service.spec?.clusterIP === 'None' || service.spec?.clusterIP === '' ? { [headlessLabel]: '' } : {}),
  }
  if (service.spec?.clusterIP !== 'None') delete (labels as Record<string, string>)[headlessLabel]
  const { [triggerTimeAnnotation]: _, [overCapacity]: wasOver, ...annotations } = standing?.metadata.annotations ?? {}
  if (
    standing &&
    JSON.stringify(standing.subsets ?? []) === JSON.stringify(subsets) &&
    JSON.stringify(sorted(standing.metadata.labels ?? {})) === JSON.stringify(sorted(labels)) &&
    (wasOver !== undefined) === truncated
  )
    return undefined
  return {
    metadata: {
      ...standing?.metadata,
      name,
      ...(namespace ? { namespace } : {}),
      labels,
      annotations: {
        ...annotations,
        ...(truncated ? { [overCapacity]: 'truncated' } : {}),
        ...(triggerTime ? { [triggerTimeAnnotation]: triggerTime } : {}),
      },
    },
    subsets,
  }
}

interface Backend {
  address: EndpointAddress
  ready: boolean
}

function subsetsOf(service: Live<Service>, pods: readonly Live<Pod>[]): EndpointSubset[] {
  const publishAll = service.spec?.publishNotReadyAddresses === true
  const family = service.spec?.ipFamilies?.[0] === 'IPv6' ? 'IPv6' : 'IPv4'
  const ports = service.spec?.ports ?? []
  const headless = service.spec?.clusterIP === 'None'
  // By port, who serves it; ports that the same pods serve then share a subset.
  const byPort = new Map<string, { port: EndpointPort | undefined; backends: Map<string, Backend> }>()
  const serve = (port: EndpointPort | undefined, backend: Backend) => {
    const key = JSON.stringify(port ?? null)
    const entry = byPort.get(key) ?? { port, backends: new Map() }
    entry.backends.set(`${backend.address.ip} ${backend.address.targetRef?.uid}`, backend)
    byPort.set(key, entry)
  }
  for (const pod of pods) {
    const ip = podAddress(pod, family)
    if (ip === undefined || isTerminal(pod) || (pod.metadata.deletionTimestamp !== undefined && !publishAll)) continue
    const backend = { address: addressOf(service, pod, ip), ready: publishAll || isReady(pod) }
    if (ports.length === 0 && headless) serve(undefined, backend)
    for (const { name = '', appProtocol, ...port } of ports) {
      const number = targetPortIn(pod, port)
      if (number === undefined) continue
      serve(
        {
          ...(name === '' ? {} : { name }),
          port: number,
          protocol: port.protocol ?? 'TCP',
          ...(appProtocol ? { appProtocol } : {}),
        },
        backend,
      )
    }
  }
  const subsets = new Map<string, { ports: EndpointPort[]; backends: Backend[] }>()
  for (const { port, backends } of byPort.values()) {
    const key = [...backends.keys()].sort().join()
    const subset = subsets.get(key) ?? { ports: [], backends: [...backends.values()] }
    if (port) subset.ports.push(port)
    subsets.set(key, subset)
  }
  return [...subsets.values()].map(({ ports: own, backends }) => {
    const pick = (ready: boolean) =>
      backends
        .filter((each) => each.ready === ready)
        .map(({ address }) => address)
        .sort(byIp)
    const [addresses, notReadyAddresses] = [pick(true), pick(false)]
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}),
      ...(own.length > 0
        ? { ports: own.sort((a, b) => a.port - b.port || (a.name ?? '').localeCompare(b.name ?? '')) }
        : {}),
    }
  })
}

function addressOf(service: Live<Service>, { metadata, spec }: Live<Pod>, ip: string): EndpointAddress {
  const named = spec?.hostname && spec.subdomain === service.metadata.name
  return {
    ip,
    ...(named ? { hostname: spec.hostname as string } : {}),
    ...(spec?.nodeName ? { nodeName: spec.nodeName } : {}),
    targetRef: {
      kind: 'Pod',
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      name: metadata.name,
      ...(metadata.uid ? { uid: metadata.uid } : {}),
    },
  }
}

const byIp = (a: EndpointAddress, b: EndpointAddress) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0)
const sorted = (labels: Record<string, string>) => Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))

/** Ready addresses first; of each subset a share by its size. */
function capped(subsets: EndpointSubset[]): { subsets: EndpointSubset[]; truncated: boolean } {
  const total = subsets.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) => sum + addresses.length + notReadyAddresses.length,
    0,
  )
  if (total <= maxAddresses) return { subsets, truncated: false }
  let room = maxAddresses
  const ready = subsets.map(({ addresses = [] }) => {
    const kept = addresses.slice(0, room)
    room -= kept.length
    return kept
  })
  const cut = subsets.map((subset, i) => {
    const notReady = (subset.notReadyAddresses ?? []).slice(0, room)
    room -= notReady.length
    const { addresses: _a, notReadyAddresses: _n, ...rest } = subset
    const addresses = ready[i] ?? []
    return {
      ...(addresses.length > 0 ? { addresses } : {}),
      ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
      ...rest,
    }
  })
  return { subsets: cut.filter(({ addresses, notReadyAddresses }) => addresses || notReadyAddresses), truncated: true }
}
