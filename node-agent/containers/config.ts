import type { Container } from '../../api/generated/types.ts'
import { omitUndefined } from '../pods/omit.ts'
import type { BoundPod } from '../pods/types.ts'
import type { ContainerConfig, Given, Mount } from '../runtime/cri.ts'
import { expand } from './expand.ts'
import { containerAnnotations, containerLabels } from './labels.ts'
import { containerResources } from './resources.ts'
import { type ImageUser, securityContextOf, verifyNonRoot } from './security.ts'

export interface ContainerInputs {
  pod: BoundPod
  container: Container
  restartCount: number
  /** What the image was resolved to. */
  imageRef: string
  imageUser: ImageUser
  environment: ReadonlyMap<string, string>
  mounts: readonly Given<Mount>[]
  devices?: Given<ContainerConfig>['devices']
  /** By the names of the Container Device Interface. */
  cdiDevices?: readonly string[]
  /** Groups that the pod's volumes want its processes to be in. */
  extraGroups?: readonly number[]
  /** Whose processes an ephemeral container sees. */
  targetId?: string | undefined
  memoryCapacity: number
  seccompRoot: string
}

/** What the runtime is told of a container. Throws an Error where the pod's rules forbid it. */
export function containerConfig(inputs: ContainerInputs): Given<ContainerConfig> {
  const { pod, container, restartCount, imageRef, imageUser, environment, mounts, targetId } = inputs
  verifyNonRoot(pod, container, imageUser)
  const value = (name: string) => environment.get(name)
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map((word) => expand(word, value)),
    args: (container.args ?? []).map((word) => expand(word, value)),
    workingDir: container.workingDir ?? '',
    envs: [...environment].map(([key, text]) => ({ key, value: text })),
    mounts,
    ...omitUndefined({ devices: inputs.devices }),
    ...(inputs.cdiDevices?.length ? { CDIDevices: inputs.cdiDevices.map((name) => ({ name })) } : {}),
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, restartCount),
    logPath: `${container.name}/${restartCount}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    ...omitUndefined({ stopSignal: container.lifecycle?.stopSignal }),
    linux: {
      resources: containerResources(pod, container, inputs.memoryCapacity),
      securityContext: securityContextOf(pod, container, imageUser, inputs.seccompRoot, targetId, inputs.extraGroups),
    },
  }
}
