import type {
  APIService,
  Binding,
  CertificateSigningRequest,
  ClusterRole,
  ClusterRoleBinding,
  ComponentStatus,
  ConfigMap,
  ControllerRevision,
  CoreV1Event,
  CronJob,
  CSIDriver,
  CSINode,
  CSIStorageCapacity,
  CustomResourceDefinition,
  DaemonSet,
  Deployment,
  DeviceClass,
  EndpointSlice,
  Endpoints,
  EventsV1Event,
  FlowSchema,
  Ingress,
  IngressClass,
  IPAddress,
  Job,
  Lease,
  LimitRange,
  LocalSubjectAccessReview,
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
  MutatingWebhookConfiguration,
  Namespace,
  NetworkPolicy,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  PodTemplate,
  PriorityClass,
  PriorityLevelConfiguration,
  ReplicaSet,
  ReplicationController,
  ResourceClaimTemplate,
  ResourceQuota,
  ResourceSlice,
  ResourceV1ResourceClaim,
  Role,
  RoleBinding,
  RuntimeClass,
  Secret,
  SelfSubjectAccessReview,
  SelfSubjectReview,
  SelfSubjectRulesReview,
  Service,
  ServiceAccount,
  ServiceCIDR,
  StatefulSet,
  StorageClass,
  SubjectAccessReview,
  TokenReview,
  V2HorizontalPodAutoscaler,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
  ValidatingWebhookConfiguration,
  VolumeAttachment,
  VolumeAttributesClass,
} from '../api/generated/types.ts'
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from '../api/snapshots/types.ts'
import type { ResourceRef } from './types.ts'

const known = new Map<string, ResourceRef>()

/** Upstream's servers have these as custom resources, once somebody has installed them. */
const optional = new Set(['snapshot.storage.k8s.io'])

function ref<T>(group: string, version: string, plural: string, kind: string, namespaced = true): ResourceRef<T> {
  const made = { group, version, plural, kind, namespaced, ...(optional.has(group) ? { optional: true } : {}) }
  known.set(`${group === '' ? '' : `${group}/`}${version} ${kind}`, made)
  return made
}

/** The built-in kind that objects with this apiVersion and kind are of. */
export const resourceFor = (apiVersion: string, kind: string): ResourceRef | undefined =>
  known.get(`${apiVersion} ${kind}`)

/** All built-in kinds. */
export const builtinRefs = (): ResourceRef[] => [...known.values()]

export const apiVersionOf = ({ group, version }: ResourceRef): string =>
  group === '' ? version : `${group}/${version}`

export const bindings = ref<Binding>('', 'v1', 'bindings', 'Binding')
export const componentStatuses = ref<ComponentStatus>('', 'v1', 'componentstatuses', 'ComponentStatus', false)
export const configMaps = ref<ConfigMap>('', 'v1', 'configmaps', 'ConfigMap')
export const endpoints = ref<Endpoints>('', 'v1', 'endpoints', 'Endpoints')
export const events = ref<CoreV1Event>('', 'v1', 'events', 'Event')
export const limitRanges = ref<LimitRange>('', 'v1', 'limitranges', 'LimitRange')
export const namespaces = ref<Namespace>('', 'v1', 'namespaces', 'Namespace', false)
export const nodes = ref<Node>('', 'v1', 'nodes', 'Node', false)
export const persistentVolumeClaims = ref<PersistentVolumeClaim>(
  '',
  'v1',
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
)
export const persistentVolumes = ref<PersistentVolume>('', 'v1', 'persistentvolumes', 'PersistentVolume', false)
export const pods = ref<Pod>('', 'v1', 'pods', 'Pod')
export const podTemplates = ref<PodTemplate>('', 'v1', 'podtemplates', 'PodTemplate')
export const replicationControllers = ref<ReplicationController>(
  '',
  'v1',
  'replicationcontrollers',
  'ReplicationController',
)
export const resourceQuotas = ref<ResourceQuota>('', 'v1', 'resourcequotas', 'ResourceQuota')
export const secrets = ref<Secret>('', 'v1', 'secrets', 'Secret')
export const serviceAccounts = ref<ServiceAccount>('', 'v1', 'serviceaccounts', 'ServiceAccount')
export const services = ref<Service>('', 'v1', 'services', 'Service')

export const apiServices = ref<APIService>('apiregistration.k8s.io', 'v1', 'apiservices', 'APIService', false)

export const controllerRevisions = ref<ControllerRevision>('apps', 'v1', 'controllerrevisions', 'ControllerRevision')
export const daemonSets = ref<DaemonSet>('apps', 'v1', 'daemonsets', 'DaemonSet')
export const deployments = ref<Deployment>('apps', 'v1', 'deployments', 'Deployment')
export const replicaSets = ref<ReplicaSet>('apps', 'v1', 'replicasets', 'ReplicaSet')
export const statefulSets = ref<StatefulSet>('apps', 'v1', 'statefulsets', 'StatefulSet')

export const selfSubjectReviews = ref<SelfSubjectReview>(
  'authentication.k8s.io',
  'v1',
  'selfsubjectreviews',
  'SelfSubjectReview',
  false,
)
export const tokenReviews = ref<TokenReview>('authentication.k8s.io', 'v1', 'tokenreviews', 'TokenReview', false)

export const localSubjectAccessReviews = ref<LocalSubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'localsubjectaccessreviews',
  'LocalSubjectAccessReview',
)
export const selfSubjectAccessReviews = ref<SelfSubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
  false,
)
export const selfSubjectRulesReviews = ref<SelfSubjectRulesReview>(
  'authorization.k8s.io',
  'v1',
  'selfsubjectrulesreviews',
  'SelfSubjectRulesReview',
  false,
)
export const subjectAccessReviews = ref<SubjectAccessReview>(
  'authorization.k8s.io',
  'v1',
  'subjectaccessreviews',
  'SubjectAccessReview',
  false,
)

export const horizontalPodAutoscalers = ref<V2HorizontalPodAutoscaler>(
  'autoscaling',
  'v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)

export const cronJobs = ref<CronJob>('batch', 'v1', 'cronjobs', 'CronJob')
export const jobs = ref<Job>('batch', 'v1', 'jobs', 'Job')

export const certificateSigningRequests = ref<CertificateSigningRequest>(
  'certificates.k8s.io',
  'v1',
  'certificatesigningrequests',
  'CertificateSigningRequest',
  false,
)

export const ingresses = ref<Ingress>('networking.k8s.io', 'v1', 'ingresses', 'Ingress')
export const ingressClasses = ref<IngressClass>('networking.k8s.io', 'v1', 'ingressclasses', 'IngressClass', false)
export const ipAddresses = ref<IPAddress>('networking.k8s.io', 'v1', 'ipaddresses', 'IPAddress', false)
export const networkPolicies = ref<NetworkPolicy>('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy')
export const serviceCIDRs = ref<ServiceCIDR>('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', false)

export const podDisruptionBudgets = ref<PodDisruptionBudget>(
  'policy',
  'v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
)

export const clusterRoles = ref<ClusterRole>('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false)
export const clusterRoleBindings = ref<ClusterRoleBinding>(
  'rbac.authorization.k8s.io',
  'v1',
  'clusterrolebindings',
  'ClusterRoleBinding',
  false,
)
export const roles = ref<Role>('rbac.authorization.k8s.io', 'v1', 'roles', 'Role')
export const roleBindings = ref<RoleBinding>('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding')

export const csiDrivers = ref<CSIDriver>('storage.k8s.io', 'v1', 'csidrivers', 'CSIDriver', false)
export const csiNodes = ref<CSINode>('storage.k8s.io', 'v1', 'csinodes', 'CSINode', false)
export const csiStorageCapacities = ref<CSIStorageCapacity>(
  'storage.k8s.io',
  'v1',
  'csistoragecapacities',
  'CSIStorageCapacity',
)
export const storageClasses = ref<StorageClass>('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', false)
export const volumeAttachments = ref<VolumeAttachment>(
  'storage.k8s.io',
  'v1',
  'volumeattachments',
  'VolumeAttachment',
  false,
)
export const volumeAttributesClasses = ref<VolumeAttributesClass>(
  'storage.k8s.io',
  'v1',
  'volumeattributesclasses',
  'VolumeAttributesClass',
  false,
)

export const volumeSnapshotClasses = ref<VolumeSnapshotClass>(
  'snapshot.storage.k8s.io',
  'v1',
  'volumesnapshotclasses',
  'VolumeSnapshotClass',
  false,
)
export const volumeSnapshotContents = ref<VolumeSnapshotContent>(
  'snapshot.storage.k8s.io',
  'v1',
  'volumesnapshotcontents',
  'VolumeSnapshotContent',
  false,
)
export const volumeSnapshots = ref<VolumeSnapshot>('snapshot.storage.k8s.io', 'v1', 'volumesnapshots', 'VolumeSnapshot')

export const mutatingAdmissionPolicies = ref<MutatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingadmissionpolicies',
  'MutatingAdmissionPolicy',
  false,
)
export const mutatingAdmissionPolicyBindings = ref<MutatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingadmissionpolicybindings',
  'MutatingAdmissionPolicyBinding',
  false,
)
export const mutatingWebhookConfigurations = ref<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io',
  'v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  false,
)
export const validatingAdmissionPolicies = ref<ValidatingAdmissionPolicy>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicies',
  'ValidatingAdmissionPolicy',
  false,
)
export const validatingAdmissionPolicyBindings = ref<ValidatingAdmissionPolicyBinding>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingadmissionpolicybindings',
  'ValidatingAdmissionPolicyBinding',
  false,
)
export const validatingWebhookConfigurations = ref<ValidatingWebhookConfiguration>(
  'admissionregistration.k8s.io',
  'v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  false,
)

export const customResourceDefinitions = ref<CustomResourceDefinition>(
  'apiextensions.k8s.io',
  'v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
)

export const priorityClasses = ref<PriorityClass>('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', false)

export const leases = ref<Lease>('coordination.k8s.io', 'v1', 'leases', 'Lease')

export const runtimeClasses = ref<RuntimeClass>('node.k8s.io', 'v1', 'runtimeclasses', 'RuntimeClass', false)

export const endpointSlices = ref<EndpointSlice>('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice')

export const eventsV1 = ref<EventsV1Event>('events.k8s.io', 'v1', 'events', 'Event')

export const flowSchemas = ref<FlowSchema>('flowcontrol.apiserver.k8s.io', 'v1', 'flowschemas', 'FlowSchema', false)
export const priorityLevelConfigurations = ref<PriorityLevelConfiguration>(
  'flowcontrol.apiserver.k8s.io',
  'v1',
  'prioritylevelconfigurations',
  'PriorityLevelConfiguration',
  false,
)

export const deviceClasses = ref<DeviceClass>('resource.k8s.io', 'v1', 'deviceclasses', 'DeviceClass', false)
export const resourceClaims = ref<ResourceV1ResourceClaim>('resource.k8s.io', 'v1', 'resourceclaims', 'ResourceClaim')
export const resourceClaimTemplates = ref<ResourceClaimTemplate>(
  'resource.k8s.io',
  'v1',
  'resourceclaimtemplates',
  'ResourceClaimTemplate',
)
export const resourceSlices = ref<ResourceSlice>('resource.k8s.io', 'v1', 'resourceslices', 'ResourceSlice', false)
