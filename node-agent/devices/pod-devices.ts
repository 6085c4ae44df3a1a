import type { Container } from '../../api/generated/types.ts'
import { isOwnedBy, isReservedFor, notOwnedBy, podClaimOf } from '../../api/resource/pod-claims.ts'
import { resourceClaims } from '../../client/resources.ts'
import type { Api } from '../../client/types.ts'
import type { BoundPod } from '../pods/types.ts'
import type { DeviceDriver } from './drivers.ts'
import type { PreparedClaim, PreparedClaims } from './prepared.ts'

export interface PodDevicesOptions {
  api: Pick<Api, 'get'>
  drivers: { get(name: string): DeviceDriver }
  prepared: PreparedClaims
}

/**
 * Has the devices of pods made ready before their containers start, and given back after they have ended. Every step can be
 * taken again: what was asked of a driver is on the disk before it is asked.
 */
export class PodDevices {
  readonly #options: PodDevicesOptions
  /** Two pods of one claim wait for each other. */
  readonly #lines = new Map<string, Promise<unknown>>()

  constructor(options: PodDevicesOptions) {
    this.#options = options
  }

  /** Resolves when all devices of the pod are ready. Throws an Error in upstream's words. */
  async prepare(pod: BoundPod): Promise<void> {
    try {
      for (const name of claimNames(pod)) await this.#inLine(pod, name, () => this.#prepareClaim(pod, name))
    } catch (error) {
      throw new Error(`prepare dynamic resources: ${(error as Error).message}`)
    }
  }

  /** Resolves when nothing of this node is kept ready for the pod any more. */
  async release(podUid: string): Promise<void> {
    const { prepared } = this.#options
    for (const { namespace, name } of prepared.of(podUid)) {
      await this.#inLine({ metadata: { namespace } }, name, async () => {
        const claim = prepared.get(namespace, name)
        if (claim?.pods.includes(podUid)) await this.#releaseClaim(claim, podUid)
      })
    }
  }

  /** The same for pods that nobody knows any more; those whose drivers are not there yet are left for the next time. */
  async releaseUnknown(isKnown: (podUid: string) => boolean): Promise<void> {
    for (const uid of this.#options.prepared.pods) if (!isKnown(uid)) await this.release(uid)
  }

  /** What the runtime is to give to the container, by names that it finds in the drivers' files. */
  cdiDevices(pod: BoundPod, container: Pick<Container, 'resources'>): string[] {
    const { prepared } = this.#options
    const ids = (container.resources?.claims ?? []).flatMap(({ name, request }) => {
      const entry = (pod.spec.resourceClaims ?? []).find((each) => each.name === name)
      const known = entry && podClaimOf(pod, entry)
      if (!known || 'fault' in known || known.claim === undefined) return []
      const devices = prepared.get(pod.metadata.namespace, known.claim)?.devices ?? []
      return devices.filter((device) => isFor(device.requests, request)).flatMap(({ cdi }) => cdi)
    })
    return [...new Set(ids)]
  }

  async #prepareClaim(pod: BoundPod, name: string): Promise<void> {
    const { api, drivers, prepared } = this.#options
    const { namespace, uid } = pod.metadata
    const known = prepared.get(namespace, name)
    if (known?.done && known.pods.includes(uid)) return
    const claim = await api.get(resourceClaims, { namespace, name }).catch((error: Error) => {
      throw new Error(`fetch ResourceClaim ${name}: ${error.message}`)
    })
    const isGenerated = (pod.spec.resourceClaims ?? []).every(({ resourceClaimName }) => resourceClaimName !== name)
    if (isGenerated && !isOwnedBy(claim, pod)) throw new Error(notOwnedBy(claim, pod))
    const claimUid = claim.metadata.uid ?? ''
    if (!isReservedFor(claim, pod)) {
      throw new Error(`pod ${pod.metadata.name} (${uid}) is not allowed to use ResourceClaim ${name} (${claimUid})`)
    }
    if (known && known.uid !== claimUid) {
      throw new Error(
        `old ResourceClaim with same name ${name} and different UID ${known.uid} still exists (previous pod force-deleted?!)`,
      )
    }
    const results = claim.status?.allocation?.devices?.results ?? []
    const names = [...new Set(results.map(({ driver }) => driver))]
    // Before anything is written: a driver that was never there must not keep the pod from going.
    const asked = names.map((driver) => [driver, drivers.get(driver)] as const)
    const fresh: PreparedClaim = { namespace, name, uid: claimUid, pods: [], drivers: names, done: false, devices: [] }
    const begun = known ?? fresh
    const used = { ...begun, pods: [...new Set([...begun.pods, uid])] }
    await prepared.set(used)
    if (used.done) return
    const devices: PreparedClaim['devices'] = []
    for (const [driver, { prepare }] of asked) {
      for (const { poolName, deviceName, requestNames, cdiDeviceIds } of await prepare({
        namespace,
        name,
        uid: claimUid,
      })) {
        devices.push({ driver, pool: poolName, device: deviceName, requests: requestNames, cdi: cdiDeviceIds })
      }
    }
    await prepared.set({ ...used, devices, done: true })
  }

  async #releaseClaim(claim: PreparedClaim, podUid: string): Promise<void> {
    const { drivers, prepared } = this.#options
    const { namespace, name, uid } = claim
    const others = claim.pods.filter((other) => other !== podUid)
    if (others.length > 0) {
      await prepared.set({ ...claim, pods: others })
      return
    }
    for (const driver of claim.drivers) {
      await drivers
        .get(driver)
        .unprepare({ namespace, name, uid })
        .catch((error: Error) => {
          throw new Error(`unprepare dynamic resources: ${error.message}`)
        })
    }
    await prepared.delete(claim)
  }

  async #inLine<T>(
    { metadata }: { metadata: { namespace: string } },
    name: string,
    work: () => Promise<T>,
  ): Promise<T> {
    const key = `${metadata.namespace}/${name}`
    const before = this.#lines.get(key) ?? Promise.resolve()
    const done = before.catch(() => undefined).then(work)
    this.#lines.set(key, done)
    try {
      return await done
    } finally {
      if (this.#lines.get(key) === done) this.#lines.delete(key)
    }
  }
}

/** A device that names no request is for all; `request/alternative` is found by its request alone as well. */
const isFor = (requests: readonly string[], request: string | undefined): boolean =>
  !request || requests.length === 0 || requests.some((each) => each === request || each.split('/')[0] === request)

/** Throws an Error, in upstream's words, for a claim that is not there yet. */
function claimNames(pod: BoundPod): string[] {
  return (pod.spec.resourceClaims ?? []).flatMap((entry) => {
    const known = podClaimOf(pod, entry)
    if ('fault' in known) throw new Error(known.fault)
    return known.claim ?? []
  })
}
