import type { Container, PodSpec, PodStatus } from '../../api/generated/types.ts'
import type { ObservedContainer, ObservedPod } from '../pods/observed.ts'
import type { BoundPod } from '../pods/types.ts'

/** A pod of one container `main`, changed by what is given. */
export function boundPod(
  given: {
    name?: string
    uid?: string
    spec?: Partial<PodSpec>
    status?: PodStatus
    metadata?: Partial<BoundPod['metadata']>
  } = {},
): BoundPod {
  const { name = 'web', uid = `uid-${name}`, spec, status, metadata } = given
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid, generation: 1, ...metadata },
    spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, containers: [container('main')], ...spec },
    ...(status ? { status } : {}),
  }
}

export const container = (name: string, more: Partial<Container> = {}): Container => ({
  name,
  image: 'busybox:1',
  imagePullPolicy: 'IfNotPresent',
  ...more,
})

/** What the runtime says of a pod: one ready sandbox unless told otherwise, and these containers, the newest first. */
export function observedPod(
  containers: readonly (Partial<ObservedContainer> & { name: string })[],
  sandboxes: ObservedPod['sandboxes'] = [sandbox()],
): ObservedPod {
  return {
    uid: 'uid-web',
    name: 'web',
    namespace: 'default',
    sandboxes,
    containers: containers.map((given, i) => ({
      id: `${given.name}-${given.restartCount ?? 0}`,
      sandboxId: sandboxes[0]?.id ?? 'gone',
      state: 'running',
      createdAt: 1000 - i,
      startedAt: 1000,
      finishedAt: given.state === 'exited' ? 2000 : 0,
      exitCode: 0,
      reason: '',
      message: '',
      image: 'busybox:1',
      imageId: 'sha256:1',
      restartCount: 0,
      hash: '',
      logPath: '',
      ...given,
    })),
  }
}

export const sandbox = (more: Partial<ObservedPod['sandboxes'][number]> = {}): ObservedPod['sandboxes'][number] => ({
  id: 'sandbox-0',
  attempt: 0,
  ready: true,
  createdAt: 1,
  ips: ['10.244.0.5'],
  hostNetwork: false,
  ...more,
})
