import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

interface DrainRules {
  ignoreDaemonsets?: boolean
  deleteEmptydirData?: boolean
  force?: boolean
}

/** What becomes of the pods of a node that is drained. */
export interface DrainPlan {
  evict: Live<Pod>[]
  /** What is done though it may surprise: a text, and the pods it is about. */
  warnings: Map<string, string[]>
  /** What must be allowed first. Nothing is evicted while there is any. */
  refusals: Map<string, string[]>
}

const finished = ({ status }: Live<Pod>) => status?.phase === 'Succeeded' || status?.phase === 'Failed'

/** Decides which pods go. Those of daemon sets would come back, those of no controller would not, data would be lost. */
export function planDrain(pods: readonly Live<Pod>[], rules: DrainRules): DrainPlan {
  const plan: DrainPlan = { evict: [], warnings: new Map(), refusals: new Map() }
  for (const pod of pods) {
    const { namespace, name } = pod.metadata
    const note = (list: Map<string, string[]>, text: string) =>
      void list.set(text, [...(list.get(text) ?? []), `${namespace}/${name}`])
    const verdict = judge(pod, rules)
    if (verdict.refusal) note(plan.refusals, verdict.refusal)
    if (verdict.warning) note(plan.warnings, verdict.warning)
    if (verdict.evict) plan.evict.push(pod)
  }
  return plan
}

interface Verdict {
  evict: boolean
  warning?: string
  refusal?: string
}

function judge(pod: Live<Pod>, rules: DrainRules): Verdict {
  const { annotations, ownerReferences = [] } = pod.metadata
  const controller = ownerReferences.find((owner) => owner.controller)
  if (controller?.kind === 'DaemonSet' && !finished(pod))
    return rules.ignoreDaemonsets
      ? { evict: false, warning: 'ignoring DaemonSet-managed Pods' }
      : { evict: false, refusal: 'DaemonSet-managed Pods (use --ignore-daemonsets to ignore)' }
  // A static pod belongs to its node.
  if (annotations?.['kubernetes.io/config.mirror']) return { evict: false }
  if (finished(pod)) return { evict: true }
  const local = pod.spec?.volumes?.some(({ emptyDir }) => emptyDir) ?? false
  if (local && !rules.deleteEmptydirData)
    return { evict: false, refusal: 'Pods with local storage (use --delete-emptydir-data to override)' }
  if (!controller)
    return rules.force
      ? { evict: true, warning: 'deleting Pods that declare no controller' }
      : { evict: false, refusal: 'Pods that declare no controller (use --force to override)' }
  return { evict: true, ...(local ? { warning: 'deleting Pods with local storage' } : {}) }
}
