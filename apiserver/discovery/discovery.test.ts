import { expect, it } from 'vitest'
import { builtinKinds } from '../../api/registry.ts'
import { createDiscovery } from './discovery.ts'

/** What upstream's v1.36 serves of its stable versions, in its order. */
const upstream = `
v1
  bindings: Binding, namespaced, create
  componentstatuses: ComponentStatus, cluster, get list, short cs
  configmaps: ConfigMap, namespaced, all verbs, short cm
  endpoints: Endpoints, namespaced, all verbs, short ep
  events: Event, namespaced, all verbs, short ev
  limitranges: LimitRange, namespaced, all verbs, short limits
  namespaces: Namespace, cluster, create delete get list patch update watch, short ns
  namespaces/finalize: Namespace, update
  namespaces/status: Namespace, get patch update
  nodes: Node, cluster, all verbs, short no
  nodes/proxy: NodeProxyOptions, create delete get patch update
  nodes/status: Node, get patch update
  persistentvolumeclaims: PersistentVolumeClaim, namespaced, all verbs, short pvc
  persistentvolumeclaims/status: PersistentVolumeClaim, get patch update
  persistentvolumes: PersistentVolume, cluster, all verbs, short pv
  persistentvolumes/status: PersistentVolume, get patch update
  pods: Pod, namespaced, all verbs, short po in all
  pods/attach: PodAttachOptions, create get
  pods/binding: Binding, create
  pods/ephemeralcontainers: Pod, get patch update
  pods/eviction: policy/v1/Eviction, create
  pods/exec: PodExecOptions, create get
  pods/log: Pod, get
  pods/portforward: PodPortForwardOptions, create get
  pods/proxy: PodProxyOptions, create delete get patch update
  pods/resize: Pod, get patch update
  pods/status: Pod, get patch update
  podtemplates: PodTemplate, namespaced, all verbs
  replicationcontrollers: ReplicationController, namespaced, all verbs, short rc in all
  replicationcontrollers/scale: autoscaling/v1/Scale, get patch update
  replicationcontrollers/status: ReplicationController, get patch update
  resourcequotas: ResourceQuota, namespaced, all verbs, short quota
  resourcequotas/status: ResourceQuota, get patch update
  secrets: Secret, namespaced, all verbs
  serviceaccounts: ServiceAccount, namespaced, all verbs, short sa
  serviceaccounts/token: authentication.k8s.io/v1/TokenRequest, create
  services: Service, namespaced, all verbs, short svc in all
  services/proxy: ServiceProxyOptions, create delete get patch update
  services/status: Service, get patch update
apiregistration.k8s.io/v1
  apiservices: APIService, cluster, all verbs, in api-extensions
  apiservices/status: APIService, get patch update
apps/v1
  controllerrevisions: ControllerRevision, namespaced, all verbs
  daemonsets: DaemonSet, namespaced, all verbs, short ds in all
  daemonsets/status: DaemonSet, get patch update
  deployments: Deployment, namespaced, all verbs, short deploy in all
  deployments/scale: autoscaling/v1/Scale, get patch update
  deployments/status: Deployment, get patch update
  replicasets: ReplicaSet, namespaced, all verbs, short rs in all
  replicasets/scale: autoscaling/v1/Scale, get patch update
  replicasets/status: ReplicaSet, get patch update
  statefulsets: StatefulSet, namespaced, all verbs, short sts in all
  statefulsets/scale: autoscaling/v1/Scale, get patch update
  statefulsets/status: StatefulSet, get patch update
events.k8s.io/v1
  events: Event, namespaced, all verbs, short ev
authentication.k8s.io/v1
  selfsubjectreviews: SelfSubjectReview, cluster, create
  tokenreviews: TokenReview, cluster, create
authorization.k8s.io/v1
  localsubjectaccessreviews: LocalSubjectAccessReview, namespaced, create
  selfsubjectaccessreviews: SelfSubjectAccessReview, cluster, create
  selfsubjectrulesreviews: SelfSubjectRulesReview, cluster, create
  subjectaccessreviews: SubjectAccessReview, cluster, create
autoscaling/v2
  horizontalpodautoscalers: HorizontalPodAutoscaler, namespaced, all verbs, short hpa in all
  horizontalpodautoscalers/status: HorizontalPodAutoscaler, get patch update
autoscaling/v1
  horizontalpodautoscalers: HorizontalPodAutoscaler, namespaced, all verbs, short hpa in all
  horizontalpodautoscalers/status: HorizontalPodAutoscaler, get patch update
batch/v1
  cronjobs: CronJob, namespaced, all verbs, short cj in all
  cronjobs/status: CronJob, get patch update
  jobs: Job, namespaced, all verbs, in all
  jobs/status: Job, get patch update
certificates.k8s.io/v1
  certificatesigningrequests: CertificateSigningRequest, cluster, all verbs, short csr
  certificatesigningrequests/approval: CertificateSigningRequest, get patch update
  certificatesigningrequests/status: CertificateSigningRequest, get patch update
networking.k8s.io/v1
  ingressclasses: IngressClass, cluster, all verbs
  ingresses: Ingress, namespaced, all verbs, short ing
  ingresses/status: Ingress, get patch update
  ipaddresses: IPAddress, cluster, all verbs, short ip
  networkpolicies: NetworkPolicy, namespaced, all verbs, short netpol
  servicecidrs: ServiceCIDR, cluster, all verbs
  servicecidrs/status: ServiceCIDR, get patch update
policy/v1
  poddisruptionbudgets: PodDisruptionBudget, namespaced, all verbs, short pdb
  poddisruptionbudgets/status: PodDisruptionBudget, get patch update
rbac.authorization.k8s.io/v1
  clusterrolebindings: ClusterRoleBinding, cluster, all verbs
  clusterroles: ClusterRole, cluster, all verbs
  rolebindings: RoleBinding, namespaced, all verbs
  roles: Role, namespaced, all verbs
storage.k8s.io/v1
  csidrivers: CSIDriver, cluster, all verbs
  csinodes: CSINode, cluster, all verbs
  csistoragecapacities: CSIStorageCapacity, namespaced, all verbs
  storageclasses: StorageClass, cluster, all verbs, short sc
  volumeattachments: VolumeAttachment, cluster, all verbs
  volumeattachments/status: VolumeAttachment, get patch update
  volumeattributesclasses: VolumeAttributesClass, cluster, all verbs, short vac
admissionregistration.k8s.io/v1
  mutatingadmissionpolicies: MutatingAdmissionPolicy, cluster, all verbs, in api-extensions
  mutatingadmissionpolicybindings: MutatingAdmissionPolicyBinding, cluster, all verbs, in api-extensions
  mutatingwebhookconfigurations: MutatingWebhookConfiguration, cluster, all verbs, in api-extensions
  validatingadmissionpolicies: ValidatingAdmissionPolicy, cluster, all verbs, in api-extensions
  validatingadmissionpolicies/status: ValidatingAdmissionPolicy, get patch update
  validatingadmissionpolicybindings: ValidatingAdmissionPolicyBinding, cluster, all verbs, in api-extensions
  validatingwebhookconfigurations: ValidatingWebhookConfiguration, cluster, all verbs, in api-extensions
apiextensions.k8s.io/v1
  customresourcedefinitions: CustomResourceDefinition, cluster, all verbs, short crd,crds in api-extensions
  customresourcedefinitions/status: CustomResourceDefinition, get patch update
scheduling.k8s.io/v1
  priorityclasses: PriorityClass, cluster, all verbs, short pc
coordination.k8s.io/v1
  leases: Lease, namespaced, all verbs
node.k8s.io/v1
  runtimeclasses: RuntimeClass, cluster, all verbs
discovery.k8s.io/v1
  endpointslices: EndpointSlice, namespaced, all verbs
resource.k8s.io/v1
  deviceclasses: DeviceClass, cluster, all verbs
  resourceclaims: ResourceClaim, namespaced, all verbs
  resourceclaims/status: ResourceClaim, get patch update
  resourceclaimtemplates: ResourceClaimTemplate, namespaced, all verbs
  resourceslices: ResourceSlice, cluster, all verbs
flowcontrol.apiserver.k8s.io/v1
  flowschemas: FlowSchema, cluster, all verbs
  flowschemas/status: FlowSchema, get patch update
  prioritylevelconfigurations: PriorityLevelConfiguration, cluster, all verbs
  prioritylevelconfigurations/status: PriorityLevelConfiguration, get patch update
`.trim()

interface Entry {
  name: string
  namespaced: boolean
  group?: string
  version?: string
  kind: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
}

/** Snapshots and metrics are add-ons' in upstream. */
const ours = `snapshot.storage.k8s.io/v1
  volumesnapshotclasses: VolumeSnapshotClass, cluster, all verbs, short vsclass,vsclasses
  volumesnapshotcontents: VolumeSnapshotContent, cluster, all verbs, short vsc,vscs
  volumesnapshotcontents/status: VolumeSnapshotContent, get patch update
  volumesnapshots: VolumeSnapshot, namespaced, all verbs, short vs
  volumesnapshots/status: VolumeSnapshot, get patch update
metrics.k8s.io/v1beta1
  nodes: NodeMetrics, cluster, get list
  pods: PodMetrics, namespaced, get list
gantry.dev/v1
  batches: Batch, cluster, create
  changes: Change, namespaced, list
  histories: History, namespaced, list
  keptlogs: KeptLog, namespaced, get list
  moments: Moment, cluster, list
  pastobjects: PastObject, namespaced, list
  transactions: Transaction, cluster, create`

const allVerbs = 'create delete deletecollection get list patch update watch'
const discovery = createDiscovery(() => builtinKinds)
const read = <T>(document: Buffer | undefined): T => JSON.parse(String(document)) as T

function line({ name, namespaced, group, version, kind, verbs, shortNames, categories }: Entry): string {
  const scope = name.includes('/') ? [] : [namespaced ? 'namespaced' : 'cluster']
  const known = [
    ...(shortNames ? [`short ${shortNames.join(',')}`] : []),
    ...(categories ? [`in ${categories.join(',')}`] : []),
  ].join(' ')
  const said = verbs.join(' ')
  const parts = [group ? `${group}/${version}/${kind}` : kind, ...scope, said === allVerbs ? 'all verbs' : said]
  return `  ${name}: ${[...parts, ...(known ? [known] : [])].join(', ')}`
}

it('shows every stable kind of upstream as upstream does, in its order, and ours after them', () => {
  const { groups } = read<{ groups: { name: string; versions: { version: string }[] }[] }>(discovery.apis())
  const shown = [{ name: '', versions: [{ version: 'v1' }] }, ...groups].flatMap(({ name, versions }) =>
    versions.flatMap(({ version }) => {
      const list = read<{ groupVersion: string; resources: Entry[] }>(discovery.resourceList(name, version))
      return [list.groupVersion, ...list.resources.map(line)]
    }),
  )
  expect(shown.join('\n')).toBe(`${upstream}\n${ours}`)
})

it('says in the aggregated form what it says group by group', () => {
  interface Part {
    subresource: string
    responseKind: { group: string; version: string; kind: string }
    verbs: string[]
  }
  interface Kind extends Omit<Part, 'subresource'> {
    resource: string
    scope: string
    subresources?: Part[]
  }
  type Groups = { items: { metadata: { name?: string }; versions: { version: string; resources: Kind[] }[] }[] }
  for (const root of ['api', 'apis'] as const) {
    for (const { metadata, versions } of read<Groups>(discovery.aggregated(root, 'v2')).items) {
      for (const { version, resources } of versions) {
        const list = read<{ resources: Entry[] }>(discovery.resourceList(metadata.name ?? '', version)).resources
        const parts = resources.flatMap(({ resource, verbs, responseKind, subresources = [] }) => [
          [resource, responseKind.kind, verbs],
          ...subresources.map((part) => [`${resource}/${part.subresource}`, part.responseKind.kind, part.verbs]),
        ])
        expect(parts).toEqual(list.map(({ name, kind, verbs }) => [name, kind, verbs]))
      }
    }
  }
})

it('says by which address the client has come', () => {
  expect(read(discovery.api('192.0.2.1:6443'))).toEqual({
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '192.0.2.1:6443' }],
  })
})
