import { type AnyObject, parseApiVersion } from '../../api/machinery/object.ts'
import type { ManifestObject } from '../manifests.ts'

type Made = ManifestObject['object']

/** By what an object is meant: any part that is not given fits. */
export interface Identity {
  group?: string
  version?: string
  kind?: string
  name?: string
  namespace?: string
}

/** An object on its way through kustomizations, and by what it was known on the way. */
export interface Resource {
  object: Made
  /** The first is what it was in its file. */
  identities: Required<Identity>[]
  prefixes: string[]
  suffixes: string[]
  /** Its name is to end in a digest of what is in it. */
  hashed: boolean
}

/** An object as it comes from a file or a generator. */
export const newResource = (object: Made, hashed = false): Resource => ({
  object,
  identities: [identityOf(object)],
  prefixes: [],
  suffixes: [],
  hashed,
})

/** By what an object is known now. */
export function identityOf(object: AnyObject): Required<Identity> {
  const { group, version } = parseApiVersion(object.apiVersion ?? '')
  return {
    group,
    version,
    kind: object.kind ?? '',
    name: object.metadata?.name ?? '',
    namespace: object.metadata?.namespace ?? '',
  }
}

/** All by which it was ever known, the present first. */
export const everyIdentity = (resource: Resource): Required<Identity>[] => [
  identityOf(resource.object),
  ...resource.identities.toReversed(),
]

/** Before something changes by what an object is known. */
export function remember(resource: Resource): void {
  resource.identities.push(identityOf(resource.object))
}

/** No namespace means the namespace `default`. */
const namespaceOf = ({ namespace, kind }: Required<Identity>): string =>
  isClusterWide(kind) ? '' : namespace || 'default'

/** Whether one thing is meant by both. */
export const sameIdentity = (one: Required<Identity>, other: Required<Identity>): boolean =>
  one.group === other.group &&
  one.version === other.version &&
  one.kind === other.kind &&
  one.name === other.name &&
  namespaceOf(one) === namespaceOf(other)

/** Those that were ever known by this. */
export const known = (resources: readonly Resource[], identity: Required<Identity>): Resource[] =>
  resources.filter((resource) => everyIdentity(resource).some((its) => sameIdentity(its, identity)))

/** `Deployment web`, in a message. */
export const described = ({ group, version, kind, name, namespace }: Required<Identity>): string =>
  `${kind}.${version}.${group || '[noGrp]'}/${name}.${namespace || '[noNs]'}`

const clusterWide = new Set(
  `APIService CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle ComponentStatus CSIDriver CSINode
  CustomResourceDefinition DeviceClass FlowSchema IngressClass IPAddress MutatingAdmissionPolicy MutatingAdmissionPolicyBinding
  MutatingWebhookConfiguration Namespace Node PersistentVolume PriorityClass PriorityLevelConfiguration ResourceSlice
  RuntimeClass SelfSubjectAccessReview SelfSubjectReview SelfSubjectRulesReview ServiceCIDR StorageClass
  StorageVersionMigration SubjectAccessReview TokenReview ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
  ValidatingWebhookConfiguration VolumeAttachment VolumeAttributesClass VolumeSnapshotClass VolumeSnapshotContent`.split(
    /\s+/,
  ),
)

/** Whether objects of a kind are in no namespace. Of a kind that is not built in nobody knows: it is in one. */
export const isClusterWide = (kind: string): boolean => clusterWide.has(kind)
