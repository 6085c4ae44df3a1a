import type { Container, EphemeralContainer, Pod, PodSpec } from '../../api/generated/types.ts'
import { onNode, type Place, type Profile } from './profiles.ts'

/** What the flags say of a debug container, and of a copy. */
export interface DebugWish {
  profile: Profile
  /** A legacy copy loses its labels, whatever is to be kept. */
  image: string
  words: readonly string[]
  /** What follows -- are arguments and no command. */
  argumentsOnly: boolean
  env: readonly { name: string; value: string }[]
  pullPolicy: string | undefined
  stdin: boolean
  tty: boolean
  /** What `--custom` makes of the container. */
  customized(container: Container): Container
}

/** How a copy differs from its pod, beside the container. */
export interface CopyWish {
  name: string
  images: Readonly<Record<string, string>>
  sameNode: boolean
  /** Undefined where nobody has said it. */
  shareProcesses: boolean | undefined
  keep: {
    labels: boolean
    annotations: boolean
    liveness: boolean
    readiness: boolean
    startup: boolean
    initContainers: boolean
  }
}

/** The container that is added to a pod that runs. */
export function ephemeralContainer(name: string, wish: DebugWish, target: string | undefined): EphemeralContainer {
  return { ...newContainer(name, wish, 'ephemeral'), ...(target ? { targetContainerName: target } : {}) }
}

/** A pod on a node, from where one sees the node itself. */
export function nodePod(name: string, nodeName: string, containerName: string, wish: DebugWish) {
  const spec: PodSpec = {
    containers: [{ ...asked(containerName, wish), ...secured(undefined, wish.profile, 'node') }],
    nodeName,
    restartPolicy: 'Never',
    tolerations: [{ operator: 'Exists' }],
  }
  const made = onNode(spec, wish.profile)
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'kubectl-debug' } },
    spec: { ...made, containers: made.containers.map(wish.customized) },
  }
}

/** A copy of a pod in which one container is another, or one is added; without `containerName` only images are. */
export function copyOf(pod: Pod, copy: CopyWish, containerName: string | undefined, wish: DebugWish) {
  const { ephemeralContainers: _, nodeName, ...spec } = pod.spec ?? { containers: [] }
  const containers = spec.containers.map((container) => {
    const image = copy.images[container.name] ?? copy.images['*']
    return image ? { ...container, image } : container
  })
  const copied: PodSpec = {
    ...spec,
    containers,
    ...(copy.shareProcesses === undefined ? {} : { shareProcessNamespace: copy.shareProcesses }),
    ...(copy.sameNode && nodeName ? { nodeName } : {}),
  }
  const metadata = { name: copy.name, ...(pod.metadata?.namespace ? { namespace: pod.metadata.namespace } : {}) }
  const { labels, annotations } = pod.metadata ?? {}
  const made = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels, annotations }, spec: copied }
  if (containerName === undefined) return made
  const changed = withContainer(copied, containerName, wish)
  // It stands for its pod no longer: whoever selects the pod's labels is not to find it.
  if (!wish.profile.cleanCopy) return { ...made, metadata: { ...metadata, annotations }, spec: changed }
  return {
    ...made,
    metadata: {
      ...metadata,
      ...(copy.keep.labels ? { labels } : {}),
      ...(copy.keep.annotations ? { annotations } : {}),
    },
    spec: cleaned(changed, copy),
  }
}

function withContainer(spec: PodSpec, name: string, wish: DebugWish): PodSpec {
  let found = false
  const change = (list: readonly Container[] = []): Container[] =>
    list.map((container) => {
      if (container.name !== name) return container
      found = true
      return wish.customized(changedContainer(container, wish))
    })
  const containers = change(spec.containers)
  const initContainers = change(spec.initContainers)
  return {
    ...spec,
    ...(spec.initContainers ? { initContainers } : {}),
    containers: found ? containers : [...containers, newContainer(name, wish, 'copy')],
  }
}

function changedContainer(own: Container, wish: DebugWish): Container {
  const { args, securityContext, ...container } = own
  return {
    ...container,
    ...(args && (wish.words.length === 0 || wish.argumentsOnly) ? { args } : {}),
    ...wordsOf(wish),
    ...(wish.env.length > 0 ? { env: [...wish.env] } : {}),
    ...(wish.image ? { image: wish.image } : {}),
    ...(wish.pullPolicy ? { imagePullPolicy: wish.pullPolicy } : {}),
    stdin: wish.stdin,
    tty: wish.tty,
    ...secured(securityContext, wish.profile, 'copy'),
  }
}

const newContainer = (name: string, wish: DebugWish, place: Place): Container =>
  wish.customized({ ...asked(name, wish), ...secured(undefined, wish.profile, place) })

const secured = (own: Container['securityContext'], profile: Profile, place: Place) => {
  const securityContext = profile.security(own, place)
  return securityContext ? { securityContext } : {}
}

const asked = (name: string, wish: DebugWish): Container => ({
  name,
  image: wish.image,
  ...wordsOf(wish),
  ...(wish.env.length > 0 ? { env: [...wish.env] } : {}),
  ...(wish.pullPolicy ? { imagePullPolicy: wish.pullPolicy } : {}),
  ...(wish.stdin ? { stdin: true } : {}),
  ...(wish.tty ? { tty: true } : {}),
  terminationMessagePolicy: 'File',
})

const wordsOf = ({ words, argumentsOnly }: DebugWish) =>
  words.length === 0 ? {} : argumentsOnly ? { args: [...words] } : { command: [...words] }

function cleaned(spec: PodSpec, { keep }: CopyWish): PodSpec {
  const { initContainers, ...rest } = spec
  return {
    ...rest,
    ...(initContainers && keep.initContainers ? { initContainers } : {}),
    containers: spec.containers.map(({ livenessProbe, readinessProbe, startupProbe, ...container }) => ({
      ...container,
      ...(livenessProbe && keep.liveness ? { livenessProbe } : {}),
      ...(readinessProbe && keep.readiness ? { readinessProbe } : {}),
      ...(startupProbe && keep.startup ? { startupProbe } : {}),
    })),
    shareProcessNamespace: spec.shareProcessNamespace ?? true,
  }
}
