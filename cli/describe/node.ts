import type { Lease, Node, Pod, Quantity, ResourceSlice } from '../../api/generated/types.ts'
import { age } from '../../api/machinery/print.ts'
import { quantityMilli, quantityValue } from '../../api/machinery/quantity.ts'
import { isForbidden } from '../../client/errors.ts'
import type { Live } from '../../client/types.ts'
import { describes, type Surroundings } from './describer.ts'
import {
  annotationsField,
  field,
  fieldIf,
  indent,
  labelsField,
  listed,
  longTime,
  orUnset,
  section,
  sortedEntries,
  tabled,
} from './lines.ts'
import { podAmounts, sum } from './pod-resources.ts'

type Amounts = Record<string, Quantity>

/** A node: how it fares, what it has, and what of that its pods have asked for. */
export const node = describes<Node>(async (object, around) => {
  const { metadata, spec, status = {} } = object
  const { nodeInfo } = status
  const [lease, pods, slices] = await Promise.all([
    leaseLines(around, metadata.name),
    podsOn(around, metadata.name),
    slicesOf(around, metadata.name),
  ])
  const conditions = (status.conditions ?? []).map((one) => [
    `${one.type} `,
    `${one.status} `,
    `${longTime(one.lastHeartbeatTime)} `,
    `${longTime(one.lastTransitionTime)} `,
    `${one.reason ?? ''} `,
    one.message ?? '',
  ])
  const amounts = (list: Amounts | undefined) => sortedEntries(list).map(([name, amount]) => field(name, amount))
  return [
    field('Name', metadata.name),
    field('Roles', rolesOf(metadata.labels ?? {}).join(',') || '<none>'),
    ...labelsField('Labels', metadata.labels),
    ...annotationsField('Annotations', metadata.annotations),
    field('CreationTimestamp', longTime(metadata.creationTimestamp)),
    ...listed('Taints', taintTexts(object)),
    field('Unschedulable', spec?.unschedulable ?? false),
    ...lease,
    ...(conditions.length > 0
      ? section(
          'Conditions',
          tabled(['Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message'], conditions),
        )
      : []),
    'Addresses:',
    ...indent((status.addresses ?? []).map(({ type, address }) => field(type, address))),
    ...section('Capacity', amounts(status.capacity)),
    ...section('Allocatable', amounts(status.allocatable)),
    ...slices,
    ...section('System Info', [
      field('Machine ID', nodeInfo?.machineID),
      field('System UUID', nodeInfo?.systemUUID),
      field('Boot ID', nodeInfo?.bootID),
      field('Kernel Version', nodeInfo?.kernelVersion),
      field('OS Image', nodeInfo?.osImage),
      field('Operating System', nodeInfo?.operatingSystem),
      field('Architecture', nodeInfo?.architecture),
      field('Container Runtime Version', nodeInfo?.containerRuntimeVersion),
      field('Kubelet Version', nodeInfo?.kubeletVersion),
    ]),
    ...fieldIf('PodCIDR', spec?.podCIDR),
    ...fieldIf('PodCIDRs', spec?.podCIDRs?.join(',')),
    ...fieldIf('ProviderID', spec?.providerID),
    ...(pods ? allocationLines(object, pods, around.nowMs) : [field('Pods', 'not authorized')]),
  ]
})

const rolePrefix = 'node-role.kubernetes.io/'

/** By the labels that name them. */
function rolesOf(labels: Readonly<Record<string, string>>): string[] {
  const prefixed = Object.keys(labels).flatMap((key) =>
    key.startsWith(rolePrefix) ? [key.slice(rolePrefix.length)] : [],
  )
  return [...new Set([...prefixed, labels['kubernetes.io/role'] ?? ''])].filter((role) => role !== '').sort()
}

const taintTexts = ({ spec }: Live<Node>): string[] =>
  [...(spec?.taints ?? [])]
    .sort((a, b) => (`${a.effect},${a.key}` < `${b.effect},${b.key}` ? -1 : 1))
    .map(({ key, value, effect }) => `${key}${value ? `=${value}` : ''}${effect ? `:${effect}` : ''}`)

async function leaseLines({ get }: Surroundings, name: string): Promise<string[]> {
  try {
    const { spec } = await get<Lease>('leases.coordination.k8s.io', name, 'kube-node-lease')
    const time = (text: string | undefined) => (text ? longTime(text) : '<unset>')
    return section('Lease', [
      field('HolderIdentity', orUnset(spec?.holderIdentity)),
      field('AcquireTime', time(spec?.acquireTime)),
      field('RenewTime', time(spec?.renewTime)),
    ])
  } catch (error) {
    return [field('Lease', `Failed to get lease: ${(error as Error).message}`)]
  }
}

/** The pods of the node that have not ended; undefined for who must not see them. */
async function podsOn({ list }: Surroundings, name: string): Promise<Live<Pod>[] | undefined> {
  try {
    return await list<Pod>('pods', {
      fieldSelector: `spec.nodeName=${name},status.phase!=Succeeded,status.phase!=Failed`,
    })
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

const poolsShown = 10

/** Devices that are this node's own, by driver and pool. */
async function slicesOf({ list }: Surroundings, name: string): Promise<string[]> {
  let slices: Live<ResourceSlice>[]
  try {
    slices = await list<ResourceSlice>('resourceslices.resource.k8s.io', { fieldSelector: `spec.nodeName=${name}` })
  } catch {
    // A server without such devices does not know the kind, and not everybody may see them.
    return []
  }
  const pools = new Map<string, { driver: string; pool: string; slices: number; devices: number }>()
  for (const { spec } of slices) {
    const key = `${spec.driver}/${spec.pool.name}`
    const pool = pools.get(key) ?? { driver: spec.driver, pool: spec.pool.name, slices: 0, devices: 0 }
    pools.set(key, { ...pool, slices: pool.slices + 1, devices: pool.devices + (spec.devices?.length ?? 0) })
  }
  if (pools.size === 0) return []
  const rows = sortedEntries(Object.fromEntries(pools)).map(([, one]) => [
    one.driver,
    one.pool,
    one.slices,
    one.devices,
  ])
  return section('Node-Local ResourceSlices', [
    ...tabled(['Driver', 'Pool', 'Slices', 'Devices'], rows.slice(0, poolsShown)),
    ...(rows.length > poolsShown ? [`...and ${rows.length - poolsShown} more pools`] : []),
  ])
}

/** Each pod with what it asks for, and the sums, as parts of what the node gives. */
function allocationLines({ status }: Live<Node>, pods: readonly Live<Pod>[], nowMs: number): string[] {
  const room: Amounts = status?.allocatable ?? status?.capacity ?? {}
  const shares = (name: string, requests: Amounts, limits: Amounts) =>
    [requests, limits].map((amounts) => `${amounts[name] ?? '0'} (${percent(name, amounts[name], room[name])}%)`)
  const rows = pods.map((pod) => {
    const [requests, limits] = [podAmounts(pod, 'requests', { held: true }), podAmounts(pod, 'limits', { held: true })]
    const { namespace, name, creationTimestamp } = pod.metadata
    return [
      namespace,
      name,
      '',
      ...shares('cpu', requests, limits),
      ...shares('memory', requests, limits),
      age(creationTimestamp, nowMs),
    ]
  })
  const total = (side: 'requests' | 'limits') => pods.map((pod) => podAmounts(pod, side)).reduce(sum, {})
  const [requests, limits] = [total('requests'), total('limits')]
  const names = Object.keys(room).sort()
  const extended = names.filter((name) => name.includes('/') || name.startsWith('attachable-volumes-'))
  return [
    field('Non-terminated Pods', `(${pods.length} in total)`),
    ...indent(
      tabled(['Namespace', 'Name', '', 'CPU Requests', 'CPU Limits', 'Memory Requests', 'Memory Limits', 'Age'], rows),
    ),
    'Allocated resources:',
    '  (Total limits may be over 100 percent, i.e., overcommitted.)',
    ...indent(
      tabled(
        ['Resource', 'Requests', 'Limits'],
        [
          ...['cpu', 'memory', 'ephemeral-storage', ...names.filter((name) => name.startsWith('hugepages-'))].map(
            (name) => [name, ...shares(name, requests, limits)],
          ),
          ...extended.map((name) => [name, requests[name] ?? '0', limits[name] ?? '0']),
        ],
      ),
    ),
  ]
}

function percent(name: string, amount: Quantity | undefined, of: Quantity | undefined): number {
  const value = name === 'cpu' ? quantityMilli : quantityValue
  return of === undefined || value(of) === 0 ? 0 : Math.trunc((value(amount) / value(of)) * 100)
}
