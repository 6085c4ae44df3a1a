import { podReferences, type ReferencedKind, volumeSecrets } from '../../../api/core/pod-references.ts'
import type { PersistentVolume, Pod, ResourceSlice, VolumeAttachment } from '../../../api/generated/types.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import type { Resource } from '../../../api/machinery/resource.ts'
import type { ServerClient } from '../../registry/reader.ts'

interface PlacedPod {
  uid: string
  node: string
  /** What can change in a placed pod that it refers to. */
  mutable: string
  references: readonly string[]
}

const mirrorAnnotation = 'kubernetes.io/config.mirror'

/** Which objects concern which node, kept by the changes of pods, volumes, attachments and resource slices. */
export class NodeGraph {
  readonly #pods = new Map<string, PlacedPod>()
  /** By `kind namespace/name`: the nodes whose pods refer to it, with how many do. */
  readonly #referrers = new Map<string, Map<string, number>>()
  readonly #volumes = new Map<string, { claim: string; secrets: ReadonlySet<string> }>()
  /** By `namespace/name` of a secret: the volumes that need it. */
  readonly #volumesOfSecret = new Map<string, Set<string>>()
  readonly #attachments = new Map<string, string>()
  readonly #slices = new Map<string, string>()
  readonly #stops: (() => void)[]

  constructor(client: ServerClient, lookup: (group: string, plural: string) => Resource) {
    const follow = <T extends { metadata: { name?: string; namespace?: string } }>(
      group: string,
      plural: string,
      change: (key: string, object: T | undefined) => void,
    ) =>
      client.onChange<T>(
        lookup(group, plural),
        ({ type, object }) => {
          const { namespace, name = '' } = object.metadata
          change(namespace ? `${namespace}/${name}` : name, type === 'DELETED' ? undefined : object)
        },
        // Names are kept, and words made of them; nothing of the object itself.
        { glance: true },
      )
    const nodeInto =
      (into: Map<string, string>) => (key: string, object: { spec: { nodeName?: string } } | undefined) => {
        const node = object?.spec.nodeName
        if (node) into.set(key, node)
        else into.delete(key)
      }
    this.#stops = [
      follow<Stored<Pod>>('', 'pods', (key, pod) => this.#setPod(key, pod)),
      follow<Stored<PersistentVolume>>('', 'persistentvolumes', (key, volume) => this.#setVolume(key, volume)),
      follow<Stored<VolumeAttachment>>('storage.k8s.io', 'volumeattachments', nodeInto(this.#attachments)),
      follow<Stored<ResourceSlice>>('resource.k8s.io', 'resourceslices', nodeInto(this.#slices)),
    ]
  }

  stop(): void {
    for (const stop of this.#stops) stop()
  }

  hasPod(node: string, namespace: string, name: string): boolean {
    return this.#pods.get(`${namespace}/${name}`)?.node === node
  }

  /** Whether a pod on the node refers to the object, or for a secret a volume that such a pod claims. */
  refersTo(node: string, kind: ReferencedKind, namespace: string, name: string): boolean {
    if (this.#referrers.get(`${kind} ${namespace}/${name}`)?.has(node)) return true
    if (kind !== 'secrets') return false
    for (const volume of this.#volumesOfSecret.get(`${namespace}/${name}`) ?? []) {
      if (this.usesVolume(node, volume)) return true
    }
    return false
  }

  usesVolume(node: string, volume: string): boolean {
    const claim = this.#volumes.get(volume)?.claim
    return claim !== undefined && (this.#referrers.get(`persistentvolumeclaims ${claim}`)?.has(node) ?? false)
  }

  hasAttachment(node: string, name: string): boolean {
    return this.#attachments.get(name) === node
  }

  hasSlice(node: string, name: string): boolean {
    return this.#slices.get(name) === node
  }

  #setPod(key: string, pod: Stored<Pod> | undefined): void {
    const before = this.#pods.get(key)
    const node = pod?.spec?.nodeName
    if (!pod || !node) {
      if (before) this.#forgetPod(key, before)
      return
    }
    const { ephemeralContainers } = pod.spec ?? {}
    const { resourceClaimStatuses, extendedResourceClaimStatus } = pod.status ?? {}
    const mutable =
      ephemeralContainers || resourceClaimStatuses || extendedResourceClaimStatus
        ? JSON.stringify([ephemeralContainers?.length, resourceClaimStatuses, extendedResourceClaimStatus])
        : ''
    const uid = pod.metadata.uid ?? ''
    if (before && before.node === node && before.uid === uid && before.mutable === mutable) return
    if (before) this.#forgetPod(key, before)
    const namespace = pod.metadata.namespace ?? ''
    // A node makes the mirror pods of its own files: they must not open anything to it.
    const references = pod.metadata.annotations?.[mirrorAnnotation] === undefined ? podReferences(pod) : []
    const keys = [...references].map((reference) => reference.replace(' ', ` ${namespace}/`))
    this.#pods.set(key, { uid, node, mutable, references: keys })
    for (const reference of keys) {
      let nodes = this.#referrers.get(reference)
      if (!nodes) {
        nodes = new Map()
        this.#referrers.set(reference, nodes)
      }
      nodes.set(node, (nodes.get(node) ?? 0) + 1)
    }
  }

  #forgetPod(key: string, { node, references }: PlacedPod): void {
    this.#pods.delete(key)
    for (const reference of references) {
      const nodes = this.#referrers.get(reference)
      const count = nodes?.get(node) ?? 0
      if (count > 1) nodes?.set(node, count - 1)
      else nodes?.delete(node)
      if (nodes?.size === 0) this.#referrers.delete(reference)
    }
  }

  #setVolume(key: string, volume: Stored<PersistentVolume> | undefined): void {
    for (const secret of this.#volumes.get(key)?.secrets ?? []) {
      const volumes = this.#volumesOfSecret.get(secret)
      volumes?.delete(key)
      if (volumes?.size === 0) this.#volumesOfSecret.delete(secret)
    }
    this.#volumes.delete(key)
    const claim = volume?.spec?.claimRef
    if (!volume || !claim) return
    const secrets = volumeSecrets(volume)
    this.#volumes.set(key, { claim: `${claim.namespace}/${claim.name}`, secrets })
    for (const secret of secrets) {
      const volumes = this.#volumesOfSecret.get(secret) ?? new Set()
      volumes.add(key)
      this.#volumesOfSecret.set(secret, volumes)
    }
  }
}
