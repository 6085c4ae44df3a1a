import { isDeepStrictEqual } from 'node:util'
import { podReferences } from '../../api/core/pod-references.ts'
import type {
  CertificateSigningRequest,
  CSIDriver,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  ResourceSlice,
} from '../../api/generated/types.ts'
import { notFoundError } from '../../api/machinery/errors.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import type { KubeObject, Stored } from '../../api/machinery/object.ts'
import { nodeOf } from '../auth/groups.ts'
import type { TokenRequestObject } from '../auth/tokens/token-request.ts'
import { readRequest } from './certificates.ts'
import type { AdmissionContext } from './context.ts'
import { forbiddenNodeLabels } from './node-labels.ts'
import { refuse } from './refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from './types.ts'

const mirrorAnnotation = 'kubernetes.io/config.mirror'
const leaseNamespace = 'kube-node-lease'
const nodeSigners = new Set(['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet'])

type Check = (node: string, attributes: AdmissionAttributes) => void | Promise<void>

/** Holds node agents to their own node, its pods and what belongs to them. What a node authorizer cannot see, this can. */
export function createNodeRestriction(context: AdmissionContext): AdmissionPlugin {
  const { client, lookup } = context
  const readPod = async (namespace: string, name: string): Promise<Stored<Pod>> => {
    const pods = lookup('', 'pods')
    const pod =
      client.cached<Stored<Pod>>(pods, namespace, name) ?? (await client.get<Stored<Pod>>(pods, namespace, name))
    if (!pod) throw notFoundError({ group: '', resource: 'pods' }, name)
    return pod
  }
  const checks: Record<string, Check> = {
    '/pods': (node, attributes) => checkPod(context, readPod, node, attributes),
    '/nodes': checkNode,
    '/persistentvolumeclaims': checkClaim,
    '/serviceaccounts': (node, attributes) => checkToken(context, readPod, node, attributes),
    'coordination.k8s.io/leases': checkLease,
    'storage.k8s.io/csinodes': checkCsiNode,
    'resource.k8s.io/resourceslices': checkSlice,
    'certificates.k8s.io/certificatesigningrequests': checkSigningRequest,
  }
  return {
    name: 'NodeRestriction',
    handles: ({ user, operation }) => operation !== 'CONNECT' && nodeOf(user) !== undefined,
    admit(attributes) {
      const node = nodeOf(attributes.user)
      if (!node) throw refuse(attributes, `could not determine node from user ${JSON.stringify(attributes.user.name)}`)
      const { group, plural } = attributes.resource
      return checks[`${group}/${plural}`]?.(node, attributes)
    },
  }
}

type ReadPod = (namespace: string, name: string) => Promise<Stored<Pod>>
const quoted = (text: string): string => JSON.stringify(text)

async function checkPod(context: AdmissionContext, readPod: ReadPod, node: string, attributes: AdmissionAttributes) {
  const { operation, subresource, namespace, name } = attributes
  switch (subresource) {
    case 'status':
      return checkPodStatus(node, attributes)
    case 'eviction': {
      const pod = await readPod(namespace, name || (attributes.object?.metadata.name ?? ''))
      if (pod.spec?.nodeName === node) return
      throw refuse(attributes, `node ${node} can only evict pods with spec.nodeName set to itself`)
    }
    case '':
      break
    default:
      throw refuse(
        attributes,
        `unexpected pod subresource ${quoted(subresource)}, only 'status' and 'eviction' are allowed`,
      )
  }
  if (operation === 'CREATE') return checkNewPod(context, node, attributes)
  if (operation === 'DELETE') {
    const pod = (attributes.old as Stored<Pod> | undefined) ?? (await readPod(namespace, name))
    if (pod.spec?.nodeName === node) return
    throw refuse(attributes, `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`)
  }
  throw refuse(
    attributes,
    `unexpected operation ${quoted(operation)}, node ${quoted(node)} can only create and delete mirror pods`,
  )
}

async function checkNewPod({ client, lookup }: AdmissionContext, node: string, attributes: AdmissionAttributes) {
  const pod = attributes.object as unknown as Stored<Pod>
  const name = quoted(node)
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined) {
    throw refuse(
      attributes,
      `pod does not have ${quoted(mirrorAnnotation)} annotation, node ${name} can only create mirror pods`,
    )
  }
  if (pod.spec?.nodeName !== node) {
    throw refuse(attributes, `node ${name} can only create pods with spec.nodeName set to itself`)
  }
  const [owner, ...more] = pod.metadata.ownerReferences ?? []
  if (more.length > 0)
    throw refuse(attributes, `node ${name} can only create pods with a single owner reference set to itself`)
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    throw refuse(attributes, `node ${name} can only create pods with an owner reference set to itself`)
  }
  if (!owner.controller) {
    throw refuse(attributes, `node ${name} can only create pods with a controller owner reference set to itself`)
  }
  if (owner.blockOwnerDeletion)
    throw refuse(attributes, `node ${name} must not set blockOwnerDeletion on an owner reference`)
  const nodes = lookup('', 'nodes')
  const found = client.cached<KubeObject>(nodes, '', node) ?? (await client.get<KubeObject>(nodes, '', node))
  if (!found) throw notFoundError({ group: '', resource: 'nodes' }, node)
  if (owner.uid !== found.metadata.uid) {
    throw refuse(attributes, `node ${node} UID mismatch: expected ${owner.uid} got ${found.metadata.uid}`)
  }
  const [reference] = podReferences(pod)
  const tokens = pod.spec.volumes?.some(({ projected }) =>
    projected?.sources?.some(
      ({ serviceAccountToken, clusterTrustBundle }) => serviceAccountToken || clusterTrustBundle,
    ),
  )
  const referenced = reference?.split(' ')[0] ?? (tokens ? 'serviceaccounts' : undefined)
  if (referenced !== undefined)
    throw refuse(attributes, `node ${name} can not create pods that reference ${referenced}`)
}

function checkPodStatus(node: string, attributes: AdmissionAttributes): void {
  const { operation } = attributes
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${quoted(operation)}`)
  const pod = attributes.object as unknown as Stored<Pod>
  const old = attributes.old as unknown as Stored<Pod>
  const name = quoted(node)
  if (old.spec?.nodeName !== node) {
    throw refuse(attributes, `node ${name} can only update pod status for pods with spec.nodeName set to itself`)
  }
  if (!semanticEqual(old.metadata.labels, pod.metadata.labels)) {
    throw refuse(attributes, `node ${name} cannot update labels through pod status`)
  }
  if (!semanticEqual(old.status?.resourceClaimStatuses, pod.status?.resourceClaimStatuses)) {
    throw refuse(attributes, `node ${name} cannot update resource claim statues`)
  }
  if (!semanticEqual(old.status?.extendedResourceClaimStatus, pod.status?.extendedResourceClaimStatus)) {
    throw refuse(attributes, `node ${name} cannot update extended resource claim status`)
  }
}

function checkNode(node: string, attributes: AdmissionAttributes): void {
  const { operation, object, name } = attributes
  const wanted = name || (object?.metadata.name ?? '')
  if (wanted !== node) throw refuse(attributes, `node ${quoted(node)} is not allowed to modify node ${quoted(wanted)}`)
  const next = object as unknown as Stored<Node> | undefined
  const old = attributes.old as unknown as Stored<Node> | undefined
  if (!next || (operation !== 'CREATE' && operation !== 'UPDATE')) return
  const forbidden = forbiddenNodeLabels(next.metadata.labels ?? {}, old?.metadata.labels ?? {})
  if (operation === 'CREATE') {
    if (next.spec?.configSource) {
      throw refuse(attributes, `node ${quoted(node)} is not allowed to create pods with a non-nil configSource`)
    }
    if (forbidden.length > 0) {
      throw refuse(
        attributes,
        `node ${quoted(node)} is not allowed to set the following labels: ${forbidden.join(', ')}`,
      )
    }
    return
  }
  if (next.spec?.configSource && !semanticEqual(next.spec.configSource, old?.spec?.configSource)) {
    throw refuse(attributes, `node ${quoted(node)} is not allowed to update configSource to a new non-nil configSource`)
  }
  if (!semanticEqual(next.spec?.taints, old?.spec?.taints)) {
    throw refuse(attributes, `node ${quoted(node)} is not allowed to modify taints`)
  }
  if (!semanticEqual(next.metadata.ownerReferences, old?.metadata.ownerReferences)) {
    throw refuse(attributes, `node ${quoted(node)} is not allowed to modify ownerReferences`)
  }
  if (forbidden.length > 0) throw refuse(attributes, `is not allowed to modify labels: ${forbidden.join(', ')}`)
}

function checkClaim(node: string, attributes: AdmissionAttributes): void {
  const { operation, subresource } = attributes
  if (subresource !== 'status') throw refuse(attributes, 'may only update PVC status')
  if (operation !== 'UPDATE') throw refuse(attributes, `unexpected operation ${quoted(operation)}`)
  const fixed = (object: unknown) => {
    const { metadata, status = {}, ...rest } = object as Stored<PersistentVolumeClaim>
    const { resourceVersion: _, managedFields: __, ...meta } = metadata
    const { capacity, conditions, allocatedResources, allocatedResourceStatuses, ...others } = status
    return { ...rest, metadata: meta, status: others }
  }
  if (isDeepStrictEqual(fixed(attributes.object), fixed(attributes.old))) return
  throw refuse(
    attributes,
    `node ${quoted(node)} is not allowed to update fields other than status.quantity and status.conditions`,
  )
}

async function checkToken(context: AdmissionContext, readPod: ReadPod, node: string, attributes: AdmissionAttributes) {
  const { operation, subresource, namespace, name, user } = attributes
  if (operation !== 'CREATE' || subresource !== 'token') return
  const { spec } = attributes.object as unknown as TokenRequestObject
  const bound = spec?.boundObjectRef
  if (bound?.apiVersion !== 'v1' || bound.kind !== 'Pod' || !bound.name) {
    throw refuse(attributes, 'node requested token not bound to a pod')
  }
  if (!bound.uid) throw refuse(attributes, 'node requested token with a pod binding without a uid')
  const pod = await readPod(namespace, bound.name)
  if (bound.uid !== pod.metadata.uid) {
    throw refuse(
      attributes,
      `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    )
  }
  if (pod.spec?.nodeName !== node) {
    throw refuse(attributes, 'node requested token bound to a pod scheduled on a different node')
  }
  const audiences = spec?.audiences ?? []
  if (audiences.length > 1) throw refuse(attributes, 'node may only request 0 or 1 audiences')
  const audience = audiences[0] ?? ''
  if (podNamesAudience(context, pod, audience)) return
  const question = {
    user,
    verb: 'request-serviceaccounts-token-audience',
    group: '',
    resource: audience,
    subresource: '',
    namespace,
    name,
    path: '',
  }
  if ((await context.authorizer.authorize(question)).allowed) return
  throw refuse(
    attributes,
    `audience ${quoted(audience)} not found in pod spec volume, ${user.name} is not authorized to request tokens for this audience`,
  )
}

/** In a projected volume of its own, or through the driver of a volume it mounts. */
function podNamesAudience({ client, lookup }: AdmissionContext, pod: Stored<Pod>, audience: string): boolean {
  const { namespace = '', name = '' } = pod.metadata
  const driverOfClaim = (claim: string): string | undefined => {
    const found = client.cached<Stored<PersistentVolumeClaim>>(lookup('', 'persistentvolumeclaims'), namespace, claim)
    const volume = found?.spec?.volumeName
    if (!volume) return undefined
    return client.cached<Stored<PersistentVolume>>(lookup('', 'persistentvolumes'), '', volume)?.spec?.csi?.driver
  }
  return (pod.spec?.volumes ?? []).some((volume) => {
    if (
      volume.projected?.sources?.some(({ serviceAccountToken: token }) => token && (token.audience ?? '') === audience)
    ) {
      return true
    }
    const driver = volume.csi
      ? volume.csi.driver
      : volume.persistentVolumeClaim
        ? driverOfClaim(volume.persistentVolumeClaim.claimName)
        : volume.ephemeral
          ? driverOfClaim(`${name}-${volume.name}`)
          : undefined
    if (driver === undefined) return false
    const found = client.cached<Stored<CSIDriver>>(lookup('storage.k8s.io', 'csidrivers'), '', driver)
    return found?.spec.tokenRequests?.some((request) => request.audience === audience) ?? false
  })
}

const nameOf = ({ operation, object, name }: AdmissionAttributes): string =>
  operation === 'CREATE' ? (object?.metadata.name ?? '') : name

function checkLease(node: string, attributes: AdmissionAttributes): void {
  if (attributes.namespace !== leaseNamespace) {
    throw refuse(attributes, `can only access leases in the ${quoted(leaseNamespace)} system namespace`)
  }
  if (nameOf(attributes) !== node) {
    throw refuse(attributes, 'can only access node lease with the same name as the requesting node')
  }
}

function checkCsiNode(node: string, attributes: AdmissionAttributes): void {
  if (nameOf(attributes) !== node) {
    throw refuse(attributes, 'can only access CSINode with the same name as the requesting node')
  }
}

function checkSlice(node: string, attributes: AdmissionAttributes): void {
  const { operation } = attributes
  if (operation !== 'CREATE' && operation !== 'DELETE') return
  const slice = (operation === 'CREATE' ? attributes.object : attributes.old) as unknown as Stored<ResourceSlice>
  if (slice.spec.nodeName === node) return
  const verb = operation === 'CREATE' ? 'create' : 'delete'
  throw refuse(attributes, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`)
}

async function checkSigningRequest(node: string, attributes: AdmissionAttributes): Promise<void> {
  if (attributes.operation !== 'CREATE') return
  const { spec } = attributes.object as unknown as Stored<CertificateSigningRequest>
  if (!nodeSigners.has(spec.signerName)) return
  const { commonName } = await readRequest(spec.request).catch((error: Error) => {
    throw refuse(attributes, `unable to parse csr: ${error.message}`)
  })
  if (commonName !== `system:node:${node}`) {
    throw refuse(attributes, `can only create a node CSR with CN=system:node:${node}`)
  }
}
