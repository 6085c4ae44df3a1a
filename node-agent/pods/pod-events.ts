import type { EventRecorder } from '../../client/events.ts'
import { type BoundPod, type ContainerSlot, fieldPathOf } from './types.ts'

/** Tells of what happens to pods, as upstream words it. */
export class PodEvents {
  readonly #recorder: Pick<EventRecorder, 'event'>

  constructor(recorder: Pick<EventRecorder, 'event'>) {
    this.#recorder = recorder
  }

  normal(pod: BoundPod, reason: string, message: string, slot?: ContainerSlot): void {
    this.#recorder.event(referenceTo(pod, slot), 'Normal', reason, message)
  }

  warning(pod: BoundPod, reason: string, message: string, slot?: ContainerSlot): void {
    this.#recorder.event(referenceTo(pod, slot), 'Warning', reason, message)
  }
}

function referenceTo({ metadata }: BoundPod, slot: ContainerSlot | undefined) {
  const { name, namespace, uid, resourceVersion } = metadata
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    name,
    namespace,
    uid,
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(slot === undefined ? {} : { fieldPath: fieldPathOf(slot) }),
  }
}
