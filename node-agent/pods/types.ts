import type { Container, EphemeralContainer, ObjectMeta, Pod, PodSpec, PodStatus } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/** A pod that is bound to a node: everything the agent relies on is there. */
export interface BoundPod extends Omit<Live<Pod>, 'metadata' | 'spec'> {
  metadata: ObjectMeta & { name: string; namespace: string; uid: string }
  spec: PodSpec
  status?: PodStatus
}

/** The pod, if it has what an agent needs to run it. */
export function asBoundPod(pod: Live<Pod>): BoundPod | undefined {
  const { name, namespace, uid } = pod.metadata
  return name && namespace && uid && pod.spec ? (pod as BoundPod) : undefined
}

/** `web_default(1234-uid)`, as upstream writes a pod in messages. */
export const describePod = ({ metadata }: Pick<BoundPod, 'metadata'>): string =>
  `${metadata.name}_${metadata.namespace}(${metadata.uid})`

export type ContainerRole = 'init' | 'container' | 'ephemeral'

/** One container of the specification, with where it stands in it. */
export interface ContainerSlot {
  role: ContainerRole
  index: number
  container: Container | EphemeralContainer
}

/** Where the container stands in the pod, if it does. */
export function slotOf(spec: PodSpec, name: string): ContainerSlot | undefined {
  return allSlots(spec).find(({ container }) => container.name === name)
}

/** All containers: init containers first, ephemeral ones last. */
export function allSlots(spec: PodSpec): ContainerSlot[] {
  return [
    ...(spec.initContainers ?? []).map((container, index): ContainerSlot => ({ role: 'init', index, container })),
    ...spec.containers.map((container, index): ContainerSlot => ({ role: 'container', index, container })),
    ...(spec.ephemeralContainers ?? []).map(
      (container, index): ContainerSlot => ({ role: 'ephemeral', index, container }),
    ),
  ]
}

/** An init container that runs as long as the pod: `restartPolicy: Always`. */
export const isSidecar = (container: Container): boolean => container.restartPolicy === 'Always'

/** The key of a container in the field path of an event: `spec.containers{web}`. */
export function fieldPathOf({ role, container }: ContainerSlot): string {
  const list = role === 'init' ? 'initContainers' : role === 'ephemeral' ? 'ephemeralContainers' : 'containers'
  return `spec.${list}{${container.name}}`
}

/** A static pod comes from a file of this machine, not from the API. */
export const isStaticPod = (pod: BoundPod): boolean => {
  const source = pod.metadata.annotations?.['kubernetes.io/config.source']
  return source !== undefined && source !== 'api'
}

export const isTerminalPhase = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'
