import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { ClusterEvent } from '../../framework/cluster-events.ts'
import type { CycleState } from '../../framework/cycle-state.ts'
import { fitMessage, type RefusalCounts } from '../../framework/fit-error.ts'
import type { Framework } from '../../framework/framework.ts'
import type { NodeRefusals } from '../../framework/node-refusals.ts'
import type { Diagnosis, Plugin, PostFilterOutcome } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { type Refusal, refusal } from '../../framework/refusal.ts'
import type { World } from '../../framework/world.ts'
import type { Nominations } from '../../queue/nominations.ts'
import { defaultArgs, type PluginArgs } from '../args.ts'
import { bestCandidate, type Candidate, nobodyLower, selectVictims } from './victims.ts'

const name = 'DefaultPreemption'
const notHelpful = refusal(name, 'UnschedulableAndUnresolvable', 'Preemption is not helpful for scheduling')
const running = refusal(name, 'UnschedulableAndUnresolvable', 'waiting for the preemption for this pod to be finished')

/** What tells that a victim goes, or has gone. */
const podEvents: readonly ClusterEvent[] = [
  'Pod/Delete',
  'Pod/Update',
  'Pod/UpdateLabel',
  'Pod/UpdateScaleDown',
  'Pod/UpdateToleration',
]

export interface PreemptionContext {
  cache: Cache
  world: World
  framework: () => Framework
  /** Removes the victims; resolves when the API server has been told of all. */
  evict: (preemptor: PodInfo, nodeName: string, victims: readonly PodInfo[]) => Promise<void>
  /** Tries the pod again now. */
  activate: (uid: string) => void
  /** The pod is kept out of the queue no longer. */
  opened: (uid: string) => void
  random: () => number
  nominations: Nominations
  onAttempt: (victims: number) => void
  /** Asks those outside who have a say; undefined where nobody has. */
  consult?: (pod: PodInfo, candidates: readonly Candidate[]) => Promise<readonly Candidate[]> | undefined
}

/** Makes room for a pod by removing pods of lower priority from one node, which the pod is then promised. */
export function newDefaultPreemption(context: PreemptionContext, args = defaultArgs.DefaultPreemption): Plugin {
  const { cache, evict, activate, opened, onAttempt } = context
  const budgets = newBudgets(context.world)
  /** By preemptor. Before its victims are known to go, it would only choose others. */
  const underway = new Map<string, { readonly victims: readonly PodInfo[]; isTold: boolean }>()

  const isOver = ({ uid }: PodInfo): boolean => {
    const preemption = underway.get(uid)
    return preemption?.isTold === true && !preemption.victims.some(isStanding)
  }
  const isStanding = (victim: PodInfo): boolean => cache.pod(victim.uid)?.terminating === false

  function start(pod: PodInfo, { node, victims }: Candidate): void {
    const preemption = { victims, isTold: false }
    underway.set(pod.uid, preemption)
    // Whatever comes of it, the pod's next try will show.
    void evict(
      pod,
      node.name,
      victims.map((victim) => cache.pod(victim.uid) ?? victim),
    ).then(
      () => {
        preemption.isTold = true
        // The victims may have been gone before we were told that they go.
        opened(pod.uid)
      },
      () => {
        underway.delete(pod.uid)
        activate(pod.uid)
      },
    )
  }

  return {
    name,
    hints: [{ on: podEvents, worthATry: isOver }],
    preEnqueue(pod) {
      if (isOver(pod)) underway.delete(pod.uid)
      return underway.has(pod.uid) ? running : undefined
    },
    postFilter(state, pod, diagnosis): PostFilterOutcome | Promise<PostFilterOutcome> {
      const ineligible = whyIneligible(pod, cache, diagnosis)
      if (ineligible) {
        onAttempt(0)
        return { message: `preemption: ${ineligible}` }
      }
      const { candidates, refusals } = findCandidates(context, args, budgets, state, pod, diagnosis)
      const decide = (left: readonly Candidate[]): PostFilterOutcome => {
        const best = bestCandidate(left)
        onAttempt(best?.victims.length ?? 0)
        if (!best) {
          const nodeCount = cache.nodes.length
          const message = fitMessage({
            nodeCount,
            diagnosis: { perNode: counted(refusals), others: notHelpful },
          })
          return { nominate: '', message: `preemption: ${message}` }
        }
        start(pod, best)
        return { nominate: best.node.name }
      }
      const consulted = candidates.length > 0 ? context.consult?.(pod, candidates) : undefined
      return consulted ? consulted.then(decide) : decide(candidates)
    },
  }
}

function whyIneligible(pod: PodInfo, cache: Cache, { perNode, others }: Diagnosis): string | undefined {
  if (pod.pod.spec?.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const nominated = pod.nominatedNodeName
  if (nominated === '') return undefined
  if ((perNode.get(nominated) ?? others)?.code === 'UnschedulableAndUnresolvable') return undefined
  const victims = cache.node(nominated)?.pods.filter(({ priority }) => priority < pod.priority) ?? []
  return victims.some(isBeingPreempted) ? 'not eligible due to a terminating pod on the nominated node.' : undefined
}

function isBeingPreempted({ terminating, pod }: PodInfo): boolean {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget')
  return terminating && condition?.status === 'True' && condition.reason === 'PreemptionByScheduler'
}

/** What came of trying out a node, and what it was tried for. */
interface Tried {
  readonly priority: number
  readonly budgets: Budgets
  readonly promisedTo: readonly PodInfo[]
  readonly outcome: Candidate | Refusal
}

/** Tries out nodes from a random one on, until there are enough to choose from. */
function findCandidates(
  { cache, framework, nominations, random }: PreemptionContext,
  { minCandidateNodesPercentage, minCandidateNodesAbsolute }: PluginArgs['DefaultPreemption'],
  budgetsNow: () => Budgets,
  state: CycleState,
  pod: PodInfo,
  { perNode, others }: Diagnosis,
): { candidates: Candidate[]; refusals: ReadonlyMap<Refusal, number> } {
  const { nodes } = cache
  const candidates: Candidate[] = []
  const refusals = new Map<Refusal, number>()
  const hopeful = hopefulNodes(nodes.length, perNode, others)
  if (hopeful === 0) return { candidates, refusals }
  // Many such pods wait in a cluster that is full, and each is tried again whenever anything goes.
  if (cache.lowestPriority >= pod.priority) return { candidates, refusals: refusals.set(nobodyLower, hopeful) }
  const budgets = budgetsNow()
  const enough = Math.min(
    Math.max(Math.trunc((hopeful * minCandidateNodesPercentage) / 100), minCandidateNodesAbsolute),
    hopeful,
  )
  const tryOut = (node: NodeInfo): Candidate | Refusal => {
    const promisedTo = nominations.on(node.name)
    // What was promised to the pod itself is no hindrance to it, but to others like it.
    const notes = promisedTo.some(({ uid }) => uid === pod.uid) ? undefined : perNode.notes
    const tried = notes?.get(node.row) as Tried | undefined
    const isKnown = tried?.priority === pod.priority && tried.budgets === budgets && tried.promisedTo === promisedTo
    if (isKnown) return tried.outcome
    const outcome = selectVictims(framework(), state, pod, node, budgets)
    notes?.set(node.row, { priority: pod.priority, budgets, promisedTo, outcome } satisfies Tried)
    return outcome
  }
  let isHarmless = false
  const offset = Math.trunc(random() * nodes.length)
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[(offset + i) % nodes.length] as NodeInfo
    if ((perNode.get(node.name) ?? others)?.code !== 'Unschedulable') continue
    const outcome = tryOut(node)
    if ('code' in outcome) refusals.set(outcome, (refusals.get(outcome) ?? 0) + 1)
    else if (outcome.victims.length > 0) {
      candidates.push(outcome)
      isHarmless ||= outcome.violations === 0
    }
    if (candidates.length >= enough && isHarmless) break
  }
  return { candidates, refusals }
}

function counted(refusals: ReadonlyMap<Refusal, number>): RefusalCounts {
  let size = 0
  for (const nodes of refusals.values()) size += nodes
  return { size, alike: () => Array.from(refusals, ([refusal, nodes]) => ({ refusal, nodes })) }
}

/** How many nodes may come into question when pods go. */
function hopefulNodes(nodes: number, perNode: NodeRefusals, others: Refusal | undefined): number {
  let hopeful = others?.code === 'Unschedulable' ? nodes - perNode.size : 0
  for (const alike of perNode.alike()) if (alike.refusal.code === 'Unschedulable') hopeful += alike.nodes
  return hopeful
}

type Budgets = ReturnType<World['disruptionBudgets']>

/** The budgets there are: the same list as long as none has changed. */
function newBudgets(world: World): () => Budgets {
  let known: Budgets = []
  return () => {
    const budgets = world.disruptionBudgets()
    if (budgets.length !== known.length || budgets.some((budget, i) => budget !== known[i])) known = budgets
    return known
  }
}
