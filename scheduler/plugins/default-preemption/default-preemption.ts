import type { Cache } from '../../cache/cache.ts'
import type { NodeInfo } from '../../cache/node-info.ts'
import type { CycleState } from '../../framework/cycle-state.ts'
import { fitMessage } from '../../framework/fit-error.ts'
import type { Framework } from '../../framework/framework.ts'
import { refusalsByName } from '../../framework/node-refusals.ts'
import type { Diagnosis, Plugin, PostFilterOutcome } from '../../framework/plugin.ts'
import type { PodInfo } from '../../framework/pod-info.ts'
import { type Refusal, refusal } from '../../framework/refusal.ts'
import type { World } from '../../framework/world.ts'
import { defaultArgs, type PluginArgs } from '../args.ts'
import { bestCandidate, type Candidate, selectVictims } from './victims.ts'

const name = 'DefaultPreemption'
const notHelpful = refusal(name, 'UnschedulableAndUnresolvable', 'Preemption is not helpful for scheduling')
const running = refusal(name, 'UnschedulableAndUnresolvable', 'waiting for the preemption for this pod to be finished')

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
  onAttempt: (victims: number) => void
  /** Asks those outside who have a say; undefined where nobody has. */
  consult?: (pod: PodInfo, candidates: readonly Candidate[]) => Promise<readonly Candidate[]> | undefined
}

/** Makes room for a pod by removing pods of lower priority from one node, which the pod is then promised. */
export function newDefaultPreemption(context: PreemptionContext, args = defaultArgs.DefaultPreemption): Plugin {
  const { cache, evict, activate, opened, onAttempt } = context
  const underway = new Set<string>()

  function start(pod: PodInfo, { node, victims }: Candidate): void {
    underway.add(pod.uid)
    // Whatever comes of it, the pod's next try will show.
    void evict(pod, node.name, victims).then(
      () => {
        underway.delete(pod.uid)
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
    // Other plugins' minds change when victims go; this one only ends what keeps the pod out of the queue.
    hints: [{ on: ['Pod/Delete'], worthATry: () => false }],
    preEnqueue: (pod) => (underway.has(pod.uid) ? running : undefined),
    postFilter(state, pod, diagnosis): PostFilterOutcome | Promise<PostFilterOutcome> {
      const ineligible = whyIneligible(pod, cache, diagnosis)
      if (ineligible) {
        onAttempt(0)
        return { message: `preemption: ${ineligible}` }
      }
      const { candidates, refusals } = findCandidates(context, args, state, pod, diagnosis)
      const decide = (left: readonly Candidate[]): PostFilterOutcome => {
        const best = bestCandidate(left)
        onAttempt(best?.victims.length ?? 0)
        if (!best) {
          const nodeCount = cache.nodes.length
          const message = fitMessage({
            nodeCount,
            diagnosis: { perNode: refusalsByName(refusals), others: notHelpful },
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

/** Tries out nodes from a random one on, until there are enough to choose from. */
function findCandidates(
  { cache, world, framework, random }: PreemptionContext,
  { minCandidateNodesPercentage, minCandidateNodesAbsolute }: PluginArgs['DefaultPreemption'],
  state: CycleState,
  pod: PodInfo,
  { perNode, others }: Diagnosis,
): { candidates: Candidate[]; refusals: Map<string, Refusal> } {
  const nodes = cache.nodes.filter((node) => (perNode.get(node.name) ?? others)?.code === 'Unschedulable')
  const enough = Math.min(
    Math.max(Math.trunc((nodes.length * minCandidateNodesPercentage) / 100), minCandidateNodesAbsolute),
    nodes.length,
  )
  const budgets = world.disruptionBudgets()
  const candidates: Candidate[] = []
  const refusals = new Map<string, Refusal>()
  const offset = Math.trunc(random() * nodes.length)
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[(offset + i) % nodes.length] as NodeInfo
    const outcome = selectVictims(framework(), state, pod, node, budgets)
    if ('code' in outcome) refusals.set(node.name, outcome)
    else if (outcome.victims.length > 0) candidates.push(outcome)
    if (candidates.length >= enough && candidates.some(({ violations }) => violations === 0)) break
  }
  return { candidates, refusals }
}
