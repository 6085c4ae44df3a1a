import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, Secret } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { containerConfig } from '../containers/config.ts'
import { environmentOf } from '../containers/env.ts'
import { hostnameOf, hostsFile } from '../containers/hosts.ts'
import { podLogDirectory } from '../containers/sandbox.ts'
import type { ImageUser } from '../containers/security.ts'
import { serviceEnvironment } from '../containers/service-env.ts'
import { lookUpCdi } from '../devices/cdi.ts'
import { runHook } from '../lifecycle/hooks.ts'
import type { Given, Mount, PodSandboxConfig } from '../runtime/cri.ts'
import { terminationLog, volumeDevices, volumeMounts } from '../volumes/container-mounts.ts'
import type { MountedVolumes } from '../volumes/manager.ts'
import { readSubPath } from '../volumes/sub-path.ts'
import type { Mounted } from '../volumes/types.ts'
import type { PodDeps } from './deps.ts'
import { lastWordsPath } from './last-words.ts'
import { latestContainer, type ObservedPod } from './observed.ts'
import { killContainer } from './stop.ts'
import { type BoundPod, type ContainerSlot, describePod } from './types.ts'

/** Why a container could not be started; `reason` is what its status shows. */
export class StartError extends Error {
  readonly reason: string

  constructor(reason: string, message: string) {
    super(message)
    this.name = 'StartError'
    this.reason = reason
  }
}

export interface StartInputs {
  pod: BoundPod
  slot: ContainerSlot
  observed: ObservedPod
  sandboxId: string
  sandboxConfig: Given<PodSandboxConfig>
  podIps: readonly string[]
  volumes: MountedVolumes
  image: Promise<{ imageRef: string; imageId: string }>
  /** The pod is to end: wait for nothing that may take long. */
  signal: AbortSignal
}

/** Gets the image, makes the container, starts it and runs its postStart hook. Throws a StartError; events tell of each step. */
export async function startContainer(deps: PodDeps, inputs: StartInputs): Promise<void> {
  const { pod, slot, sandboxId, sandboxConfig, observed } = inputs
  const { cri, events, view } = deps
  const refuse = (reason: string, error: unknown): StartError => {
    const message = error instanceof Error ? error.message : String(error)
    const cause = error instanceof Error ? error.cause : undefined
    if (cause) deps.log.warn({ err: cause, pod: describePod(pod) }, message)
    events.warning(pod, 'Failed', `Error: ${message}`, slot)
    return new StartError(reason, message)
  }
  const shown = imageVolumes(deps, inputs).catch((error) => {
    if (error instanceof StartError || inputs.signal.aborted) throw error
    throw refuse('CreateContainerError', error)
  })
  const [image, images] = await Promise.all([gotten(deps, inputs, inputs.image), shown])
  const volumes = new Map([...inputs.volumes, ...images])
  const config = await makeConfig(deps, { ...inputs, volumes }, image).catch((error) => {
    throw refuse('CreateContainerConfigError', error)
  })
  inputs.signal.throwIfAborted()
  const containerId = await cri.createContainer({ podSandboxId: sandboxId, config, sandboxConfig }).catch((error) => {
    throw refuse('CreateContainerError', error)
  })
  view.learn(containerId, pod.metadata.uid)
  events.normal(pod, 'Created', 'Container created', slot)
  await cri.startContainer(containerId).catch((error) => {
    throw refuse('RunContainerError', error)
  })
  events.normal(pod, 'Started', 'Container started', slot)
  const postStart = slot.container.lifecycle?.postStart
  if (!postStart) return
  const podIp = inputs.podIps[0] ?? '127.0.0.1'
  const hook = runHook(deps, postStart, { containerId, container: slot.container, podIp }, inputs.signal)
  try {
    await unlessAborted(hook, inputs.signal)
  } catch (error) {
    if (inputs.signal.aborted) return
    events.warning(pod, 'FailedPostStartHook', 'PostStartHook failed', slot)
    const target = { id: containerId, name: slot.container.name }
    await killContainer(deps, pod, observed, target, { message: 'FailedPostStartHook', reason: 'postStart' })
    throw new StartError('PostStartHookError', error instanceof Error ? error.message : String(error))
  }
}

/** What is asked for, or why the image it needs cannot be had. */
async function gotten<T>(deps: PodDeps, { pod, slot, signal }: StartInputs, work: Promise<T>): Promise<T> {
  try {
    return await unlessAborted(work, signal)
  } catch (error) {
    signal.throwIfAborted()
    const reason = (error as { reason?: unknown }).reason
    const message = error instanceof Error ? error.message : String(error)
    const known = typeof reason === 'string' ? reason : 'ErrImagePull'
    deps.events.warning(pod, 'Failed', `Error: ${known}`, slot)
    throw new StartError(known, message)
  }
}

/** The volumes of images that the container mounts, pulled as its own image is. */
function imageVolumes(deps: PodDeps, inputs: StartInputs): Promise<[string, Mounted][]> {
  const { pod, slot } = inputs
  const names = new Set((slot.container.volumeMounts ?? []).map(({ name }) => name))
  const wanted = (pod.spec.volumes ?? []).filter(({ name, image }) => image && names.has(name))
  return Promise.all(
    wanted.map(async (volume): Promise<[string, Mounted]> => {
      const { reference = '', pullPolicy } = volume.image ?? {}
      const asked = { name: '', image: reference, ...(pullPolicy ? { imagePullPolicy: pullPolicy } : {}) }
      const pulling = pullSecrets(deps, pod).then((secrets) => deps.images.ensure(pod, asked, secrets))
      await gotten(deps, inputs, pulling)
      return [volume.name, await deps.volumes.prepareImage(pod, volume)]
    }),
  )
}

/** The work's result, or an error as soon as the signal fires. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => undefined)
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

async function makeConfig(
  deps: PodDeps,
  { pod, slot, observed, podIps, volumes }: StartInputs,
  { imageRef }: { imageRef: string },
) {
  const { container } = slot
  const { node } = deps
  const services = serviceEnvironment(node.services(), pod.metadata.namespace, pod.spec.enableServiceLinks ?? true)
  const environment = await environmentOf({
    pod,
    container,
    facts: node.facts(podIps),
    services,
    objects: deps.objects,
    readVolumeFile: (volume, path) => readVolumeFile(volumes, volume, path),
  })
  const restartCount = await nextAttempt(deps, pod, container, observed)
  const mounts = await volumeMounts({
    container,
    volumes,
    environment,
    podDirectory: join(node.podsDirectory, pod.metadata.uid),
    mayMount: node.mayMount,
    recursiveReadOnly: node.recursiveReadOnly(),
  })
  const cdi = deps.devices.cdiDevices(pod, container)
  const edits = cdi.length === 0 || node.resolvesCdi() ? undefined : await lookUpCdi(cdi)
  await mkdir(join(podLogDirectory(node.logRoot, pod), container.name), { recursive: true, mode: 0o755 })
  const target = 'targetContainerName' in container ? container.targetContainerName : undefined
  return containerConfig({
    pod,
    container,
    restartCount,
    imageRef,
    imageUser: await imageUser(deps, imageRef),
    environment: new Map([...environment, ...(edits?.envs ?? []).map(({ key, value }) => [key, value] as const)]),
    mounts: [...mounts, ...(edits?.mounts ?? []), ...(await ownMounts(deps, pod, container, podIps, restartCount))],
    devices: [...volumeDevices(container, volumes), ...(edits?.devices ?? [])],
    cdiDevices: edits ? [] : cdi,
    extraGroups: [...volumes.values()].flatMap(({ extraGroup }) => extraGroup ?? []),
    targetId: target ? targetId(observed, target) : undefined,
    memoryCapacity: node.memoryCapacity,
    seccompRoot: node.seccompRoot,
  })
}

async function readVolumeFile(volumes: MountedVolumes, volume: string, path: string): Promise<string> {
  const mounted = volumes.get(volume)
  if (!mounted) throw new Error(`cannot find the volume "${volume}" referenced by FileKeyRef`)
  return readSubPath(mounted.hostPath, path)
}

function targetId(observed: ObservedPod, name: string): string {
  const target = latestContainer(observed, name)
  if (!target) throw new Error(`unable to find target container ${name}`)
  return target.id
}

/** Of images named by what they are, which never changes. */
const imageUsers = new Map<string, ImageUser>()
const maxImageUsers = 512

async function imageUser({ cri }: PodDeps, imageRef: string): Promise<ImageUser> {
  const known = imageUsers.get(imageRef)
  if (known) return known
  const { image } = await cri.imageStatus({ image: imageRef })
  const user = image?.uid ? { uid: image.uid.value } : image?.username ? { username: image.username } : { uid: 0 }
  if (image && imageRef.includes('sha256:')) {
    if (imageUsers.size >= maxImageUsers) imageUsers.clear()
    imageUsers.set(imageRef, user)
  }
  return user
}

/** One more than the last; of a container the runtime has forgotten, one more than its last log. */
async function nextAttempt(
  { node }: PodDeps,
  pod: BoundPod,
  container: Container,
  observed: ObservedPod,
): Promise<number> {
  const latest = latestContainer(observed, container.name)
  if (latest) return latest.restartCount + 1
  const logs = await readdir(join(podLogDirectory(node.logRoot, pod), container.name)).catch(() => [])
  const attempts = logs.flatMap((name) => /^(\d+)\.log/.exec(name)?.[1] ?? []).map(Number)
  return attempts.length > 0 ? Math.max(...attempts) + 1 : 0
}

/** /etc/hosts, and the file for the last words. */
async function ownMounts(
  { node }: PodDeps,
  pod: BoundPod,
  container: Container,
  podIps: readonly string[],
  restartCount: number,
): Promise<Given<Mount>[]> {
  const mounts: Given<Mount>[] = []
  const takesHosts = container.volumeMounts?.some(({ mountPath }) => mountPath === '/etc/hosts') ?? false
  if (!takesHosts && (podIps.length > 0 || pod.spec.hostNetwork)) {
    const hostPath = join(node.podsDirectory, pod.metadata.uid, 'etc-hosts')
    mounts.push({ hostPath, containerPath: '/etc/hosts', readonly: false, propagation: 'PROPAGATION_PRIVATE' })
  }
  const messagePath = container.terminationMessagePath ?? '/dev/termination-log'
  if (messagePath !== '') {
    const path = lastWordsPath(node.podsDirectory, pod.metadata.uid, container.name, restartCount)
    mounts.push(await terminationLog(path, messagePath))
  }
  return mounts
}

/** Writes the pod's own /etc/hosts, as its addresses are now. */
export async function writeHosts({ node }: PodDeps, pod: BoundPod, podIps: readonly string[]): Promise<void> {
  const directory = join(node.podsDirectory, pod.metadata.uid)
  await mkdir(directory, { recursive: true, mode: 0o750 })
  const machine = pod.spec.hostNetwork ? await node.readHostsFile() : ''
  const text = hostsFile(pod, podIps, hostnameOf(pod, node.dns.clusterDomain), machine)
  await writeFile(join(directory, 'etc-hosts'), text, { mode: 0o644 })
}

/** The secrets that let this pod pull its images; one that is not there is left out, as upstream does. */
export async function pullSecrets({ objects }: PodDeps, pod: BoundPod): Promise<Live<Secret>[]> {
  const names = (pod.spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])
  const found = await Promise.all(names.map((name) => objects.secret(pod.metadata.namespace, name)))
  return found.filter((secret) => secret !== undefined)
}
