/**
 * Which fields of built-in types upstream's server can never find absent, because its own form of the object always
 * has them: structs held by value (`spec: {}`), and a few scalars that are not required and yet always written. They
 * matter to ownership: a field that was there already, though empty, is not added by the write that fills it.
 * Only types reachable from a kind through such structs are listed; below a list item or pointer the question never
 * arises.
 */

const valueStructs = `
  admissionregistration.v1.MutatingAdmissionPolicy spec
  admissionregistration.v1.MutatingAdmissionPolicyBinding spec
  admissionregistration.v1.ValidatingAdmissionPolicy spec status
  admissionregistration.v1.ValidatingAdmissionPolicyBinding spec
  apps.v1.DaemonSet spec status
  apps.v1.DaemonSetSpec template updateStrategy
  apps.v1.Deployment spec status
  apps.v1.DeploymentSpec strategy template
  apps.v1.ReplicaSet spec status
  apps.v1.ReplicaSetSpec template
  apps.v1.StatefulSet spec status
  apps.v1.StatefulSetSpec template updateStrategy
  autoscaling.v1.HorizontalPodAutoscaler spec status
  autoscaling.v1.HorizontalPodAutoscalerSpec scaleTargetRef
  autoscaling.v1.Scale spec status
  autoscaling.v2.HorizontalPodAutoscaler spec status
  autoscaling.v2.HorizontalPodAutoscalerSpec scaleTargetRef
  batch.v1.CronJob spec status
  batch.v1.CronJobSpec jobTemplate
  batch.v1.Job spec status
  batch.v1.JobSpec template
  batch.v1.JobTemplateSpec metadata spec
  certificates.v1.CertificateSigningRequest spec status
  coordination.v1.Lease spec
  core.v1.Binding target
  core.v1.Event involvedObject source
  core.v1.LimitRange spec
  core.v1.Namespace spec status
  core.v1.Node spec status
  core.v1.NodeDaemonEndpoints kubeletEndpoint
  core.v1.NodeStatus daemonEndpoints nodeInfo
  core.v1.PersistentVolume spec status
  core.v1.PersistentVolumeClaim spec status
  core.v1.PersistentVolumeClaimSpec resources
  core.v1.Pod spec status
  core.v1.PodTemplate template
  core.v1.PodTemplateSpec metadata spec
  core.v1.ReplicationController spec status
  core.v1.ResourceQuota spec status
  core.v1.Service spec status
  core.v1.ServiceStatus loadBalancer
  events.v1.Event deprecatedSource regarding
  flowcontrol.v1.FlowSchema spec status
  flowcontrol.v1.FlowSchemaSpec priorityLevelConfiguration
  flowcontrol.v1.PriorityLevelConfiguration spec status
  networking.v1.IPAddress spec
  networking.v1.Ingress spec status
  networking.v1.IngressClass spec
  networking.v1.IngressStatus loadBalancer
  networking.v1.NetworkPolicy spec
  networking.v1.NetworkPolicySpec podSelector
  networking.v1.ServiceCIDR spec status
  policy.v1.PodDisruptionBudget spec status
  rbac.v1.ClusterRoleBinding roleRef
  rbac.v1.RoleBinding roleRef
  resource.v1.DeviceClass spec
  resource.v1.ResourceClaim spec status
  resource.v1.ResourceClaimSpec devices
  resource.v1.ResourceClaimTemplate spec
  resource.v1.ResourceClaimTemplateSpec metadata spec
  resource.v1.ResourceSlice spec
  resource.v1.ResourceSliceSpec pool
  storage.v1.CSIDriver spec
  storage.v1.CSINode spec
  storage.v1.VolumeAttachment spec status
  storage.v1.VolumeAttachmentSpec source
  apiextensions.v1.CustomResourceDefinition spec status
  apiextensions.v1.CustomResourceDefinitionSpec names
  apiextensions.v1.CustomResourceDefinitionStatus acceptedNames
  apiregistration.v1.APIService spec status
`

const zeroScalars = `
  apps.v1.StatefulSetSpec serviceName
  apps.v1.StatefulSetStatus availableReplicas
  core.v1.Event reportingComponent reportingInstance
  core.v1.LocalObjectReference name
  core.v1.ConfigMapEnvSource name
  core.v1.ConfigMapKeySelector name
  core.v1.ConfigMapProjection name
  core.v1.ConfigMapVolumeSource name
  core.v1.SecretEnvSource name
  core.v1.SecretKeySelector name
  core.v1.SecretProjection name
  flowcontrol.v1.FlowSchemaSpec matchingPrecedence
  policy.v1.PodDisruptionBudgetStatus currentHealthy desiredHealthy disruptionsAllowed expectedPods
  rbac.v1.RoleRef apiGroup
  scheduling.v1.PriorityClass value
`

const parse = (table: string): Map<string, readonly string[]> =>
  new Map(
    table
      .trim()
      .split('\n')
      .map((line) => line.trim().split(' '))
      .map(([type, ...fields]) => [type as string, fields]),
  )

const structs = parse(valueStructs)
const scalars = parse(zeroScalars)

/** The `package.version.Type` of a built-in definition; undefined for the type of a custom resource. */
export function builtinType(definition: string | undefined): string | undefined {
  if (!definition || !/^io\.k8s\.(api|apimachinery|apiextensions-apiserver|kube-aggregator)\./.test(definition))
    return undefined
  return definition.split('.').slice(-3).join('.')
}

/** Whether a field of a built-in type is a struct that is always there. */
export const isValueStruct = (type: string, field: string): boolean => structs.get(type)?.includes(field) ?? false

/** Whether an optional scalar of a built-in type is always there. */
export const isZeroScalar = (type: string, field: string): boolean => scalars.get(type)?.includes(field) ?? false

/** Every field listed here, for the check that it exists. */
export const listedFields = (): [type: string, field: string][] =>
  [structs, scalars].flatMap((table) =>
    [...table].flatMap(([type, fields]) => fields.map((field): [string, string] => [type, field])),
  )
