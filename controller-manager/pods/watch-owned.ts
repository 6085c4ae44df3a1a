import type { OwnerReference, Pod } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { Labels } from '../../api/machinery/labels.ts'
import type { Informer } from '../../client/informer.ts'
import { keyOf } from '../../client/key.ts'
import type { Live } from '../../client/types.ts'
import type { WorkQueue } from '../../client/work-queue.ts'
import { isReady } from './condition.ts'
import { controllerOf } from './ownership.ts'

/** Enqueues an owner of pods for every change of itself, of its pods, and of pods that it might adopt. */
export function watchOwnedPods<T>(options: {
  kind: string
  owners: Informer<T>
  pods: Informer<Pod>
  queue: WorkQueue
  selects(owner: Live<T>, labels: Labels): boolean
  minReadySeconds?(owner: Live<T>): number
  /** The cache shows a pod of the owner. */
  created?(key: string, pod: Live<Pod>): void
  /** A pod of the owner is gone or, if `leaving`, is being deleted. */
  gone?(key: string, pod: Live<Pod>, leaving: boolean): void
}): void {
  const { kind, owners, pods, queue, selects, created, gone } = options
  const enqueue = (owner: Live<T>) => queue.add(keyOf(owner))
  owners.on({ add: enqueue, update: (_, after) => enqueue(after), delete: enqueue })

  /** Known by name even when the owner itself is not in the cache yet. */
  const keyFor = (pod: Live<Pod>, reference: OwnerReference | undefined): string | undefined =>
    reference?.kind === kind ? keyOf({ metadata: { ...pod.metadata, name: reference.name } }) : undefined
  const ownerOf = (pod: Live<Pod>): Live<T> | undefined => {
    const reference = controllerOf(pod)
    const key = keyFor(pod, reference)
    const owner = key === undefined ? undefined : owners.lister.byKey(key)
    return owner?.metadata.uid === reference?.uid ? owner : undefined
  }
  const seen = (pod: Live<Pod>) => {
    const key = keyFor(pod, controllerOf(pod))
    if (key === undefined) return
    created?.(key, pod)
    queue.add(key)
  }
  const left = (pod: Live<Pod>, leaving: boolean) => {
    const key = keyFor(pod, controllerOf(pod))
    if (key === undefined) return
    gone?.(key, pod, leaving)
    queue.add(key)
  }
  const offerOrphan = ({ metadata: { namespace, labels } }: Live<Pod>) => {
    for (const owner of owners.lister.list(namespace)) if (selects(owner, labels ?? {})) enqueue(owner)
  }

  pods.on({
    add: (pod) => {
      if (pod.metadata.deletionTimestamp !== undefined) left(pod, true)
      else if (controllerOf(pod)) seen(pod)
      else offerOrphan(pod)
    },
    update: (before, after) => {
      const moved = !semanticEqual(controllerOf(before), controllerOf(after))
      const former = moved ? keyFor(before, controllerOf(before)) : undefined
      if (former !== undefined) queue.add(former)
      if (after.metadata.deletionTimestamp !== undefined) return left(after, true)
      if (controllerOf(after)) {
        seen(after)
        const owner = isReady(after) && !isReady(before) ? ownerOf(after) : undefined
        const seconds = owner ? (options.minReadySeconds?.(owner) ?? 0) : 0
        if (owner && seconds > 0) queue.addAfter(keyOf(owner), seconds * 1000)
      } else if (moved || !semanticEqual(before.metadata.labels, after.metadata.labels)) offerOrphan(after)
    },
    delete: (pod) => left(pod, false),
  })
}
