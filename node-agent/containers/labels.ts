import type { Container } from '../../api/generated/types.ts'
import type { BoundPod } from '../pods/types.ts'

/** Upstream's names: they tell whose a sandbox or a container is, also to an agent that has just been started. */
export const podNameLabel = 'io.kubernetes.pod.name'
export const podNamespaceLabel = 'io.kubernetes.pod.namespace'
export const podUidLabel = 'io.kubernetes.pod.uid'
export const containerNameLabel = 'io.kubernetes.container.name'

export const hashAnnotation = 'io.kubernetes.container.hash'
export const restartCountAnnotation = 'io.kubernetes.container.restartCount'
export const messagePathAnnotation = 'io.kubernetes.container.terminationMessagePath'
export const messagePolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy'
/** What the container was made with, which its pod may have been granted otherwise since. */
export const resourcesAnnotation = 'gantry.dev/container-resources'
export const gracePeriodAnnotation = 'io.kubernetes.pod.terminationGracePeriod'
const deletionGraceAnnotation = 'io.kubernetes.pod.deletionGracePeriod'
const preStopAnnotation = 'io.kubernetes.container.preStopHandler'
const portsAnnotation = 'io.kubernetes.container.ports'

export const sandboxLabels = ({ metadata }: BoundPod): Record<string, string> => ({
  ...metadata.labels,
  ...identity(metadata),
})

export const containerLabels = ({ metadata }: BoundPod, { name }: Container): Record<string, string> => ({
  ...identity(metadata),
  [containerNameLabel]: name,
})

const identity = ({ name, namespace, uid }: BoundPod['metadata']) => ({
  [podNameLabel]: name,
  [podNamespaceLabel]: namespace,
  [podUidLabel]: uid,
})

/** What must be known of a container when its pod's specification is gone, or was changed. */
export function containerAnnotations(
  pod: BoundPod,
  container: Container,
  restartCount: number,
): Record<string, string> {
  const { deletionGracePeriodSeconds } = pod.metadata
  const { terminationGracePeriodSeconds } = pod.spec
  const preStop = container.lifecycle?.preStop
  return {
    [hashAnnotation]: containerHash(container),
    [restartCountAnnotation]: String(restartCount),
    [resourcesAnnotation]: JSON.stringify(container.resources ?? {}),
    [messagePathAnnotation]: container.terminationMessagePath ?? '/dev/termination-log',
    [messagePolicyAnnotation]: container.terminationMessagePolicy ?? 'File',
    ...(deletionGracePeriodSeconds === undefined
      ? {}
      : { [deletionGraceAnnotation]: String(deletionGracePeriodSeconds) }),
    ...(terminationGracePeriodSeconds === undefined
      ? {}
      : { [gracePeriodAnnotation]: String(terminationGracePeriodSeconds) }),
    ...(preStop ? { [preStopAnnotation]: JSON.stringify(preStop) } : {}),
    ...(container.ports?.length ? { [portsAnnotation]: JSON.stringify(container.ports) } : {}),
  }
}

/** Changes when the container must be made anew: its name and image, as upstream; 32 bits, hexadecimal. */
export function containerHash({ name, image = '' }: Container): string {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(JSON.stringify({ image, name }))) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  }
  return hash.toString(16)
}
