import type { Node } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { Cache } from '../cache/cache.ts'
import type { Columns, ResourceColumn } from '../cache/columns.ts'
import { asksForLess } from '../framework/cluster-events.ts'
import { type Hint, maxScore, type Plugin } from '../framework/plugin.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { type Refusal, refusal } from '../framework/refusal.ts'
import { amountOf, type Requests } from '../framework/requests.ts'
import type { Nominations } from '../queue/nominations.ts'
import { defaultArgs, type PluginArgs } from './args.ts'
import { resourceAmounts } from './resource-amounts.ts'
import { strategyScore } from './scoring-strategy.ts'

const name = 'NodeResourcesFit'

/** Whether a node has enough left of everything a pod requests; prefers, by default, the nodes with the most left. */
export function newNodeResourcesFit(columns: Columns, args = defaultArgs.NodeResourcesFit, around?: Around): Plugin {
  const heeded = heedingAll(args) ? (requests: Requests) => requests : withoutIgnored(args)
  return {
    name,
    basis: { filter: 'node', score: 'node' },
    hints: hintsFor(heeded, (pod, nodeName) => !around || mayHaveRoom(columns, around, pod, heeded, nodeName)),
    filter: (_state, { requests }, { row }) => shortages(columns, row, heeded(requests)),
    score:
      args.scoringStrategy === defaultArgs.NodeResourcesFit.scoringStrategy
        ? leastOf(columns)
        : byStrategy(columns, args),
  }
}

type Score = NonNullable<Plugin['score']>

/** The usual strategy, spelled out: it runs more often than anything else. */
function leastOf(columns: Columns): Score {
  return (_state, { requests }, { row }) => {
    const { cpu, memory, scoredCpu, scoredMemory } = columns
    let sum = 0
    let weights = 0
    const count = (requested: number, allocatable: number) => {
      if (allocatable === 0) return
      sum += requested > allocatable ? 0 : Math.trunc(((allocatable - requested) * maxScore) / allocatable)
      weights++
    }
    count((scoredCpu[row] as number) + requests.wantedMilliCpu, cpu.allocatable[row] as number)
    count((scoredMemory[row] as number) + requests.wantedMemoryBytes, memory.allocatable[row] as number)
    return weights === 0 ? 0 : Math.trunc(sum / weights)
  }
}

function byStrategy(columns: Columns, { scoringStrategy }: Args): Score {
  const resources = resourceAmounts(columns, scoringStrategy.resources, { madeUp: true })
  const score = strategyScore(scoringStrategy)
  return (_state, { requests }, { row }) =>
    score(
      resources.flatMap((resource) => {
        const wanted = resource.wanted(requests)
        const allocatable = resource.allocatable(row)
        if (allocatable === 0 || (resource.isOptional && wanted === 0)) return []
        return [{ weight: resource.weight, taken: resource.taken(row) + wanted, allocatable }]
      }),
    )
}

/** What else decides whether room that comes free is room for a pod. */
interface Around {
  readonly cache: Cache
  readonly nominations: Nominations
}

type Args = PluginArgs['NodeResourcesFit']

const heedingAll = ({ ignoredResources, ignoredResourceGroups }: Args): boolean =>
  ignoredResources.length + ignoredResourceGroups.length === 0

/** Resources that somebody else watches over are none of the node's. */
function withoutIgnored({ ignoredResources, ignoredResourceGroups }: Args): (requests: Requests) => Requests {
  const names = new Set(ignoredResources)
  const groups = new Set(ignoredResourceGroups)
  const isIgnored = (resource: string) =>
    resource.includes('/') && (names.has(resource) || groups.has(resource.split('/')[0] ?? ''))
  return (requests) => ({ ...requests, scalars: requests.scalars.filter(([resource]) => !isIgnored(resource)) })
}

const hintsFor = (
  heeded: (requests: Requests) => Requests,
  mayHaveRoomOn: (pod: PodInfo, nodeName: string) => boolean,
): readonly Hint[] => [
  {
    on: ['Pod/Delete'],
    worthATry(pod, { pod: changed }) {
      const { nodeName = '', nominatedNodeName = '' } = changed?.before ?? {}
      return nodeName === '' ? nominatedNodeName !== '' : mayHaveRoomOn(pod, nodeName)
    },
  },
  {
    on: ['Pod/UpdateScaleDown'],
    worthATry: (pod, { pod: changed }) => {
      const { before, after } = changed ?? {}
      if (!before || !after) return true
      if (after.uid === pod.uid) return true
      return after.nodeName !== '' && asksForLess(shared(before, pod), shared(after, pod))
    },
  },
  {
    on: ['Node/Add', 'Node/UpdateAllocatable'],
    worthATry: (pod, { node }) => {
      const after = allocatableOf(node?.after)
      const requests = heeded(pod.requests)
      if (!fitsEmpty(requests, after)) return false
      const before = node?.before && allocatableOf(node.before)
      if (!before) return true
      const wanted = ['pods', ...wantedNames(requests)]
      return wanted.some((resource) => after(resource) > before(resource))
    },
  },
]

/**
 * Whether the pod may find room on the node, be it by making some. What is promised to others does not count as room: of many
 * that wait for room, those are tried for whom there is some.
 */
function mayHaveRoom(
  columns: Columns,
  { cache, nominations }: Around,
  pod: PodInfo,
  heeded: (requests: Requests) => Requests,
  nodeName: string,
): boolean {
  const node = cache.node(nodeName)
  if (!node) return false
  const { row } = node
  const ahead = nominations.on(nodeName).filter(({ uid, priority }) => uid !== pod.uid && priority >= pod.priority)
  const maySend = nominations.nodeOf(pod.uid) === '' && pod.pod.spec?.preemptionPolicy !== 'Never'
  const below = maySend ? node.pods.filter(({ priority }) => priority < pod.priority) : []
  const isFree = ({ allocatable, requested }: ResourceColumn, amount: (requests: Requests) => number) => {
    const wanted = amount(heeded(pod.requests))
    if (wanted === 0) return true
    const sum = (pods: readonly PodInfo[]) => pods.reduce((all, { requests }) => all + amount(requests), 0)
    return wanted + sum(ahead) - sum(below) <= (allocatable[row] as number) - (requested[row] as number)
  }
  return (
    (columns.podCount[row] as number) + ahead.length - below.length < (columns.maxPods[row] as number) &&
    isFree(columns.cpu, ({ milliCpu }) => milliCpu) &&
    isFree(columns.memory, ({ memoryBytes }) => memoryBytes) &&
    isFree(columns.storage, ({ storageBytes }) => storageBytes) &&
    heeded(pod.requests).scalars.every(([resource]) =>
      isFree(columns.scalar(resource), ({ scalars }) => scalars.find(([name]) => name === resource)?.[1] ?? 0),
    )
  )
}

/** What a pod requests of the resources that the other one wants. */
function shared({ requests }: PodInfo, { requests: wanted }: PodInfo): Requests {
  const names = new Set(wantedNames(wanted))
  return {
    ...requests,
    milliCpu: names.has('cpu') ? requests.milliCpu : 0,
    memoryBytes: names.has('memory') ? requests.memoryBytes : 0,
    storageBytes: names.has('ephemeral-storage') ? requests.storageBytes : 0,
    scalars: requests.scalars.filter(([resource]) => names.has(resource)),
  }
}

function wantedNames({ milliCpu, memoryBytes, storageBytes, scalars }: Requests): string[] {
  const named: [string, number][] = [
    ['cpu', milliCpu],
    ['memory', memoryBytes],
    ['ephemeral-storage', storageBytes],
    ...scalars.map(([resource, amount]): [string, number] => [resource, amount]),
  ]
  return named.filter(([, amount]) => amount > 0).map(([resource]) => resource)
}

const allocatableOf = (node: Live<Node> | undefined) => (resource: string) =>
  amountOf(resource, node?.status?.allocatable?.[resource] ?? '0')

function fitsEmpty(requests: Requests, allocatable: (resource: string) => number): boolean {
  return (
    allocatable('pods') >= 1 &&
    requests.milliCpu <= allocatable('cpu') &&
    requests.memoryBytes <= allocatable('memory') &&
    requests.storageBytes <= allocatable('ephemeral-storage') &&
    requests.scalars.every(([resource, amount]) => amount <= allocatable(resource))
  )
}

/** Undefined where all is enough, which is the common case and so comes first. */
function shortages(columns: Columns, row: number, requests: Requests): Refusal | undefined {
  const { podCount, maxPods, cpu, memory, storage } = columns
  const fits =
    (podCount[row] as number) < (maxPods[row] as number) &&
    isEnough(cpu, row, requests.milliCpu) &&
    isEnough(memory, row, requests.memoryBytes) &&
    isEnough(storage, row, requests.storageBytes) &&
    requests.scalars.every(([resource, amount]) => isEnough(columns.scalar(resource), row, amount))
  if (fits) return undefined
  const reasons: string[] = []
  if ((podCount[row] as number) >= (maxPods[row] as number)) reasons.push('Too many pods')
  // More than the node has in all: no pod that goes makes room for it.
  let hopeless = false
  const check = (resource: string, column: ResourceColumn, amount: number) => {
    if (isEnough(column, row, amount)) return
    reasons.push(`Insufficient ${resource}`)
    hopeless ||= amount > (column.allocatable[row] as number)
  }
  check('cpu', cpu, requests.milliCpu)
  check('memory', memory, requests.memoryBytes)
  check('ephemeral-storage', storage, requests.storageBytes)
  for (const [resource, amount] of requests.scalars) check(resource, columns.scalar(resource), amount)
  return shortage(hopeless, reasons)
}

const mostKnown = 1000
const known = new Map<string, Refusal>()

/** There are few sorts of shortages, and very many nodes that are short of something. */
function shortage(hopeless: boolean, reasons: readonly string[]): Refusal {
  const key = `${hopeless} ${reasons.join()}`
  let refused = known.get(key)
  if (!refused) {
    refused = refusal(name, hopeless ? 'UnschedulableAndUnresolvable' : 'Unschedulable', ...reasons)
    if (known.size >= mostKnown) known.clear()
    known.set(key, refused)
  }
  return refused
}

const isEnough = ({ allocatable, requested }: ResourceColumn, row: number, amount: number): boolean =>
  amount === 0 || amount <= (allocatable[row] as number) - (requested[row] as number)
