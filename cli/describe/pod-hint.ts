import type { ContainerStatus, CoreV1Event, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'

/** What to do about a pod that does not get on; undefined for one that does. The first thing wrong is the one told. */
export function podHint(pod: Live<Pod>, events: readonly CoreV1Event[], nowMs: number): string | undefined {
  const { phase, reason } = pod.status ?? {}
  if (reason === 'Evicted')
    return 'the node was short of something: its message says of what. Lower the use, or ask for it in resources.requests'
  if (phase === 'Succeeded') return undefined
  return (
    terminating(pod, nowMs) ??
    unscheduled(pod) ??
    containersOf(pod)
      .map((status) => containerHint(pod, status, events))
      .find((hint) => hint !== undefined) ??
    initializing(pod, nowMs) ??
    notStarted(pod, events)
  )
}

/** An init container that has run for a while is most likely waiting for something, and only it can say for what. */
function initializing({ metadata, spec, status }: Live<Pod>, nowMs: number): string | undefined {
  const sidecars = new Set(
    (spec?.initContainers ?? []).flatMap((one) => (one.restartPolicy === 'Always' ? [one.name] : [])),
  )
  const running = status?.initContainerStatuses?.find(({ name, state }) => state?.running && !sidecars.has(name))
  if (!running || nowMs < Date.parse(running.state?.running?.startedAt ?? '') + 10_000) return undefined
  return `its init container ${running.name} has not ended yet, and the others wait for it: \`gantry logs ${metadata.name} -n ${metadata.namespace} -c ${running.name}\` shows what it does`
}

const containersOf = ({ status = {} }: Live<Pod>): ContainerStatus[] => [
  ...(status.initContainerStatuses ?? []),
  ...(status.containerStatuses ?? []),
]

/** One that should be gone: held by somebody, or its node does not answer. */
function terminating({ metadata, spec }: Live<Pod>, nowMs: number): string | undefined {
  if (!metadata.deletionTimestamp || nowMs < Date.parse(metadata.deletionTimestamp) + 10_000) return undefined
  const [held] = metadata.finalizers ?? []
  if (held) return `it is kept by the finalizer ${held}: whoever set it must take it away`
  return spec?.nodeName
    ? `its node has not said that it ended: is it up? \`gantry get node ${spec.nodeName}\`. If the node is gone for good: \`gantry delete pod ${metadata.name} --force --grace-period=0\``
    : undefined
}

function unscheduled({ metadata, spec, status }: Live<Pod>): string | undefined {
  const condition = status?.conditions?.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False')
  if (!condition || spec?.nodeName) return undefined
  if (condition.reason === 'SchedulingGated')
    return `it waits for its gates: ${(spec?.schedulingGates ?? []).map(({ name }) => name).join(', ')}. Whoever set them takes them away`
  const { message = '' } = condition
  const missing = /persistentvolumeclaim "([^"]+)" not found/.exec(message)
  if (missing) return `create the claim ${missing[1]}, or correct the name in spec.volumes`
  if (message.includes('unbound immediate PersistentVolumeClaims')) {
    const claims = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => (claim ? [claim.claimName] : []))
    return `its claim is not bound to a volume: \`gantry describe pvc ${claims.join(' ')} -n ${metadata.namespace}\` says why`
  }
  const insufficient = [...new Set(Array.from(message.matchAll(/Insufficient ([\w./-]+)/g), ([, what]) => what))]
  if (insufficient.length > 0)
    return `no node has enough ${insufficient.map((what) => what?.replace(/[.,]$/, '')).join(' and ')} left: lower resources.requests, or make room. \`gantry describe nodes\` shows what is taken`
  if (message.includes('Too many pods')) return 'every node has as many pods as it takes: delete some, or add a node'
  if (message.includes('were unschedulable')) return 'nodes are cordoned: `kubectl uncordon NODE` lets pods in again'
  const taint = /untolerated taint(?:\(s\))?(?: \{([^}:,]*))?/.exec(message)
  if (taint) {
    const key = taint[1]?.trim()
    return `nodes refuse it by a taint${key ? ` (${key})` : ''}: tolerate it in spec.tolerations, or take the taint away. \`gantry describe nodes\` shows them`
  }
  if (/didn't match Pod's node affinity\/selector/.test(message))
    return 'no node has the labels that nodeSelector or nodeAffinity ask for: `gantry get nodes --show-labels`'
  if (/didn't match pod (anti-)?affinity|topology spread/i.test(message))
    return 'where its affinity or spread would let it be, there is no room: loosen them, or add a node'
  if (message.includes("didn't have free ports")) return 'its hostPort is taken on every node: choose another, or none'
  return undefined
}

const imageReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'InvalidImageName', 'ErrImageNeverPull'])

function containerHint(pod: Live<Pod>, status: ContainerStatus, events: readonly CoreV1Event[]): string | undefined {
  const { name, state, lastState } = status
  const reason = state?.waiting?.reason ?? ''
  const message = state?.waiting?.message ?? ''
  if (imageReasons.has(reason)) return imageHint(pod, status, lastMessage(events, 'Failed', message))
  if (reason === 'CreateContainerConfigError' || reason === 'CreateContainerError') return configHint(message)
  const ended =
    state?.terminated ??
    (reason === 'CrashLoopBackOff' || reason === 'RunContainerError' ? lastState?.terminated : undefined)
  if (reason === 'RunContainerError' && !ended) return commandHint(name, message)
  if (ended && ended.exitCode !== 0 && (reason !== '' || pod.status?.phase === 'Failed'))
    return crashHint(pod, name, ended, reason !== '')
  if (reason === 'CrashLoopBackOff')
    return `container ${name} ends although nothing is wrong: a command that does not end is what a pod needs, or restartPolicy: OnFailure`
  if (!state?.running || status.ready) return undefined
  const before = lastState?.terminated
  // Running again for a moment. What a probe has killed ends by a signal.
  if (before && ![0, 137, 143].includes(before.exitCode)) return crashHint(pod, name, before, true)
  return probeHint(pod, status, events)
}

function imageHint({ spec }: Live<Pod>, { name, image, state }: ContainerStatus, message: string): string {
  const reason = state?.waiting?.reason
  const all = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
  const isPulledAlways = all.find((one) => one.name === name)?.imagePullPolicy === 'Always'
  if (reason === 'InvalidImageName') return `${image} is no name of an image: correct spec.containers[].image`
  if (reason === 'ErrImageNeverPull')
    return `the node does not have ${image}, and imagePullPolicy is Never: ${bringing(image)}, or pull it with another policy`
  if (/unauthorized|authentication|denied|forbidden|\b40[13]\b/i.test(message))
    return `the registry does not give ${image} to just anybody: check the name, and the secret in imagePullSecrets`
  if (/not found|manifest unknown|does not exist|\b404\b/i.test(message))
    return `there is no image ${image}: check its name and tag. If it is on this machine, ${bringing(image, isPulledAlways)}`
  return `the node cannot pull ${image}: is its registry reachable from there? Without one, ${bringing(image, isPulledAlways)}`
}

/** How an image comes to the nodes by hand; a pod that waits for it finds it there, unless it is to ask each time. */
const bringing = (image: string, isPulledAlways = false): string =>
  `bring it to the nodes: \`docker save ${image} | gantry image load\`${
    isPulledAlways
      ? ', and make the pod anew with imagePullPolicy: IfNotPresent (Always, the default for :latest and for no tag, asks the registry all the same)'
      : ''
  }`

/** `configmap "x" not found`, `couldn't find key k in Secret ns/x`. */
function configHint(message: string): string {
  const missing = /(configmap|secret) "([^"]+)" not found/i.exec(message)
  if (missing) return `create the ${missing[1]?.toLowerCase()} ${missing[2]}: the container starts by itself then`
  const key = /find key (\S+) in (\w+) (?:[^/]+\/)?(\S+)/.exec(message)
  if (key) return `the ${key[2]?.toLowerCase()} ${key[3]} has no key ${key[1]}: add it, or correct the name`
  return `the container cannot be made: ${message}`
}

const commandHint = (name: string, message: string): string =>
  /not found|no such file/i.test(message)
    ? `the image has no such program: correct the command of container ${name}`
    : `container ${name} cannot be started: ${message}`

function crashHint(
  { metadata }: Live<Pod>,
  container: string,
  { exitCode, reason, message = '' }: { exitCode: number; reason?: string; message?: string },
  restarts: boolean,
): string {
  if (reason === 'OOMKilled')
    return `container ${container} needs more memory than resources.limits.memory gives it: raise that`
  if (reason === 'StartError' || reason === 'ContainerCannotRun') return commandHint(container, message)
  const logs = `gantry logs ${metadata.name} -n ${metadata.namespace} -c ${container}${restarts ? ' --previous' : ''}`
  const killed = exitCode === 137 ? ', killed (by a failed liveness probe, if the events say so)' : ''
  return `container ${container} ended with exit code ${exitCode}${killed}: \`${logs}\` shows what it said`
}

function probeHint(
  { spec }: Live<Pod>,
  { name, started }: ContainerStatus,
  events: readonly CoreV1Event[],
): string | undefined {
  const failed = events.filter(({ reason }) => reason === 'Unhealthy').at(-1)?.message ?? ''
  const which = /^(Readiness|Startup|Liveness) probe/.exec(failed)?.[1]
  if (!which) return undefined
  const container = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find((one) => one.name === name)
  const probe = started ? container?.readinessProbe : (container?.startupProbe ?? container?.readinessProbe)
  if (!probe) return undefined
  const port = probe.httpGet?.port ?? probe.tcpSocket?.port ?? probe.grpc?.port
  return `container ${name} runs, but its ${which.toLowerCase()} probe fails: does it listen${port === undefined ? '' : ` on ${port}`}, and on all addresses rather than 127.0.0.1?`
}

/** Bound to a node, and no container yet: volumes or the network are not ready. */
function notStarted({ spec, status }: Live<Pod>, events: readonly CoreV1Event[]): string | undefined {
  const begun = containersOf({ status } as Live<Pod>).some(({ state }) => state?.running || state?.terminated)
  if (!spec?.nodeName || begun || status?.phase !== 'Pending') return undefined
  const failure = events.filter(({ reason = '' }) => reason === 'FailedMount' || reason === 'FailedAttachVolume').at(-1)
  const missing = /(configmap|secret|persistentvolumeclaim) "([^"]+)" not found/i.exec(failure?.message ?? '')
  if (missing) return `create the ${missing[1]?.toLowerCase()} ${missing[2]}: the pod starts by itself then`
  if (failure) return 'a volume cannot be mounted: the last FailedMount event says why'
  const sandbox = events.filter(({ reason }) => reason === 'FailedCreatePodSandBox').at(-1)
  if (sandbox) return sandboxHint(sandbox.message ?? '', spec.nodeName)
  const pulling = events.filter(({ reason }) => reason === 'Pulling' || reason === 'Pulled').at(-1)
  const image = pulling?.reason === 'Pulling' && /"([^"]+)"/.exec(pulling.message ?? '')?.[1]
  return image ? `its node is pulling ${image}: it starts by itself then` : undefined
}

/** A sandbox is a first process and a network: either can fail. */
function sandboxHint(message: string, node: string): string {
  if (/no cgroup mount/.test(message))
    return `the node ${node} sees no cgroups, so no container can start there: mount cgroup2 at /sys/fs/cgroup. \`ip netns exec\` hides them; \`nsenter --net=FILE\` does not`
  const what = /network|\bcni\b/i.test(message) ? 'give it a network' : 'start its sandbox'
  return `the node cannot ${what}: the event says why, and the log of the node ${node} more`
}

const lastMessage = (events: readonly CoreV1Event[], reason: string, otherwise: string): string =>
  events.filter((event) => event.reason === reason && event.message?.includes('pull')).at(-1)?.message ?? otherwise
