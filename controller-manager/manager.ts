import { newAttachDetachController } from './attach-detach/controller.ts'
import { newTokenCleanerController } from './bootstrap-tokens/cleaner.ts'
import { newBootstrapSignerController } from './bootstrap-tokens/signer.ts'
import { newCsrApprovingController } from './certificates/approver.ts'
import { newCsrCleanerController } from './certificates/cleaner.ts'
import { newCsrSigningController } from './certificates/signer.ts'
import { newClusterRoleAggregationController } from './clusterrole-aggregation/controller.ts'
import { newCronJobController } from './cronjob/controller.ts'
import { newCsiAttacher } from './csi-attacher/controller.ts'
import { newCsiProvisioner } from './csi-provisioner/controller.ts'
import { newCsiResizer } from './csi-resizer/controller.ts'
import { newCsiSnapshotter } from './csi-snapshotter/controller.ts'
import { newDaemonSetController } from './daemonset/controller.ts'
import { newDependenciesController } from './dependencies/controller.ts'
import { newDeploymentController } from './deployment/controller.ts'
import { newDisruptionController } from './disruption/controller.ts'
import { newEndpointsController } from './endpoints/controller.ts'
import { newEndpointSliceController } from './endpointslice/controller.ts'
import { newEndpointSliceMirroringController } from './endpointslice-mirroring/controller.ts'
import { newEphemeralVolumeController } from './ephemeral-volume/controller.ts'
import { newExpandController } from './expand/controller.ts'
import { newGarbageCollector } from './garbage-collector/controller.ts'
import { newHpaController } from './hpa/controller.ts'
import { newJobController } from './job/controller.ts'
import { newLegacyTokenCleaner } from './legacy-token-cleaner/controller.ts'
import { newNamespaceController } from './namespace/controller.ts'
import { newNodeIpamController } from './node-ipam/controller.ts'
import { newNodeLifecycleController } from './node-lifecycle/controller.ts'
import { newTaintEvictionController } from './node-lifecycle/taint-eviction.ts'
import { newPersistentVolumeController } from './persistentvolume/controller.ts'
import { newPodGcController } from './pod-gc/controller.ts'
import { newPvProtectionController } from './pv-protection/controller.ts'
import { newPvcProtectionController } from './pvc-protection/controller.ts'
import { newReplicaSetController, newReplicationController } from './replicaset/controller.ts'
import { newResourceClaimController } from './resource-claim/controller.ts'
import { newResourceQuotaController } from './resourcequota/controller.ts'
import { newRestartOnChangeController } from './restart-on-change/controller.ts'
import { newRolloutController } from './rollout/controller.ts'
import { newRootCaController } from './root-ca/controller.ts'
import { newServiceAccountController } from './service-account/controller.ts'
import { newServiceCidrsController } from './service-cidrs/controller.ts'
import { newServiceAccountTokenController } from './serviceaccount-token/controller.ts'
import { newSnapshotController } from './snapshots/controller.ts'
import { newStatefulSetController } from './statefulset/controller.ts'
import { newTtlController } from './ttl/controller.ts'
import { newTtlAfterFinishedController } from './ttl-after-finished/controller.ts'
import type { ControllerEntry } from './types.ts'
import { newVacProtectionController } from './vac-protection/controller.ts'

/** Every controller, in upstream's names. The order is that of the start. */
export const controllers: readonly ControllerEntry[] = [
  {
    name: 'serviceaccount-token-controller',
    account: '',
    alias: 'serviceaccount-token',
    make: newServiceAccountTokenController,
  },
  {
    name: 'serviceaccount-controller',
    account: 'service-account-controller',
    alias: 'serviceaccount',
    make: newServiceAccountController,
  },
  {
    name: 'root-ca-certificate-publisher-controller',
    account: 'root-ca-cert-publisher',
    alias: 'root-ca-cert-publisher',
    make: newRootCaController,
  },
  {
    name: 'node-ipam-controller',
    account: 'node-controller',
    alias: 'nodeipam',
    component: 'cidrAllocator',
    make: newNodeIpamController,
  },
  {
    name: 'node-lifecycle-controller',
    account: 'node-controller',
    alias: 'nodelifecycle',
    component: 'node-controller',
    make: newNodeLifecycleController,
  },
  {
    name: 'taint-eviction-controller',
    account: 'node-controller',
    component: 'taint-eviction-controller',
    make: newTaintEvictionController,
  },
  {
    name: 'pod-garbage-collector-controller',
    account: 'pod-garbage-collector',
    alias: 'podgc',
    make: newPodGcController,
  },
  {
    name: 'endpoints-controller',
    account: 'endpoint-controller',
    alias: 'endpoint',
    component: 'endpoint-controller',
    make: newEndpointsController,
  },
  {
    name: 'endpointslice-controller',
    alias: 'endpointslice',
    component: 'endpoint-slice-controller',
    make: newEndpointSliceController,
  },
  {
    name: 'endpointslice-mirroring-controller',
    account: 'endpointslicemirroring-controller',
    alias: 'endpointslicemirroring',
    component: 'endpoint-slice-mirroring-controller',
    make: newEndpointSliceMirroringController,
  },
  { name: 'resourcequota-controller', alias: 'resourcequota', make: newResourceQuotaController },
  { name: 'namespace-controller', alias: 'namespace', make: newNamespaceController },
  { name: 'deployment-controller', alias: 'deployment', make: newDeploymentController },
  { name: 'replicaset-controller', alias: 'replicaset', make: newReplicaSetController },
  {
    name: 'replicationcontroller-controller',
    account: 'replication-controller',
    alias: 'replicationcontroller',
    component: 'replication-controller',
    make: newReplicationController,
  },
  // Last: it uses the caches of all others where there are any.
  {
    name: 'garbage-collector-controller',
    account: 'generic-garbage-collector',
    alias: 'garbagecollector',
    make: newGarbageCollector,
  },
  { name: 'statefulset-controller', alias: 'statefulset', make: newStatefulSetController },
  { name: 'daemonset-controller', account: 'daemon-set-controller', alias: 'daemonset', make: newDaemonSetController },
  { name: 'job-controller', alias: 'job', make: newJobController },
  { name: 'cronjob-controller', alias: 'cronjob', make: newCronJobController },
  { name: 'disruption-controller', alias: 'disruption', component: 'controllermanager', make: newDisruptionController },
  {
    name: 'horizontal-pod-autoscaler-controller',
    account: 'horizontal-pod-autoscaler',
    alias: 'horizontalpodautoscaling',
    component: 'horizontal-pod-autoscaler',
    make: newHpaController,
  },
  { name: 'dependencies-controller', account: '', make: newDependenciesController },
  { name: 'rollout-controller', account: '', make: newRolloutController },
  { name: 'restart-on-change-controller', account: '', make: newRestartOnChangeController },
  {
    name: 'certificatesigningrequest-signing-controller',
    account: 'certificate-controller',
    alias: 'csrsigning',
    make: newCsrSigningController,
  },
  {
    name: 'certificatesigningrequest-approving-controller',
    account: 'certificate-controller',
    alias: 'csrapproving',
    make: newCsrApprovingController,
  },
  {
    name: 'certificatesigningrequest-cleaner-controller',
    account: 'certificate-controller',
    alias: 'csrcleaner',
    make: newCsrCleanerController,
  },
  {
    name: 'legacy-serviceaccount-token-cleaner-controller',
    account: 'legacy-service-account-token-cleaner',
    alias: 'legacy-service-account-token-cleaner',
    make: newLegacyTokenCleaner,
  },
  {
    name: 'bootstrap-signer-controller',
    account: 'bootstrap-signer',
    alias: 'bootstrapsigner',
    offByDefault: true,
    make: newBootstrapSignerController,
  },
  {
    name: 'token-cleaner-controller',
    account: 'token-cleaner',
    alias: 'tokencleaner',
    offByDefault: true,
    make: newTokenCleanerController,
  },
  { name: 'ttl-controller', alias: 'ttl', make: newTtlController },
  { name: 'ttl-after-finished-controller', alias: 'ttl-after-finished', make: newTtlAfterFinishedController },
  {
    name: 'clusterrole-aggregation-controller',
    alias: 'clusterrole-aggregation',
    make: newClusterRoleAggregationController,
  },
  {
    name: 'persistentvolume-binder-controller',
    account: 'persistent-volume-binder',
    alias: 'persistentvolume-binder',
    component: 'persistentvolume-controller',
    make: newPersistentVolumeController,
  },
  {
    name: 'persistentvolumeclaim-protection-controller',
    account: 'pvc-protection-controller',
    alias: 'pvc-protection',
    make: newPvcProtectionController,
  },
  {
    name: 'persistentvolume-protection-controller',
    account: 'pv-protection-controller',
    alias: 'pv-protection',
    make: newPvProtectionController,
  },
  { name: 'volumeattributesclass-protection-controller', make: newVacProtectionController },
  {
    name: 'ephemeral-volume-controller',
    alias: 'ephemeral-volume',
    component: 'ephemeral_volume',
    make: newEphemeralVolumeController,
  },
  {
    name: 'resourceclaim-controller',
    account: 'resource-claim-controller',
    component: 'resource_claim',
    make: newResourceClaimController,
  },
  {
    name: 'persistentvolume-attach-detach-controller',
    account: 'attachdetach-controller',
    alias: 'attachdetach',
    component: 'attachdetach-controller',
    make: newAttachDetachController,
  },
  {
    name: 'persistentvolume-expander-controller',
    account: 'expand-controller',
    alias: 'persistentvolume-expander',
    component: 'volume_expand',
    make: newExpandController,
  },
  { name: 'csi-provisioner-controller', make: newCsiProvisioner },
  { name: 'csi-attacher-controller', make: newCsiAttacher },
  { name: 'csi-resizer-controller', make: newCsiResizer },
  { name: 'csi-snapshotter-controller', make: newCsiSnapshotter },
  { name: 'volumesnapshot-controller', make: newSnapshotController },
  { name: 'service-cidrs-controller', component: 'service-cidr-controller', make: newServiceCidrsController },
]
