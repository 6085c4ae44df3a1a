import type { PodObject } from '../../model/pods.ts'
import { Await } from '../../parts/states.tsx'
import { kinds } from '../../server/kinds.ts'
import { useUsage } from '../../server/usage.ts'
import { useKind } from '../../server/use.ts'
import { PodTable } from '../pods.tsx'

/** The pods of one node, in all namespaces. */
export function NodePods({ node }: { node: string }) {
  const pods = useKind<PodObject>(kinds.pods, '', `?fieldSelector=${encodeURIComponent(`spec.nodeName=${node}`)}`)
  const { usage } = useUsage('')
  return (
    <Await what="pods" of={pods}>
      <PodTable items={[...pods.items.values()]} usage={usage} namespaced withNode={false} />
    </Await>
  )
}
