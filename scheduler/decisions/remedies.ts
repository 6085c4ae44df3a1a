import type { Taint } from '../../api/generated/types.ts'
import type { Columns, ResourceColumn } from '../cache/columns.ts'
import type { PodInfo } from '../framework/pod-info.ts'
import { tolerates } from '../framework/tolerations.ts'
import type { Verdict } from './judge.ts'

/**
 * What would have to change for a pod to get a node: one line for each kind of change, that needs the least first. Only
 * nodes that a single plugin refuses are looked at, where there are any: the others need several changes.
 */
export function remedies(pod: PodInfo, verdicts: readonly Verdict[], columns: Columns): string[] {
  const fewest = Math.min(...verdicts.map(({ refusals }) => refusals.length))
  const nearest = verdicts.filter(({ refusals }) => refusals.length === fewest && fewest > 0)
  const lines = [
    ...resources(pod, nearest, columns, verdicts),
    ...taints(pod, nearest),
    ...byPlugin(nearest, 'NodeUnschedulable', (names) => `kubectl uncordon ${names}`),
    ...byPlugin(
      nearest,
      'NodeAffinity',
      (names) => `labels on ${names} that the pod's node selector or affinity asks for`,
    ),
    ...byPlugin(nearest, 'PodTopologySpread', (names) => `fewer pods like it on ${names}, or a larger maxSkew`),
    ...byPlugin(
      nearest,
      'InterPodAffinity',
      (names) => `on ${names}, other pods than there are, or another pod (anti-)affinity`,
    ),
    ...byPlugin(nearest, 'NodePorts', (names) => `the host port free on ${names}`),
    ...byPlugin(nearest, 'VolumeBinding', (names) => `volumes that ${names} can reach`),
  ]
  return fewest > 1 ? lines.map((line) => `${line} (and more: every node is refused for ${fewest} reasons)`) : lines
}

interface Lack {
  readonly resource: string
  readonly missing: number
  readonly free: number
  readonly allocatable: number
  readonly asked: number
}

/** For each set of resources that nodes are short of, the node that is short of the least. */
function resources(
  { requests }: PodInfo,
  nearest: readonly Verdict[],
  columns: Columns,
  all: readonly Verdict[],
): string[] {
  const wanted: [resource: string, column: ResourceColumn, amount: number][] = [
    ['cpu', columns.cpu, requests.milliCpu],
    ['memory', columns.memory, requests.memoryBytes],
    ['ephemeral-storage', columns.storage, requests.storageBytes],
    ...requests.scalars.map(([name, amount]): [string, ResourceColumn, number] => [name, columns.scalar(name), amount]),
  ]
  const short = nearest.filter(({ refusals }) => refusals.some(({ plugin }) => plugin === 'NodeResourcesFit'))
  const groups = new Map<string, { verdict: Verdict; lacks: Lack[] }[]>()
  for (const verdict of short) {
    const { row } = verdict.node
    const lacks = wanted.flatMap(([resource, column, asked]): Lack[] => {
      const left = free(column, row)
      if (asked <= left) return []
      return [{ resource, asked, free: left, missing: asked - left, allocatable: column.allocatable[row] ?? 0 }]
    })
    if (lacks.length === 0) continue
    const key = lacks.map(({ resource }) => resource).join()
    groups.set(key, [...(groups.get(key) ?? []), { verdict, lacks }])
  }
  const lines = [...groups.values()]
    .sort((a, b) => (a[0]?.lacks.length ?? 0) - (b[0]?.lacks.length ?? 0))
    .map((group) => {
      const [best] = group.sort((a, b) => share(a.lacks) - share(b.lacks))
      if (!best) return ''
      const more = best.lacks
        .map(({ resource, missing }) => `${amountText(resource, missing)} more ${resource}`)
        .join(' and ')
      const where = placeOf(
        group.map(({ verdict }) => verdict),
        best.verdict,
        all,
      )
      return `${more} on ${where} (${best.lacks.map(lackText).join('; ')})`
    })
  const full = short.filter(({ node }) => (columns.podCount[node.row] ?? 0) >= (columns.maxPods[node.row] ?? 0))
  if (full.length > 0) lines.push(`a pod less on ${names(full)}`)
  return lines
}

/** How much is missing, in parts of what is asked for. */
const share = (lacks: readonly Lack[]): number => lacks.reduce((sum, { missing, asked }) => sum + missing / asked, 0)

const lackText = ({ resource, free: left, allocatable, asked }: Lack): string =>
  `${amountText(resource, left)} of ${amountText(resource, allocatable)} is free, the pod asks for ${amountText(resource, asked)}`

const zoneLabel = 'topology.kubernetes.io/zone'

/** `node-1`; or, where only nodes of one of several zones come into question, that zone and its nearest node. */
function placeOf(group: readonly Verdict[], best: Verdict, all: readonly Verdict[]): string {
  const zoneOf = ({ node }: Verdict) => node.labels[zoneLabel]
  const zone = zoneOf(best)
  const isOnlyZone =
    group.every((verdict) => zoneOf(verdict) === zone) && all.some((verdict) => zoneOf(verdict) !== zone)
  if (zone === undefined || group.length < 2 || !isOnlyZone) return best.node.name
  return `any node in zone ${zone}, such as ${best.node.name}`
}

const free = (column: ResourceColumn, row: number): number =>
  Math.max(0, (column.allocatable[row] ?? 0) - (column.requested[row] ?? 0))

function taints(pod: PodInfo, nearest: readonly Verdict[]): string[] {
  const byTaint = new Map<string, Verdict[]>()
  for (const verdict of nearest) {
    if (!verdict.refusals.some(({ plugin }) => plugin === 'TaintToleration')) continue
    for (const taint of verdict.node.node?.spec?.taints ?? []) {
      if (taint.effect === 'PreferNoSchedule' || tolerates(pod.tolerations, taint)) continue
      const text = taintText(taint)
      byTaint.set(text, [...(byTaint.get(text) ?? []), verdict])
    }
  }
  return [...byTaint].map(
    ([taint, refusing]) => `a toleration of the taint ${taint}, or the taint taken from ${names(refusing)}`,
  )
}

const taintText = ({ key = '', value, effect }: Taint): string => `${key}${value ? `=${value}` : ''}:${effect}`

function byPlugin(nearest: readonly Verdict[], plugin: string, say: (names: string) => string): string[] {
  const refusing = nearest.filter(({ refusals }) => refusals.some((refused) => refused.plugin === plugin))
  return refusing.length === 0 ? [] : [say(names(refusing))]
}

const shownNames = 3

function names(verdicts: readonly Verdict[]): string {
  const all = verdicts.map(({ node }) => node.name)
  const more = all.length - shownNames
  return more > 0 ? `${all.slice(0, shownNames).join(', ')} and ${more} more` : all.join(', ')
}

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']

/** As people write it: 1.5 CPUs, 300Mi. Amounts of cpu are thousandths. */
export function amountText(resource: string, amount: number): string {
  if (resource === 'cpu') return String(Math.ceil(amount) / 1000)
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return String(amount)
  let unit = 0
  let rest = amount
  while (rest >= 1024 && unit < binary.length - 1) {
    rest /= 1024
    unit++
  }
  return `${Math.round(rest * 10) / 10}${binary[unit]}`
}
