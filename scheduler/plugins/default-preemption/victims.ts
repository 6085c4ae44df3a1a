import type { PodDisruptionBudget } from '../../../api/generated/types.ts'
import { type LabelMatcher, labelSelectorMatcher } from '../../../api/machinery/labels.ts'
import { remembered } from '../../../api/machinery/remembered.ts'
import type { Live } from '../../../client/types.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { CycleState } from '../../framework/cycle-state.ts'
import type { Framework } from '../../framework/framework.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { type Refusal, refusal } from '../../framework/refusal.ts'

type Budget = Live<PodDisruptionBudget>

/** Who would have to go from a node, the most important first. */
export interface Candidate {
  readonly node: NodeInfo
  readonly victims: readonly PodInfo[]
  /** How many of them a disruption budget speaks for. */
  readonly violations: number
}

/** Why a node does not help a pod that is no more important than any of its pods. */
export const nobodyLower = refusal(
  'DefaultPreemption',
  'UnschedulableAndUnresolvable',
  'No preemption victims found for incoming pod',
)

/**
 * The fewest pods of lower priority that have to go from the node to let the pod in, or why not even all of them would
 * do. Pods whose disruption budget is used up stay if they can. The node is left as it was found.
 */
export function selectVictims(
  framework: Framework,
  cycle: CycleState,
  pod: PodInfo,
  node: NodeInfo,
  budgets: readonly Budget[],
): Candidate | Refusal {
  const lower = node.pods.filter(({ priority }) => priority < pod.priority)
  if (lower.length === 0) return nobodyLower
  const state = cycle.copy()
  const off = new Set<PodInfo>()
  const take = (other: PodInfo) => {
    framework.removePod(state, pod, other, node)
    off.add(other)
  }
  const fitsWith = (other: PodInfo): boolean => {
    framework.addPod(state, pod, other, node)
    off.delete(other)
    if (!framework.filter(state, pod, node)) return true
    take(other)
    return false
  }
  try {
    for (const other of lower) take(other)
    const refused = framework.filter(state, pod, node)
    if (refused) return refused
    const { violating, others } = byBudget(lower.sort(moreImportantFirst), budgets)
    const spared = (candidates: readonly PodInfo[]) => candidates.filter((other) => !fitsWith(other))
    const violations = spared(violating)
    const victims = [...violations, ...spared(others)].sort(moreImportantFirst)
    return { node, victims, violations: violations.length }
  } finally {
    for (const other of off) node.addPod(other)
  }
}

/** The higher priority, then who has run for longer. */
export function moreImportantFirst(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startTime(a) - startTime(b)
}

/** Milliseconds since 1970; a pod that has not started counts as starting now, the latest of all. */
export function startTime({ pod }: PodInfo): number {
  return pod.status?.startTime ? Date.parse(pod.status.startTime) : Number.MAX_SAFE_INTEGER
}

function byBudget(pods: readonly PodInfo[], budgets: readonly Budget[]) {
  const left = new Map<Budget, number>()
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of pods) {
    let isViolating = false
    for (const { budget, matches } of byNamespace(budgets).get(pod.namespace) ?? []) {
      if (!matches(pod.labels)) continue
      // The API server counts it as gone already.
      if (budget.status?.disruptedPods?.[pod.name]) continue
      const allowed = (left.get(budget) ?? budget.status?.disruptionsAllowed ?? 0) - 1
      left.set(budget, allowed)
      if (allowed < 0) isViolating = true
    }
    ;(isViolating ? violating : others).push(pod)
  }
  return { violating, others }
}

/** Worked out once for as long as no budget changes: many nodes are tried out between two changes. */
const byNamespace = remembered((budgets: readonly Budget[]) => {
  const found = new Map<string | undefined, { budget: Budget; matches: LabelMatcher }[]>()
  for (const budget of budgets) {
    const { selector } = budget.spec ?? {}
    if (!selector || isEmpty(selector)) continue
    const { namespace } = budget.metadata
    const entry = { budget, matches: labelSelectorMatcher(selector) }
    const standing = found.get(namespace)
    if (standing) standing.push(entry)
    else found.set(namespace, [entry])
  }
  return found
})

const isEmpty = ({ matchLabels = {}, matchExpressions = [] }: { matchLabels?: object; matchExpressions?: unknown[] }) =>
  Object.keys(matchLabels).length === 0 && matchExpressions.length === 0

/**
 * The candidate that hurts least: fewest budgets violated, the lowest of the highest priorities, the lowest sum of them,
 * the fewest victims, the latest start of the most important victims; then the first.
 */
export function bestCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  const [first, ...rest] = candidates
  return first && rest.reduce((best, next) => (hurtsLess(next, best) ? next : best), first)
}

function hurtsLess(a: Candidate, b: Candidate): boolean {
  const mine = ranksOf(a)
  const other = ranksOf(b)
  for (let i = 0; i < mine.length; i++) {
    if (mine[i] !== other[i]) return (mine[i] as number) < (other[i] as number)
  }
  return false
}

/** What candidates are compared by, the most important first; they are kept from one preemption to the next. */
const ranksOf = remembered(({ violations, victims }: Candidate): readonly number[] => [
  violations,
  victims[0]?.priority ?? 0,
  // Each priority counts from the lowest there is, so that few victims of negative priority are better than many.
  victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  victims.length,
  -earliestStart(victims),
])

/** Of the most important victims. */
function earliestStart(victims: readonly PodInfo[]): number {
  const highest = victims[0]?.priority
  return Math.min(...victims.filter(({ priority }) => priority === highest).map(startTime))
}
