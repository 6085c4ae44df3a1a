import type { FieldSpec } from './fields.ts'

/** What kustomize knows of built-in kinds: where they have labels, annotations, selectors, replicas and names of others. */

/** Kinds that have a pod template, and where its pod begins. */
const podsIn: readonly Pick<FieldSpec, 'path' | 'kind' | 'group' | 'version'>[] = [
  { kind: 'ReplicationController', version: 'v1', path: 'spec/template' },
  { kind: 'Deployment', path: 'spec/template' },
  { kind: 'ReplicaSet', path: 'spec/template' },
  { kind: 'DaemonSet', path: 'spec/template' },
  { kind: 'StatefulSet', path: 'spec/template' },
  { kind: 'Job', group: 'batch', path: 'spec/template' },
  { kind: 'CronJob', group: 'batch', path: 'spec/jobTemplate' },
  { kind: 'CronJob', group: 'batch', path: 'spec/jobTemplate/spec/template' },
]

export const ownLabels: readonly FieldSpec[] = [{ path: 'metadata/labels', create: true }]

export const templateLabels: readonly FieldSpec[] = [
  ...ownLabels,
  ...podsIn.map((spec) => ({ ...spec, path: `${spec.path}/metadata/labels`, create: true })),
  { path: 'spec/volumeClaimTemplates[]/metadata/labels', create: true, group: 'apps', kind: 'StatefulSet' },
]

const affinity = ['podAffinity', 'podAntiAffinity'].flatMap((name) => [
  `affinity/${name}/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm`,
  `affinity/${name}/requiredDuringSchedulingIgnoredDuringExecution`,
])

/** Labels, and whatever selects by them. */
export const selectingLabels: readonly FieldSpec[] = [
  ...templateLabels,
  { path: 'spec/selector', create: true, version: 'v1', kind: 'Service' },
  { path: 'spec/selector', create: true, version: 'v1', kind: 'ReplicationController' },
  { path: 'spec/selector/matchLabels', create: true, kind: 'Deployment' },
  { path: 'spec/selector/matchLabels', create: true, kind: 'ReplicaSet' },
  { path: 'spec/selector/matchLabels', create: true, kind: 'DaemonSet' },
  { path: 'spec/selector/matchLabels', create: true, group: 'apps', kind: 'StatefulSet' },
  ...['Deployment', 'StatefulSet'].flatMap((kind) =>
    [...affinity, 'topologySpreadConstraints'].map((path) => ({
      path: `spec/template/spec/${path}/labelSelector/matchLabels`,
      group: 'apps',
      kind,
    })),
  ),
  { path: 'spec/selector/matchLabels', group: 'batch', kind: 'Job' },
  { path: 'spec/jobTemplate/spec/selector/matchLabels', group: 'batch', kind: 'CronJob' },
  { path: 'spec/selector/matchLabels', group: 'policy', kind: 'PodDisruptionBudget' },
  ...['podSelector', 'ingress/from/podSelector', 'egress/to/podSelector'].map((path) => ({
    path: `spec/${path}/matchLabels`,
    group: 'networking.k8s.io',
    kind: 'NetworkPolicy',
  })),
]

export const annotations: readonly FieldSpec[] = [
  { path: 'metadata/annotations', create: true },
  ...podsIn.map((spec) => ({ ...spec, path: `${spec.path}/metadata/annotations`, create: true })),
]

export const replicaCounts: readonly FieldSpec[] = [
  'Deployment',
  'ReplicationController',
  'ReplicaSet',
  'StatefulSet',
].map((kind) => ({ path: 'spec/replicas', create: true, kind }))

export const namespaces: readonly FieldSpec[] = [
  { path: 'metadata/name', version: 'v1', kind: 'Namespace', create: true },
  { path: 'spec/service/namespace', group: 'apiregistration.k8s.io', kind: 'APIService', create: true },
  {
    path: 'spec/conversion/webhook/clientConfig/service/namespace',
    group: 'apiextensions.k8s.io',
    kind: 'CustomResourceDefinition',
  },
]

export const volumeImages: readonly FieldSpec[] = ['spec', 'spec/template/spec'].map((path) => ({
  path: `${path}/volumes[]/image/reference`,
}))

/** Kinds with a pod, and where its spec is. */
const podSpecs: readonly (readonly [kind: string, path: string])[] = [
  ['Pod', 'spec'],
  ['PodTemplate', 'template/spec'],
  ...['Deployment', 'ReplicaSet', 'DaemonSet', 'StatefulSet', 'Job'].map(
    (kind) => [kind, 'spec/template/spec'] as const,
  ),
  ['CronJob', 'spec/jobTemplate/spec/template/spec'],
]

const inPods = (...paths: string[]): FieldSpec[] =>
  podSpecs.flatMap(([kind, spec]) => paths.map((path) => ({ kind, path: `${spec}/${path}` })))

const inContainers = (...paths: string[]): string[] =>
  ['containers', 'initContainers'].flatMap((list) => paths.map((path) => `${list}/${path}`))

const of = (kind: string, ...paths: string[]): FieldSpec[] => paths.map((path) => ({ kind, path }))

const serving = [
  ...['StatefulSet', 'Deployment', 'ReplicationController', 'Job', 'DaemonSet'].map(
    (kind) => [kind, 'spec/template/spec'] as const,
  ),
  ['Pod', 'spec'] as const,
  ['CronJob', 'spec/jobTemplate/spec/template/spec'] as const,
]
const servedBy = (path: string): FieldSpec[] => serving.map(([kind, spec]) => ({ kind, path: `${spec}/${path}` }))

/** Where the names of objects of a kind stand in others. */
export interface NameReference {
  kind: string
  group?: string
  version?: string
  fields: readonly FieldSpec[]
}

export const nameReferences: readonly NameReference[] = [
  ...['Deployment', 'ReplicationController', 'ReplicaSet', 'StatefulSet'].map((kind) => ({
    kind,
    fields: of('HorizontalPodAutoscaler', 'spec/scaleTargetRef/name'),
  })),
  {
    kind: 'ConfigMap',
    version: 'v1',
    fields: [
      ...inPods(
        'volumes/configMap/name',
        'volumes/projected/sources/configMap/name',
        ...inContainers('env/valueFrom/configMapKeyRef/name', 'envFrom/configMapRef/name'),
      ),
      ...of('Role', 'rules/resourceNames'),
      ...of('ClusterRole', 'rules/resourceNames'),
      ...of('Ingress', 'metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap'),
    ],
  },
  {
    kind: 'Secret',
    version: 'v1',
    fields: [
      ...inPods(
        'volumes/secret/secretName',
        'volumes/projected/sources/secret/name',
        'imagePullSecrets/name',
        ...inContainers('env/valueFrom/secretKeyRef/name', 'envFrom/secretRef/name'),
      ),
      ...of(
        'Ingress',
        'spec/tls/secretName',
        'metadata/annotations/ingress.kubernetes.io\\/auth-secret',
        'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret',
        'metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret',
      ),
      ...of('ServiceAccount', 'imagePullSecrets/name'),
      ...of(
        'StorageClass',
        'parameters/secretName',
        'parameters/adminSecretName',
        'parameters/userSecretName',
        'parameters/secretRef',
      ),
      ...of('Role', 'rules/resourceNames'),
      ...of('ClusterRole', 'rules/resourceNames'),
      ...of('PersistentVolume', 'spec/azureFile/secretName'),
    ],
  },
  {
    kind: 'Service',
    version: 'v1',
    fields: [
      { kind: 'StatefulSet', group: 'apps', path: 'spec/serviceName' },
      ...of(
        'Ingress',
        'spec/rules/http/paths/backend/serviceName',
        'spec/backend/serviceName',
        'spec/rules/http/paths/backend/service/name',
        'spec/defaultBackend/service/name',
      ),
      ...of('APIService', 'spec/service/name'),
      ...of('ValidatingWebhookConfiguration', 'webhooks/clientConfig/service'),
      ...of('MutatingWebhookConfiguration', 'webhooks/clientConfig/service'),
    ],
  },
  { kind: 'Role', group: 'rbac.authorization.k8s.io', fields: of('RoleBinding', 'roleRef/name') },
  {
    kind: 'ClusterRole',
    group: 'rbac.authorization.k8s.io',
    fields: [...of('RoleBinding', 'roleRef/name'), ...of('ClusterRoleBinding', 'roleRef/name')],
  },
  {
    kind: 'ServiceAccount',
    version: 'v1',
    fields: [
      ...of('RoleBinding', 'subjects'),
      ...of('ClusterRoleBinding', 'subjects'),
      ...servedBy('serviceAccountName'),
    ],
  },
  { kind: 'PersistentVolumeClaim', version: 'v1', fields: servedBy('volumes/persistentVolumeClaim/claimName') },
  {
    kind: 'PersistentVolume',
    version: 'v1',
    fields: [...of('PersistentVolumeClaim', 'spec/volumeName'), ...of('ClusterRole', 'rules/resourceNames')],
  },
  {
    kind: 'StorageClass',
    version: 'v1',
    group: 'storage.k8s.io',
    fields: [
      ...of('PersistentVolume', 'spec/storageClassName'),
      ...of('PersistentVolumeClaim', 'spec/storageClassName'),
      ...of('StatefulSet', 'spec/volumeClaimTemplates/spec/storageClassName'),
    ],
  },
  { kind: 'PriorityClass', version: 'v1', group: 'scheduling.k8s.io', fields: servedBy('priorityClassName') },
  { kind: 'IngressClass', version: 'v1', group: 'networking.k8s.io', fields: of('Ingress', 'spec/ingressClassName') },
  {
    kind: 'ValidatingAdmissionPolicy',
    group: 'admissionregistration.k8s.io',
    fields: of('ValidatingAdmissionPolicyBinding', 'spec/policyName'),
  },
]
