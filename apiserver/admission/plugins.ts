import { createMutatingPolicies } from '../extensions/policies/mutating.ts'
import { createValidatingPolicies } from '../extensions/policies/validating.ts'
import { createMutatingWebhooks } from '../extensions/webhooks/mutating.ts'
import { createValidatingWebhooks } from '../extensions/webhooks/validating.ts'
import {
  createCertificateApproval,
  createCertificateSigning,
  createCertificateSubjectRestriction,
} from './certificates.ts'
import { createPersistentVolumeClaimResize } from './claim-resize.ts'
import type { AdmissionContext } from './context.ts'
import { createDefaultIngressClass, createDefaultStorageClass } from './default-class.ts'
import { createDefaultTolerationSeconds } from './default-toleration-seconds.ts'
import { createDependsOn } from './depends-on.ts'
import { createExtendedResourceToleration } from './extended-resource-toleration.ts'
import { createLimitRanger } from './limit-ranger.ts'
import { createNamespaceLifecycle } from './namespace-lifecycle.ts'
import { createNodeRestriction } from './node-restriction.ts'
import { createOwnerReferencesPermissionEnforcement } from './owner-references.ts'
import { createPodResizeValidator } from './pod-resize.ts'
import { createPodSecurity } from './pod-security/pod-security.ts'
import { createPodTopologyLabels } from './pod-topology-labels.ts'
import { createPriority } from './priority.ts'
import { createProtection } from './protection.ts'
import { createResourceQuota } from './resource-quota.ts'
import { createRuntimeClass } from './runtime-class.ts'
import { createServiceAccountAdmission } from './service-account.ts'
import { createStorageObjectInUseProtection } from './storage-protection.ts'
import { createTaintNodesByCondition } from './taint-nodes-by-condition.ts'
import type { AdmissionPlugin } from './types.ts'

/** All built-in plugins in the order in which they run, upstream's. */
const plugins: readonly { name: string; on: boolean; create: (context: AdmissionContext) => AdmissionPlugin }[] = [
  { name: 'NamespaceLifecycle', on: true, create: createNamespaceLifecycle },
  { name: 'Protection', on: true, create: createProtection },
  { name: 'DependsOn', on: true, create: createDependsOn },
  { name: 'LimitRanger', on: true, create: createLimitRanger },
  { name: 'ServiceAccount', on: true, create: createServiceAccountAdmission },
  { name: 'NodeRestriction', on: true, create: createNodeRestriction },
  { name: 'TaintNodesByCondition', on: true, create: createTaintNodesByCondition },
  { name: 'PodSecurity', on: true, create: createPodSecurity },
  { name: 'Priority', on: true, create: createPriority },
  { name: 'DefaultTolerationSeconds', on: true, create: createDefaultTolerationSeconds },
  { name: 'ExtendedResourceToleration', on: false, create: createExtendedResourceToleration },
  { name: 'DefaultStorageClass', on: true, create: createDefaultStorageClass },
  { name: 'StorageObjectInUseProtection', on: true, create: createStorageObjectInUseProtection },
  { name: 'OwnerReferencesPermissionEnforcement', on: false, create: createOwnerReferencesPermissionEnforcement },
  { name: 'PersistentVolumeClaimResize', on: true, create: createPersistentVolumeClaimResize },
  { name: 'RuntimeClass', on: true, create: createRuntimeClass },
  { name: 'CertificateApproval', on: true, create: createCertificateApproval },
  { name: 'CertificateSigning', on: true, create: createCertificateSigning },
  { name: 'CertificateSubjectRestriction', on: true, create: createCertificateSubjectRestriction },
  { name: 'DefaultIngressClass', on: true, create: createDefaultIngressClass },
  { name: 'PodTopologyLabels', on: true, create: createPodTopologyLabels },
  { name: 'PodResizeValidator', on: true, create: createPodResizeValidator },
  { name: 'MutatingAdmissionPolicy', on: true, create: createMutatingPolicies },
  { name: 'MutatingAdmissionWebhook', on: true, create: createMutatingWebhooks },
  { name: 'ValidatingAdmissionPolicy', on: true, create: createValidatingPolicies },
  { name: 'ValidatingAdmissionWebhook', on: true, create: createValidatingWebhooks },
  // Last: what another plugin still refuses must not be counted.
  { name: 'ResourceQuota', on: true, create: createResourceQuota },
]

/**
 * The plugins that `--enable-admission-plugins` and `--disable-admission-plugins` leave. Throws an Error for a name
 * there is no plugin of.
 */
export function createAdmissionPlugins(
  context: AdmissionContext,
  { enable = [], disable = [] }: { enable?: readonly string[]; disable?: readonly string[] } = {},
): AdmissionPlugin[] {
  for (const name of [...enable, ...disable]) {
    if (!plugins.some((plugin) => plugin.name === name))
      throw new Error(`there is no admission plugin ${JSON.stringify(name)}`)
  }
  return plugins
    .filter(({ name, on }) => !disable.includes(name) && (on || enable.includes(name)))
    .map(({ create }) => create(context))
}
