import type { ObjectMeta, OwnerReference, Pod } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/key.ts'
import type { Live } from '../../client/types.ts'
import type { WorkQueue } from '../../client/work-queue.ts'
import { isReady } from '../pods/condition.ts'
import type { Expectations } from '../pods/expectations.ts'
import { controllerOf } from '../pods/ownership.ts'
import type { Replicator, ReplicatorKind } from './kinds.ts'

/** Says for every change which replica sets must look again, and tells the expectations what the cache has seen. */
export function watchReplicas(options: {
  kind: ReplicatorKind
  sets: Informer<object>
  pods: Informer<Pod>
  queue: WorkQueue
  expectations: Expectations
}): void {
  const { kind, sets, pods, queue, expectations } = options
  const enqueue = (object: { metadata: ObjectMeta & { name: string } }) => queue.add(keyOf(object))

  const owner = (namespace: string | undefined, reference: OwnerReference | undefined): Replicator | undefined => {
    if (reference?.kind !== kind.kind) return undefined
    const set = sets.lister.get(namespace, reference.name) as Replicator | undefined
    return set?.metadata.uid === reference.uid ? set : undefined
  }
  const ownerOf = (pod: Live<Pod>) => owner(pod.metadata.namespace, controllerOf(pod))

  const offerOrphan = ({ metadata: { namespace, labels } }: Live<Pod>) => {
    for (const set of sets.lister.list(namespace) as Replicator[]) {
      if (kind.selects(set)?.(labels ?? {})) enqueue(set)
    }
  }

  const gone = (pod: Live<Pod>) => {
    const set = ownerOf(pod)
    if (!set) return
    expectations.deletionSeen(keyOf(set), pod.metadata.uid ?? '')
    enqueue(set)
  }

  sets.on({
    add: enqueue,
    update: (_, after) => enqueue(after),
    delete: (set) => {
      expectations.forget(keyOf(set))
      enqueue(set)
    },
  })

  pods.on({
    add: (pod) => {
      if (pod.metadata.deletionTimestamp !== undefined) return gone(pod)
      const reference = controllerOf(pod)
      if (!reference) return offerOrphan(pod)
      // The set itself may not be in the cache yet, but its pod has been seen for all that.
      if (reference.kind === kind.kind) {
        expectations.creationSeen(
          keyOf({ metadata: { ...pod.metadata, name: reference.name } }),
          pod.metadata.uid ?? '',
        )
      }
      const set = ownerOf(pod)
      if (set) enqueue(set)
    },
    update: (before, after) => {
      if (after.metadata.deletionTimestamp !== undefined) return gone(after)
      const [was, is] = [controllerOf(before), controllerOf(after)]
      const moved = !semanticEqual(was, is)
      if (moved) {
        const former = owner(before.metadata.namespace, was)
        if (former) enqueue(former)
      }
      if (is) {
        const set = ownerOf(after)
        if (!set) return
        expectations.creationSeen(keyOf(set), after.metadata.uid ?? '')
        enqueue(set)
        const minReadySeconds = set.spec?.minReadySeconds ?? 0
        if (minReadySeconds > 0 && isReady(after) && !isReady(before)) {
          queue.addAfter(keyOf(set), minReadySeconds * 1000)
        }
        return
      }
      if (moved || !semanticEqual(before.metadata.labels, after.metadata.labels)) offerOrphan(after)
    },
    delete: gone,
  })
}
