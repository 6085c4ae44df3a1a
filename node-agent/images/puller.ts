import type { Container, ObjectReference, Pod, Secret } from '../../api/generated/types.ts'
import type { Clock, Live } from '../../client/types.ts'
import { type AuthConfig, type Cri, CriError, type Given, type PodSandboxConfig } from '../runtime/cri.ts'
import { credentialsFor } from './credentials.ts'
import { parseReference } from './reference.ts'

/** Why a container's image is not there; `reason` and `message` are the container's waiting state. */
export class ImagePullError extends Error {
  readonly reason: ImagePullReason

  constructor(reason: ImagePullReason, message: string) {
    super(message)
    this.name = 'ImagePullError'
    this.reason = reason
  }
}

export type ImagePullReason =
  | 'ErrImagePull'
  | 'ImagePullBackOff'
  | 'ErrImageNeverPull'
  | 'InvalidImageName'
  | 'ImageInspectError'
  | 'RegistryUnavailable'
  | 'SignatureValidationFailed'

export interface PulledImage {
  /** What `createContainer` is to be given. */
  imageRef: string
  /** What the container's status shows: by digest where the runtime knows it. */
  imageId: string
}

export interface ImagePullerOptions {
  cri: Pick<Cri, 'imageStatus' | 'pullImage'>
  events: { event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void }
  clock: Clock
  /** How many pulls may run at a time; the others wait. Upstream's `maxParallelImagePulls`. */
  maxParallelPulls?: number
}

const firstBackoffMs = 10_000
const longestBackoffMs = 300_000

interface Backoff {
  ms: number
  sinceMs: number
  /** Why the last attempt failed. */
  cause: string
}

/** Brings containers' images onto the node by their pull policies, with back-off and events as upstream's agent has them. */
export class ImagePuller {
  readonly #options: ImagePullerOptions
  readonly #backoffs = new Map<string, Backoff>()
  readonly #waiting: (() => void)[] = []
  #pulling = 0

  constructor(options: ImagePullerOptions) {
    this.#options = options
  }

  /**
   * Resolves when the container's image is here. `secrets` are the pod's and its service account's imagePullSecrets.
   * Throws an ImagePullError; while it backs off, at once and without trying.
   */
  async ensure(
    pod: Live<Pod>,
    container: Pick<Container, 'name' | 'image' | 'imagePullPolicy'>,
    secrets: readonly Secret[],
    context: { sandboxConfig?: Given<PodSandboxConfig>; runtimeHandler?: string } = {},
  ): Promise<PulledImage> {
    const { clock, events } = this.#options
    const requested = container.image ?? ''
    const about = referenceTo(pod, container.name)
    const reference = parseReference(requested)
    if (!reference) {
      const message = `Failed to apply default image tag ${JSON.stringify(requested)}: couldn't parse image name ${JSON.stringify(requested)}: invalid reference format`
      events.event(about, 'Warning', 'InspectFailed', message)
      throw new ImagePullError('InvalidImageName', message)
    }
    const policy = container.imagePullPolicy ?? (reference.tag === 'latest' ? 'Always' : 'IfNotPresent')
    const image: Given<{ image: string; userSpecifiedImage: string; runtimeHandler: string }> = {
      image: withTag(requested, reference.tag),
      userSpecifiedImage: requested,
      runtimeHandler: context.runtimeHandler ?? '',
    }
    if (policy !== 'Always') {
      const present = await this.#inspect(image, about, requested)
      if (present) {
        const message = `Container image ${JSON.stringify(requested)} already present on machine and can be accessed by the pod`
        events.event(about, 'Normal', 'Pulled', message)
        return present
      }
      if (policy === 'Never') {
        const message = `Container image ${JSON.stringify(requested)} is not present with pull policy of Never`
        events.event(about, 'Warning', 'ErrImageNeverPull', message)
        throw new ImagePullError('ErrImageNeverPull', message)
      }
    }

    const key = `${pod.metadata.uid ?? ''}_${requested}`
    const backoff = this.#backoffs.get(key)
    if (backoff && clock.now() - backoff.sinceMs < backoff.ms) {
      const message = `Back-off pulling image ${JSON.stringify(requested)}`
      events.event(about, 'Normal', 'BackOff', message)
      throw new ImagePullError('ImagePullBackOff', `${message}: ${backoff.cause}`)
    }
    events.event(about, 'Normal', 'Pulling', `Pulling image ${JSON.stringify(requested)}`)
    const askedMs = clock.now()
    await this.#turn()
    const startedMs = clock.now()
    try {
      const imageRef = await this.#pull(image, credentialsFor(requested, secrets), context.sandboxConfig)
      const found = (await this.#options.cri.imageStatus({ ...image, image: imageRef })).image
      this.#backoffs.delete(key)
      const now = clock.now()
      const message = `Successfully pulled image ${JSON.stringify(requested)} in ${duration(now - startedMs)} (${duration(now - askedMs)} including waiting). Image size: ${found?.size ?? 0} bytes.`
      events.event(about, 'Normal', 'Pulled', message)
      return { imageRef, imageId: found?.repoDigests[0] ?? imageRef }
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      events.event(about, 'Warning', 'Failed', `Failed to pull image ${JSON.stringify(requested)}: ${words}`)
      const failure = understood(requested, words)
      this.#backoffs.set(key, {
        ms: backoff ? Math.min(backoff.ms * 2, longestBackoffMs) : firstBackoffMs,
        sinceMs: clock.now(),
        cause: `${failure.reason}: ${failure.message}`,
      })
      this.#forgetOld()
      throw failure
    } finally {
      this.#pulling--
      this.#waiting.shift()?.()
    }
  }

  /** When the next try for an image of a pod makes sense, in milliseconds since 1970; undefined: now. */
  nextTry(podUid: string, image: string): number | undefined {
    const backoff = this.#backoffs.get(`${podUid}_${image}`)
    const at = backoff && backoff.sinceMs + backoff.ms
    return at !== undefined && at > this.#options.clock.now() ? at : undefined
  }

  async #inspect(
    image: { image?: string | undefined },
    about: ObjectReference,
    requested: string,
  ): Promise<PulledImage | undefined> {
    try {
      const found = (await this.#options.cri.imageStatus(image)).image
      return found ? { imageRef: found.id, imageId: found.repoDigests[0] ?? found.id } : undefined
    } catch (error) {
      const message = `Failed to inspect image ${JSON.stringify(requested)}: ${(error as Error).message}`
      this.#options.events.event(about, 'Warning', 'InspectFailed', message)
      throw new ImagePullError('ImageInspectError', message)
    }
  }

  /** With each of the credentials that fit, until one is good enough. */
  async #pull(
    image: { image?: string | undefined },
    credentials: readonly Given<AuthConfig>[],
    sandboxConfig: Given<PodSandboxConfig> | undefined,
  ): Promise<string> {
    const failures: string[] = []
    for (const auth of credentials.length > 0 ? credentials : [undefined]) {
      try {
        return await this.#options.cri.pullImage({
          image,
          ...(auth ? { auth } : {}),
          ...(sandboxConfig ? { sandboxConfig } : {}),
        })
      } catch (error) {
        if (!(error instanceof CriError)) throw error
        if (!failures.includes(error.message)) failures.push(error.message)
      }
    }
    throw new Error(failures.length === 1 ? failures[0] : `[${failures.join(', ')}]`)
  }

  async #turn(): Promise<void> {
    while (this.#pulling >= (this.#options.maxParallelPulls ?? 5)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#pulling++
  }

  #forgetOld(): void {
    const now = this.#options.clock.now()
    for (const [key, { sinceMs }] of this.#backoffs) {
      if (now - sinceMs > 2 * longestBackoffMs) this.#backoffs.delete(key)
    }
  }
}

/** Upstream's events about a container name its field. */
function referenceTo(pod: Live<Pod>, container: string): ObjectReference {
  const { name, namespace, uid, resourceVersion } = pod.metadata
  const { initContainers = [], ephemeralContainers = [] } = pod.spec ?? {}
  const field = initContainers.some((init) => init.name === container)
    ? 'initContainers'
    : ephemeralContainers.some((ephemeral) => ephemeral.name === container)
      ? 'ephemeralContainers'
      : 'containers'
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    name,
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    // Without a name it is for a volume, and the event about the pod.
    ...(container ? { fieldPath: `spec.${field}{${container}}` } : {}),
  }
}

const withTag = (requested: string, tag: string | undefined): string =>
  tag === 'latest' && !/:latest(@|$)/.test(requested) && !requested.includes('@') ? `${requested}:latest` : requested

/** Runtimes put a word that upstream knows in front of some of their messages. */
function understood(image: string, words: string): ImagePullError {
  const kinds = [
    ['RegistryUnavailable', 'the registry is unavailable'],
    ['SignatureValidationFailed', 'the signature validation failed'],
  ] as const
  for (const [reason, because] of kinds) {
    if (!words.startsWith(reason)) continue
    const message = `image pull failed for ${image} because ${because}${words.slice(reason.length)}`
    return new ImagePullError(reason, message)
  }
  return new ImagePullError('ErrImagePull', words)
}

const duration = (ms: number): string => (ms < 1000 ? `${Math.round(ms)}ms` : `${Math.round(ms) / 1000}s`)
