import type { PodDeps } from '../pods/deps.ts'
import type { ObservedPod } from '../pods/observed.ts'
import type { BoundPod } from '../pods/types.ts'
import { boundsIn, podIsBound } from './carry-out.ts'
import { planResize, type ResizePlan } from './plan.ts'
import type { PodSize } from './size.ts'

/**
 * Brings a pod's size up to date with what it asks for and what runs. Answers what running containers lack of what was
 * granted; undefined: all is as it should be. `judge` decides about all pods of the node that ask for another size.
 */
export async function settleSize(
  deps: Pick<PodDeps, 'cri' | 'cgroups' | 'view' | 'node'>,
  size: PodSize,
  { pod, observed, judge }: { pod: BoundPod; observed: ObservedPod; judge: () => void },
): Promise<ResizePlan | undefined> {
  if (size.asks(pod)) judge()
  size.settle(pod)
  await size.save(pod.metadata.uid)
  if (!size.everChanged) return undefined
  const granted = size.granted(pod)
  const plan = planResize(granted, observed, boundsIn(granted, deps.node.memoryCapacity))
  if (plan.restart.size > 0 || plan.change.length > 0) size.begin(granted)
  else if (!size.inProgress) return undefined
  else if (await podIsBound(deps, granted)) {
    size.finish(granted)
    // What it has given back may be what another waits for.
    judge()
    return undefined
  }
  return plan
}
