import type { ServedKind } from '../kinds.ts'
import { role, roleBinding, serviceAccount } from './access.ts'
import { horizontalPodAutoscaler } from './autoscaling.ts'
import { configMap, secret } from './config.ts'
import type { Describer } from './describer.ts'
import { generic } from './generic.ts'
import { ingress, ingressClass, ipAddress, serviceCIDR } from './ingress.ts'
import { cronJob, job } from './jobs.ts'
import { limitRange, namespace, resourceQuota } from './namespace.ts'
import { networkPolicy } from './network-policy.ts'
import { node } from './node.ts'
import { pod } from './pod.ts'
import { podDisruptionBudget, priorityClass } from './policy.ts'
import { endpointSlice, endpoints, service } from './services.ts'
import { csiNode, persistentVolume, persistentVolumeClaim, storageClass, volumeAttributesClass } from './storage.ts'
import { daemonSet, deployment, replicaSet, replicationController, statefulSet } from './workloads.ts'

/** Which kinds are described in a form of their own, by group and kind. */
const describers: Readonly<Record<string, Describer>> = {
  '/ConfigMap': configMap,
  '/Endpoints': endpoints,
  '/LimitRange': limitRange,
  '/Namespace': namespace,
  '/Node': node,
  '/PersistentVolume': persistentVolume,
  '/PersistentVolumeClaim': persistentVolumeClaim,
  '/Pod': pod,
  '/ReplicationController': replicationController,
  '/ResourceQuota': resourceQuota,
  '/Secret': secret,
  '/Service': service,
  '/ServiceAccount': serviceAccount,
  'apps/DaemonSet': daemonSet,
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'apps/StatefulSet': statefulSet,
  'autoscaling/HorizontalPodAutoscaler': horizontalPodAutoscaler,
  'batch/CronJob': cronJob,
  'batch/Job': job,
  'discovery.k8s.io/EndpointSlice': endpointSlice,
  'networking.k8s.io/IPAddress': ipAddress,
  'networking.k8s.io/Ingress': ingress,
  'networking.k8s.io/IngressClass': ingressClass,
  'networking.k8s.io/NetworkPolicy': networkPolicy,
  'networking.k8s.io/ServiceCIDR': serviceCIDR,
  'policy/PodDisruptionBudget': podDisruptionBudget,
  'rbac.authorization.k8s.io/ClusterRole': role,
  'rbac.authorization.k8s.io/ClusterRoleBinding': roleBinding,
  'rbac.authorization.k8s.io/Role': role,
  'rbac.authorization.k8s.io/RoleBinding': roleBinding,
  'scheduling.k8s.io/PriorityClass': priorityClass,
  'storage.k8s.io/CSINode': csiNode,
  'storage.k8s.io/StorageClass': storageClass,
  'storage.k8s.io/VolumeAttributesClass': volumeAttributesClass,
}

/** How a kind is described; any other is by its fields. */
export const describerOf = ({ group, kind }: ServedKind): Describer => describers[`${group}/${kind}`] ?? generic
