import type { Container, SeccompProfile } from '../../api/generated/types.ts'
import { omitUndefined } from '../pods/omit.ts'
import { type BoundPod, describePod } from '../pods/types.ts'
import type { Given, LinuxContainerSecurityContext, NamespaceOption, SecurityProfile } from '../runtime/cri.ts'

/** The user an image runs as: a number, or a name that only the image's own files can resolve. */
export interface ImageUser {
  uid?: number
  username?: string
}

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Which of the machine's namespaces a pod lives in. */
export function namespacesOf({ spec }: BoundPod): Given<NamespaceOption> {
  return {
    network: spec.hostNetwork ? 'NODE' : 'POD',
    ipc: spec.hostIPC ? 'NODE' : 'POD',
    pid: spec.hostPID ? 'NODE' : spec.shareProcessNamespace ? 'POD' : 'CONTAINER',
  }
}

/** The container's security context, the pod's where the container says nothing. `targetId`: whose processes a debugger sees. */
export function securityContextOf(
  pod: BoundPod,
  container: Container,
  image: ImageUser,
  seccompRoot: string,
  targetId?: string,
  extraGroups: readonly number[] = [],
): Given<LinuxContainerSecurityContext> {
  const ofPod = pod.spec.securityContext ?? {}
  const own = container.securityContext ?? {}
  const runAsUser = own.runAsUser ?? ofPod.runAsUser ?? image.uid
  const runAsGroup = own.runAsGroup ?? ofPod.runAsGroup
  const namespaceOptions = namespacesOf(pod)
  const unmasked = own.procMount === 'Unmasked'
  return omitUndefined<Given<LinuxContainerSecurityContext>>({
    privileged: own.privileged ?? false,
    readonlyRootfs: own.readOnlyRootFilesystem ?? false,
    noNewPrivs: own.allowPrivilegeEscalation === false,
    capabilities: own.capabilities
      ? { addCapabilities: own.capabilities.add ?? [], dropCapabilities: own.capabilities.drop ?? [] }
      : undefined,
    runAsUser: runAsUser === undefined ? undefined : { value: runAsUser },
    runAsUsername: runAsUser === undefined ? image.username : undefined,
    // The kernel wants a user beside a group.
    runAsGroup: runAsGroup === undefined ? undefined : { value: runAsGroup },
    supplementalGroups: supplementalGroups(pod, extraGroups),
    supplementalGroupsPolicy: ofPod.supplementalGroupsPolicy === 'Strict' ? 'Strict' : undefined,
    seccomp: seccompOf(own.seccompProfile ?? ofPod.seccompProfile, seccompRoot),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
    namespaceOptions:
      targetId !== undefined && namespaceOptions.pid === 'CONTAINER'
        ? { ...namespaceOptions, pid: 'TARGET', targetId }
        : namespaceOptions,
  })
}

/** The groups every process of the pod is in beside its own: the one that owns its volumes first. */
export function supplementalGroups({ spec }: BoundPod, extra: readonly number[] = []): number[] {
  const { fsGroup, supplementalGroups: more = [] } = spec.securityContext ?? {}
  return [...new Set([...(fsGroup === undefined ? [] : [fsGroup]), ...more, ...extra])]
}

function seccompOf(profile: SeccompProfile | undefined, root: string): SecurityProfile {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { profileType: 'RuntimeDefault', localhostRef: '' }
    case 'Localhost':
      return { profileType: 'Localhost', localhostRef: `${root}/${profile.localhostProfile ?? ''}` }
    default:
      return { profileType: 'Unconfined', localhostRef: '' }
  }
}

/** Throws in upstream's words when the pod forbids root and the container would, or might, run as root. */
export function verifyNonRoot(pod: BoundPod, container: Container, image: ImageUser): void {
  const own = container.securityContext ?? {}
  const ofPod = pod.spec.securityContext ?? {}
  if (!(own.runAsNonRoot ?? ofPod.runAsNonRoot)) return
  const about = `(pod: "${describePod(pod)}", container: ${container.name})`
  const user = own.runAsUser ?? ofPod.runAsUser
  if (user !== undefined) {
    if (user === 0) throw new Error(`container's runAsUser breaks non-root policy ${about}`)
    return
  }
  if (image.username) {
    const what = `container has runAsNonRoot and image has non-numeric user (${image.username})`
    throw new Error(`${what}, cannot verify user is non-root ${about}`)
  }
  if ((image.uid ?? 0) === 0) throw new Error(`container has runAsNonRoot and image will run as root ${about}`)
}
