import { isIP } from 'node:net'
import type {
  CoreV1EndpointPort,
  DiscoveryV1EndpointPort,
  Endpoint,
  EndpointAddress,
  EndpointSlice,
  Endpoints,
} from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { Live } from '../../client/types.ts'
import { managedByLabel, serviceNameLabel, triggerTimeAnnotation } from '../endpointslice/plan.ts'

export const mirroredBy = 'endpointslicemirroring-controller.k8s.io'
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

export interface MirrorPlan {
  create: EndpointSlice[]
  update: Live<EndpointSlice>[]
  remove: Live<EndpointSlice>[]
  /** Addresses that are none, and those beyond what is mirrored of a subset. */
  invalid: number
  skipped: number
  changes: { added: number; updated: number; removed: number }
}

interface Group {
  addressType: 'IPv4' | 'IPv6'
  ports: DiscoveryV1EndpointPort[]
  endpoints: Endpoint[]
}

/** The slices that show what the Endpoints say, one for each family of addresses and set of ports. */
export function planMirror(
  endpoints: Live<Endpoints>,
  slices: readonly Live<EndpointSlice>[],
  maxPerSubset: number,
): MirrorPlan {
  const plan: MirrorPlan = {
    create: [],
    update: [],
    remove: [],
    invalid: 0,
    skipped: 0,
    changes: { added: 0, updated: 0, removed: 0 },
  }
  const groups = groupsOf(endpoints, maxPerSubset, plan)
  const standing = new Map<string, Live<EndpointSlice>[]>()
  for (const slice of slices) {
    const key = keyOf(slice.addressType, slice.ports ?? [])
    standing.set(key, [...(standing.get(key) ?? []), slice])
  }
  for (const [key, group] of groups) {
    const [kept, ...spare] = standing.get(key) ?? []
    standing.delete(key)
    plan.remove.push(...spare)
    const wanted = { ...sliceOf(endpoints, group), endpoints: group.endpoints.slice(0, maxPerSubset) }
    if (!kept) {
      plan.changes.added += wanted.endpoints.length
      plan.create.push(wanted)
    } else if (!isSame(kept, wanted, plan)) plan.update.push(over(kept, wanted))
  }
  for (const gone of standing.values()) plan.remove.push(...gone)
  for (const { endpoints: lost } of plan.remove) plan.changes.removed += lost?.length ?? 0
  recycle(plan)
  return plan
}

function groupsOf({ subsets = [] }: Live<Endpoints>, maxPerSubset: number, plan: MirrorPlan): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const subset of subsets) {
    const ports = (subset.ports ?? []).map(portOf)
    let added = 0
    const add = (address: EndpointAddress, ready: boolean) => {
      const version = isIP(address.ip)
      if (version === 0) plan.invalid++
      if (version === 0 || added >= maxPerSubset) {
        plan.skipped++
        return
      }
      added++
      const addressType = version === 6 ? 'IPv6' : 'IPv4'
      const key = keyOf(addressType, ports)
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] }
      groups.set(key, group)
      const endpoint = endpointOf(address, ready)
      if (!group.endpoints.some((other) => idOf(other) === idOf(endpoint))) group.endpoints.push(endpoint)
    }
    for (const address of subset.addresses ?? []) add(address, true)
    for (const address of subset.notReadyAddresses ?? []) add(address, false)
  }
  return groups
}

const portOf = ({ name = '', port, protocol = 'TCP', appProtocol }: CoreV1EndpointPort): DiscoveryV1EndpointPort => ({
  name,
  port,
  protocol,
  ...(appProtocol === undefined ? {} : { appProtocol }),
})

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef ? { targetRef } : {}),
  }
}

const keyOf = (addressType: string, ports: readonly DiscoveryV1EndpointPort[]): string =>
  JSON.stringify([
    addressType,
    ports
      .map(({ name = '', port, protocol = 'TCP', appProtocol = '' }) => [name, port, protocol, appProtocol].join(' '))
      .sort(),
  ])

/** By this, an endpoint is the same one though its conditions may have changed. */
const idOf = ({ addresses, hostname = '', nodeName = '', targetRef }: Endpoint): string =>
  JSON.stringify([[...addresses].sort(), hostname, nodeName, targetRef?.namespace, targetRef?.name, targetRef?.uid])

function sliceOf({ metadata }: Live<Endpoints>, { addressType, ports, endpoints }: Group): EndpointSlice {
  const { name, namespace = '', uid = '', labels, annotations = {} } = metadata
  const { [triggerTimeAnnotation]: _time, [lastAppliedAnnotation]: _applied, ...kept } = annotations
  return {
    metadata: {
      generateName: `${name.slice(0, 57)}-`,
      namespace,
      labels: { ...labels, [serviceNameLabel]: name, [managedByLabel]: mirroredBy },
      ...(Object.keys(kept).length > 0 ? { annotations: kept } : {}),
      ownerReferences: [{ apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    addressType,
    ports,
    endpoints,
  }
}

/** The slice that stands, with another content. */
const over = (kept: Live<EndpointSlice>, { metadata, ...content }: EndpointSlice): Live<EndpointSlice> => {
  const { name, namespace = '', uid = '', resourceVersion = '' } = kept.metadata
  const { labels = {}, annotations = {}, ownerReferences = [] } = metadata ?? {}
  return {
    ...kept,
    ...content,
    metadata: { name, namespace, uid, resourceVersion, labels, annotations, ownerReferences },
  }
}

function isSame(kept: Live<EndpointSlice>, wanted: EndpointSlice, plan: MirrorPlan): boolean {
  const before = new Map((kept.endpoints ?? []).map((endpoint) => [idOf(endpoint), endpoint]))
  let isChanged = false
  for (const endpoint of wanted.endpoints ?? []) {
    const standing = before.get(idOf(endpoint))
    before.delete(idOf(endpoint))
    if (!standing) plan.changes.added++
    else if (standing.conditions?.ready !== endpoint.conditions?.ready) plan.changes.updated++
    else continue
    isChanged = true
  }
  plan.changes.removed += before.size
  const owner = kept.metadata.ownerReferences?.find(({ kind }) => kind === 'Endpoints')
  return (
    !isChanged &&
    before.size === 0 &&
    semanticEqual(kept.metadata.labels ?? {}, wanted.metadata?.labels ?? {}) &&
    semanticEqual(kept.metadata.annotations ?? {}, wanted.metadata?.annotations ?? {}) &&
    owner?.uid === wanted.metadata?.ownerReferences?.[0]?.uid
  )
}

/** A slice that is to go becomes one that is to come: watchers see one change instead of two. */
function recycle(plan: MirrorPlan): void {
  for (const wanted of [...plan.create]) {
    const at = plan.remove.findIndex(({ addressType }) => addressType === wanted.addressType)
    const spare = plan.remove[at]
    if (!spare) continue
    plan.remove.splice(at, 1)
    plan.create.splice(plan.create.indexOf(wanted), 1)
    plan.update.push(over(spare, wanted))
  }
}
