import { stampConditions, validateApprovalUpdate } from '../../api/certificates/certificatesigningrequest.ts'
import { type NamespaceObject, validateNamespaceFinalize } from '../../api/core/namespace.ts'
import { validatePodEphemeralContainersUpdate, validatePodResize } from '../../api/core/pod.ts'
import type { CertificateSigningRequest, Namespace, Pod } from '../../api/generated/types.ts'
import type { AnyObject, Stored } from '../../api/machinery/object.ts'
import type { Scope } from '../handlers/context.ts'
import { handlePart } from '../handlers/resource.ts'
import type { WriteRules } from '../registry/write.ts'

/**
 * Subresources that own one part of their object: a write changes that part and nothing else, but for labels and
 * annotations where upstream takes those along.
 */
export const partHandlers: Record<string, (scope: Scope) => Promise<void>> = {
  '/pods/ephemeralcontainers': (scope) => handlePart(scope, 'ephemeralcontainers', ephemeralContainers),
  '/pods/resize': (scope) => handlePart(scope, 'resize', resize),
  '/namespaces/finalize': (scope) => handlePart(scope, 'finalize', finalize),
  'certificates.k8s.io/certificatesigningrequests/approval': (scope) => handlePart(scope, 'approval', approval),
}

const ephemeralContainers: WriteRules = {
  generation: true,
  merge(sent, old) {
    const containers = (sent as unknown as Pod).spec?.ephemeralContainers
    const pod = structuredClone(old) as unknown as Stored<Pod>
    if (pod.spec && containers) pod.spec.ephemeralContainers = containers
    else if (pod.spec) delete pod.spec.ephemeralContainers
    return versioned(pod as unknown as AnyObject, sent)
  },
  validate: (object, old) =>
    validatePodEphemeralContainersUpdate(object as unknown as Stored<Pod>, old as unknown as Stored<Pod>),
}

const resize: WriteRules = {
  generation: true,
  merge(sent, old) {
    const pod = structuredClone(old) as unknown as Stored<Pod>
    const from = (sent as unknown as Pod).spec
    const { spec } = pod
    if (spec && from) {
      for (const list of ['containers', 'initContainers'] as const) {
        for (const container of spec[list] ?? []) {
          const wanted = from[list]?.find(({ name }) => name === container.name)
          if (!wanted) continue
          if (wanted.resources) container.resources = wanted.resources
          else delete container.resources
          if (wanted.resizePolicy) container.resizePolicy = wanted.resizePolicy
        }
      }
      if (from.resources) spec.resources = from.resources
    }
    return versioned(pod as unknown as AnyObject, sent)
  },
  validate: (object, old) => validatePodResize(object as unknown as Stored<Pod>, old as unknown as Stored<Pod>),
}

const finalize: WriteRules = {
  merge(sent, old) {
    const namespace = structuredClone(old) as unknown as Stored<Namespace>
    const finalizers = (sent as unknown as Namespace).spec?.finalizers
    namespace.spec = finalizers && finalizers.length > 0 ? { finalizers } : {}
    return { ...(namespace as unknown as AnyObject), metadata: sent.metadata }
  },
  validate: (object) => validateNamespaceFinalize(object as unknown as NamespaceObject),
}

const approval: WriteRules = {
  merge(sent, old, nowMs) {
    const request = structuredClone(old) as unknown as Stored<CertificateSigningRequest>
    const conditions = (sent as unknown as CertificateSigningRequest).status?.conditions
    request.status = { ...request.status, ...(conditions ? { conditions } : {}) }
    if (!conditions) delete request.status.conditions
    stampConditions(request, old as unknown as Stored<CertificateSigningRequest>, nowMs)
    return { ...(request as unknown as AnyObject), metadata: sent.metadata }
  },
  validate: (object, old) =>
    validateApprovalUpdate(
      object as unknown as Stored<CertificateSigningRequest>,
      old as unknown as Stored<CertificateSigningRequest>,
    ),
}

/** Metadata that a subresource write may carry along. */
function versioned(object: AnyObject, sent: AnyObject): AnyObject {
  const { managedFields, resourceVersion } = sent.metadata
  if (resourceVersion) object.metadata.resourceVersion = resourceVersion
  if (managedFields) object.metadata.managedFields = managedFields
  return object
}
