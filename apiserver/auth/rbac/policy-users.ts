/**
 * What upstream grants to users and components at the first start, one line a rule: groups, resources, [names], verbs;
 * or paths and verbs. READ is get, list and watch; WRITE is create, delete, deletecollection, patch and update.
 */
const recordEvents = 'core events.k8s.io: events: create patch update'

export const clusterRoles: Record<string, readonly string[]> = {
  'cluster-admin': ['*: *: *', '*: *'],
  'system:aggregate-to-admin': [
    'authorization.k8s.io: localsubjectaccessreviews: create',
    'rbac.authorization.k8s.io: rolebindings roles: READ WRITE',
  ],
  'system:aggregate-to-edit': [
    'core: pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy: READ',
    'core: serviceaccounts: impersonate',
    'core: pods pods/attach pods/exec pods/portforward pods/proxy: WRITE',
    'core: pods/eviction: create',
    'core: configmaps persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy: WRITE',
    'core: serviceaccounts/token: create',
    'core events.k8s.io: events: WRITE',
    'apps: daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale: WRITE',
    'autoscaling: horizontalpodautoscalers: WRITE',
    'batch: cronjobs jobs: WRITE',
    'extensions: daemonsets deployments deployments/rollback deployments/scale ingresses networkpolicies replicasets replicasets/scale replicationcontrollers/scale: WRITE',
    'policy: poddisruptionbudgets: WRITE',
    'networking.k8s.io: ingresses networkpolicies: WRITE',
    'coordination.k8s.io: leases: READ WRITE',
    'resource.k8s.io: resourceclaims resourceclaimtemplates: WRITE',
  ],
  'system:aggregate-to-view': [
    'core: configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status: READ',
    'core: bindings limitranges namespaces/status pods/log pods/status replicationcontrollers/status resourcequotas resourcequotas/status: READ',
    'core: namespaces: READ',
    'core events.k8s.io: events: READ',
    'discovery.k8s.io: endpointslices: READ',
    'apps: controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status: READ',
    'autoscaling: horizontalpodautoscalers horizontalpodautoscalers/status: READ',
    'batch: cronjobs cronjobs/status jobs jobs/status: READ',
    'extensions: daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses ingresses/status networkpolicies replicasets replicasets/scale replicasets/status replicationcontrollers/scale: READ',
    'policy: poddisruptionbudgets poddisruptionbudgets/status: READ',
    'networking.k8s.io: ingresses ingresses/status networkpolicies: READ',
    'resource.k8s.io: resourceclaims resourceclaims/status resourceclaimtemplates: READ',
  ],
  // Not of upstream's own: it comes with the server of these metrics, which here is this one.
  'system:aggregated-metrics-reader': ['metrics.k8s.io: nodes pods: READ'],
  // Elsewhere these come with the snapshotter, if somebody thinks of them: who may make claims may take snapshots of them.
  'system:aggregated-snapshot-editor': ['snapshot.storage.k8s.io: volumesnapshots: WRITE'],
  'system:aggregated-snapshot-reader': ['snapshot.storage.k8s.io: volumesnapshots volumesnapshots/status: READ'],
  // What was, of what one may read now: each answer asks for that right as well.
  'system:aggregated-history-reader': [
    'gantry.dev: changes histories moments pastobjects: list',
    'gantry.dev: keptlogs: get list',
  ],
  // Ours: the page, its links and sessions. What it shows, its user must have the right to see.
  'gantry:dashboard': ['/ui /ui/*: get head post'],
  'system:auth-delegator': [
    'authentication.k8s.io: tokenreviews: create',
    'authorization.k8s.io: subjectaccessreviews: create',
  ],
  // Each creation in a batch asks for its own right.
  'system:batch-user': ['gantry.dev: batches: create'],
  'system:basic-user': [
    'authorization.k8s.io: selfsubjectaccessreviews selfsubjectrulesreviews: create',
    'authentication.k8s.io: selfsubjectreviews: create',
  ],
  'system:certificates.k8s.io:certificatesigningrequests:nodeclient': [
    'certificates.k8s.io: certificatesigningrequests/nodeclient: create',
  ],
  'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient': [
    'certificates.k8s.io: certificatesigningrequests/selfnodeclient: create',
  ],
  'system:certificates.k8s.io:kube-apiserver-client-approver': [
    'certificates.k8s.io: signers [kubernetes.io/kube-apiserver-client]: approve',
  ],
  'system:certificates.k8s.io:kube-apiserver-client-kubelet-approver': [
    'certificates.k8s.io: signers [kubernetes.io/kube-apiserver-client-kubelet]: approve',
  ],
  'system:certificates.k8s.io:kubelet-serving-approver': [
    'certificates.k8s.io: signers [kubernetes.io/kubelet-serving]: approve',
  ],
  'system:certificates.k8s.io:legacy-unknown-approver': [
    'certificates.k8s.io: signers [kubernetes.io/legacy-unknown]: approve',
  ],
  'system:discovery': ['/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/: get'],
  'system:heapster': ['core: events namespaces nodes pods: READ', 'extensions: deployments: READ'],
  'system:kube-aggregator': ['core: endpoints services: READ'],
  'system:kube-controller-manager': [
    recordEvents,
    'coordination.k8s.io: leases: create',
    'coordination.k8s.io: leases [kube-controller-manager]: get update',
    'core: secrets serviceaccounts: create',
    'core: secrets: delete',
    'core: configmaps namespaces secrets serviceaccounts: get',
    'core: secrets serviceaccounts: update',
    'authentication.k8s.io: tokenreviews: create',
    'authorization.k8s.io: subjectaccessreviews: create',
    '*: *: list watch',
    'core: serviceaccounts/token: create',
  ],
  'system:kube-dns': ['core: endpoints services: list watch'],
  'system:kube-scheduler': [
    recordEvents,
    'coordination.k8s.io: leases: create',
    'coordination.k8s.io: leases [kube-scheduler]: READ update',
    'coordination.k8s.io: leasecandidates: READ WRITE',
    'core: nodes: READ',
    'core: pods: READ delete',
    'core: bindings pods/binding: create',
    'core: pods/status: patch update',
    'core: replicationcontrollers services: READ',
    'apps extensions: replicasets: READ',
    'apps: statefulsets: READ',
    'policy: poddisruptionbudgets: READ',
    'core: persistentvolumeclaims persistentvolumes: READ',
    'authentication.k8s.io: tokenreviews: create',
    'authorization.k8s.io: subjectaccessreviews: create',
    'storage.k8s.io: csinodes: READ',
    'storage.k8s.io: volumeattachments: READ',
    'core: namespaces: READ',
    'storage.k8s.io: csidrivers: READ',
    'storage.k8s.io: csistoragecapacities: READ',
    'resource.k8s.io: deviceclasses: READ',
    'resource.k8s.io: resourceclaims: READ patch update',
    'resource.k8s.io: resourceclaims/status: READ patch update',
    'core: pods/finalizers: update',
    'resource.k8s.io: resourceslices: READ',
    'resource.k8s.io: resourceclaims: create delete',
    'resource.k8s.io: resourceclaims/binding: patch update',
  ],
  'system:kubelet-api-admin': [
    'core: nodes: READ',
    'core: nodes: proxy',
    'core: nodes/log nodes/metrics nodes/proxy nodes/stats: *',
    'core: nodes/configz nodes/healthz nodes/pods: *',
  ],
  'system:monitoring': [
    '/flagz /healthz /healthz/* /livez /livez/* /metrics /metrics/slis /readyz /readyz/* /statusz: get',
    'core: nodes/metrics: get',
  ],
  'system:node': [
    'authentication.k8s.io: tokenreviews: create',
    'authorization.k8s.io: localsubjectaccessreviews subjectaccessreviews: create',
    'core: services: READ',
    'core: nodes: READ create',
    'core: nodes/status: patch update',
    'core: nodes: patch update',
    recordEvents,
    'core: pods: READ',
    'core: pods: create delete',
    'core: pods/status: patch update',
    'core: pods/eviction: create',
    'core: configmaps secrets: READ',
    'core: persistentvolumeclaims persistentvolumes: get',
    'core: endpoints: get',
    'certificates.k8s.io: certificatesigningrequests: READ create',
    'coordination.k8s.io: leases: create delete get patch update',
    'storage.k8s.io: volumeattachments: get',
    'core: serviceaccounts/token: create',
    'core: persistentvolumeclaims/status: get patch update',
    'storage.k8s.io: csidrivers: READ',
    'storage.k8s.io: csinodes: create delete get patch update',
    'node.k8s.io: runtimeclasses: READ',
    'resource.k8s.io: resourceclaims: get',
    'resource.k8s.io: resourceslices: deletecollection',
    'core: serviceaccounts: get',
  ],
  'system:node-bootstrapper': ['certificates.k8s.io: certificatesigningrequests: READ create'],
  'system:node-problem-detector': ['core: nodes: get', 'core: nodes/status: patch', recordEvents],
  'system:node-proxier': [
    'core: endpoints services: list watch',
    'core: nodes: READ',
    recordEvents,
    'networking.k8s.io: servicecidrs: list watch',
    'discovery.k8s.io: endpointslices: list watch',
  ],
  // Ours: agents route services, and keep network policies, which name pods and namespaces by their labels.
  'gantry:node-network': [
    'core: namespaces nodes pods services: list watch',
    'discovery.k8s.io: endpointslices: list watch',
    'networking.k8s.io: networkpolicies: list watch',
  ],
  'system:persistent-volume-provisioner': [
    'core: persistentvolumes: READ create delete',
    'core: persistentvolumeclaims: READ update',
    'storage.k8s.io: storageclasses: READ',
    'core: events: watch',
    recordEvents,
  ],
  'system:public-info-viewer': ['/healthz /livez /readyz /version /version/: get'],
  'system:service-account-issuer-discovery': [
    '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/: get',
  ],
  'system:volume-scheduler': [
    'core: persistentvolumes: READ patch update',
    'storage.k8s.io: storageclasses: READ',
    'core: persistentvolumeclaims: READ patch update',
  ],
}

/** Roles that gather the rules of others: the label `…/aggregate-to-NAME` says which. */
export const aggregatedRoles: readonly string[] = ['admin', 'edit', 'view']

/** Which role adds its rules to which. */
export const aggregateTo: Record<string, string> = {
  edit: 'admin',
  view: 'edit',
  'system:aggregate-to-admin': 'admin',
  'system:aggregate-to-edit': 'edit',
  'system:aggregate-to-view': 'view',
  'system:aggregated-metrics-reader': 'view',
  'system:aggregated-history-reader': 'view',
  'system:aggregated-snapshot-editor': 'edit',
  'system:aggregated-snapshot-reader': 'view',
}

/** Bindings of cluster roles to those who hold them, each of its role's name. */
export const clusterRoleBindings: Record<string, readonly string[]> = {
  'cluster-admin': ['Group system:masters'],
  'gantry:node-network': ['Group system:nodes'],
  'system:batch-user': ['Group system:authenticated'],
  'gantry:dashboard': ['Group system:authenticated', 'Group system:unauthenticated'],
  'system:basic-user': ['Group system:authenticated'],
  'system:discovery': ['Group system:authenticated'],
  'system:kube-controller-manager': ['User system:kube-controller-manager'],
  'system:kube-dns': ['ServiceAccount kube-system/kube-dns'],
  'system:kube-scheduler': ['User system:kube-scheduler'],
  'system:monitoring': ['Group system:monitoring'],
  'system:node': [],
  'system:node-proxier': ['User system:kube-proxy'],
  'system:public-info-viewer': ['Group system:authenticated', 'Group system:unauthenticated'],
  'system:service-account-issuer-discovery': ['Group system:serviceaccounts'],
  'system:volume-scheduler': ['User system:kube-scheduler'],
}

/** By namespace and name. */
export const namespaceRoles: Record<string, readonly string[]> = {
  'kube-public/system:controller:bootstrap-signer': [
    'core: configmaps: READ',
    'core: configmaps [cluster-info]: update',
    recordEvents,
  ],
  'kube-system/extension-apiserver-authentication-reader': [
    'core: configmaps [extension-apiserver-authentication]: READ',
  ],
  'kube-system/system::leader-locking-kube-controller-manager': [
    'coordination.k8s.io: leases: READ create update',
    'coordination.k8s.io: leasecandidates: READ create update',
  ],
  'kube-system/system::leader-locking-kube-scheduler': [
    'coordination.k8s.io: leases: READ create update',
    'coordination.k8s.io: leasecandidates: READ create update',
  ],
  'kube-system/system:controller:bootstrap-signer': ['core: secrets: READ'],
  'kube-system/system:controller:cloud-provider': ['core: configmaps: READ create'],
  'kube-system/system:controller:token-cleaner': ['core: secrets: READ delete', recordEvents],
}

export const namespaceRoleBindings: readonly {
  namespace: string
  name: string
  role: string
  subjects: readonly string[]
}[] = [
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    role: 'system:controller:bootstrap-signer',
    subjects: ['ServiceAccount kube-system/bootstrap-signer', 'User system:kube-controller-manager'],
  },
  {
    namespace: 'kube-system',
    name: 'system::extension-apiserver-authentication-reader',
    role: 'extension-apiserver-authentication-reader',
    subjects: ['User system:kube-controller-manager', 'User system:kube-scheduler'],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    role: 'system::leader-locking-kube-controller-manager',
    subjects: [
      'User system:kube-controller-manager',
      'ServiceAccount kube-system/kube-controller-manager',
      'ServiceAccount kube-system/leader-election-controller',
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    role: 'system::leader-locking-kube-scheduler',
    subjects: ['User system:kube-scheduler', 'ServiceAccount kube-system/kube-scheduler'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    role: 'system:controller:bootstrap-signer',
    subjects: ['ServiceAccount kube-system/bootstrap-signer', 'User system:kube-controller-manager'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    role: 'system:controller:cloud-provider',
    subjects: ['ServiceAccount kube-system/cloud-provider'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    role: 'system:controller:token-cleaner',
    subjects: ['ServiceAccount kube-system/token-cleaner', 'User system:kube-controller-manager'],
  },
]
