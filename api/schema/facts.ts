/**
 * Facts about the built-in types that their published models do not carry: the package each type belongs to, how lists
 * and maps merge (strategic merge patch and server-side apply), which strings are quantities, and declared defaults.
 * A type is written `package.version.Type`; a field, `package.version.Type.field`.
 */

/** Types by package; the key is the prefix of the OpenAPI definition name. */
export const packages: Record<string, string> = {
  'io.k8s.api.admissionregistration.v1': `
    ApplyConfiguration AuditAnnotation ExpressionWarning JSONPatch MatchCondition MatchResources
    MutatingAdmissionPolicy MutatingAdmissionPolicyBinding MutatingAdmissionPolicyBindingList
    MutatingAdmissionPolicyBindingSpec MutatingAdmissionPolicyList MutatingAdmissionPolicySpec MutatingWebhook
    MutatingWebhookConfiguration MutatingWebhookConfigurationList Mutation NamedRuleWithOperations ParamKind ParamRef
    RuleWithOperations ServiceReference TypeChecking ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
    ValidatingAdmissionPolicyBindingList ValidatingAdmissionPolicyBindingSpec ValidatingAdmissionPolicyList
    ValidatingAdmissionPolicySpec ValidatingAdmissionPolicyStatus ValidatingWebhook ValidatingWebhookConfiguration
    ValidatingWebhookConfigurationList Validation Variable WebhookClientConfig`,
  'io.k8s.api.apps.v1': `
    ControllerRevision ControllerRevisionList DaemonSet DaemonSetCondition DaemonSetList DaemonSetSpec DaemonSetStatus
    DaemonSetUpdateStrategy Deployment DeploymentCondition DeploymentList DeploymentSpec DeploymentStatus
    DeploymentStrategy ReplicaSet ReplicaSetCondition ReplicaSetList ReplicaSetSpec ReplicaSetStatus
    RollingUpdateDaemonSet RollingUpdateDeployment RollingUpdateStatefulSetStrategy StatefulSet StatefulSetCondition
    StatefulSetList StatefulSetOrdinals StatefulSetPersistentVolumeClaimRetentionPolicy StatefulSetSpec
    StatefulSetStatus StatefulSetUpdateStrategy`,
  'io.k8s.api.authentication.v1': `
    BoundObjectReference SelfSubjectReview SelfSubjectReviewStatus TokenRequest TokenRequestSpec TokenRequestStatus
    TokenReview TokenReviewSpec TokenReviewStatus UserInfo`,
  'io.k8s.api.authorization.v1': `
    FieldSelectorAttributes LabelSelectorAttributes LocalSubjectAccessReview NonResourceAttributes NonResourceRule
    ResourceAttributes ResourceRule SelfSubjectAccessReview SelfSubjectAccessReviewSpec SelfSubjectRulesReview
    SelfSubjectRulesReviewSpec SubjectAccessReview SubjectAccessReviewSpec SubjectAccessReviewStatus
    SubjectRulesReviewStatus`,
  'io.k8s.api.autoscaling.v1': `
    CrossVersionObjectReference HorizontalPodAutoscaler HorizontalPodAutoscalerList HorizontalPodAutoscalerSpec
    HorizontalPodAutoscalerStatus Scale ScaleSpec ScaleStatus`,
  'io.k8s.api.autoscaling.v2': `
    ContainerResourceMetricSource ContainerResourceMetricStatus CrossVersionObjectReference ExternalMetricSource
    ExternalMetricStatus HPAScalingPolicy HPAScalingRules HorizontalPodAutoscaler HorizontalPodAutoscalerBehavior
    HorizontalPodAutoscalerCondition HorizontalPodAutoscalerList HorizontalPodAutoscalerSpec
    HorizontalPodAutoscalerStatus MetricIdentifier MetricSpec MetricStatus MetricTarget MetricValueStatus
    ObjectMetricSource ObjectMetricStatus PodsMetricSource PodsMetricStatus ResourceMetricSource ResourceMetricStatus`,
  'io.k8s.api.batch.v1': `
    CronJob CronJobList CronJobSpec CronJobStatus Job JobCondition JobList JobSpec JobStatus JobTemplateSpec
    PodFailurePolicy PodFailurePolicyOnExitCodesRequirement PodFailurePolicyOnPodConditionsPattern
    PodFailurePolicyRule SuccessPolicy SuccessPolicyRule UncountedTerminatedPods`,
  'io.k8s.api.certificates.v1': `
    CertificateSigningRequest CertificateSigningRequestCondition CertificateSigningRequestList
    CertificateSigningRequestSpec CertificateSigningRequestStatus`,
  'io.k8s.api.coordination.v1': `
    Lease LeaseList LeaseSpec`,
  'io.k8s.api.core.v1': `
    AWSElasticBlockStoreVolumeSource Affinity AppArmorProfile AttachedVolume AzureDiskVolumeSource
    AzureFilePersistentVolumeSource AzureFileVolumeSource Binding CSIPersistentVolumeSource CSIVolumeSource
    Capabilities CephFSPersistentVolumeSource CephFSVolumeSource CinderPersistentVolumeSource CinderVolumeSource
    ClientIPConfig ClusterTrustBundleProjection ComponentCondition ComponentStatus ComponentStatusList ConfigMap
    ConfigMapEnvSource ConfigMapKeySelector ConfigMapList ConfigMapNodeConfigSource ConfigMapProjection
    ConfigMapVolumeSource Container ContainerExtendedResourceRequest ContainerImage ContainerPort
    ContainerResizePolicy ContainerRestartRule ContainerRestartRuleOnExitCodes ContainerState ContainerStateRunning
    ContainerStateTerminated ContainerStateWaiting ContainerStatus ContainerUser DaemonEndpoint DownwardAPIProjection
    DownwardAPIVolumeFile DownwardAPIVolumeSource EmptyDirVolumeSource EndpointAddress EndpointPort EndpointSubset
    Endpoints EndpointsList EnvFromSource EnvVar EnvVarSource EphemeralContainer EphemeralVolumeSource Event EventList
    EventSeries EventSource ExecAction FCVolumeSource FileKeySelector FlexPersistentVolumeSource FlexVolumeSource
    FlockerVolumeSource GCEPersistentDiskVolumeSource GRPCAction GitRepoVolumeSource GlusterfsPersistentVolumeSource
    GlusterfsVolumeSource HTTPGetAction HTTPHeader HostAlias HostIP HostPathVolumeSource ISCSIPersistentVolumeSource
    ISCSIVolumeSource ImageVolumeSource ImageVolumeStatus KeyToPath Lifecycle LifecycleHandler LimitRange
    LimitRangeItem LimitRangeList LimitRangeSpec LinuxContainerUser LoadBalancerIngress LoadBalancerStatus
    LocalObjectReference LocalVolumeSource ModifyVolumeStatus NFSVolumeSource Namespace NamespaceCondition
    NamespaceList NamespaceSpec NamespaceStatus Node NodeAddress NodeAffinity NodeAllocatableResourceClaimStatus
    NodeCondition NodeConfigSource NodeConfigStatus NodeDaemonEndpoints NodeFeatures NodeList NodeRuntimeHandler
    NodeRuntimeHandlerFeatures NodeSelector NodeSelectorRequirement NodeSelectorTerm NodeSpec NodeStatus
    NodeSwapStatus NodeSystemInfo ObjectFieldSelector ObjectReference PersistentVolume PersistentVolumeClaim
    PersistentVolumeClaimCondition PersistentVolumeClaimList PersistentVolumeClaimSpec PersistentVolumeClaimStatus
    PersistentVolumeClaimTemplate PersistentVolumeClaimVolumeSource PersistentVolumeList PersistentVolumeSpec
    PersistentVolumeStatus PhotonPersistentDiskVolumeSource Pod PodAffinity PodAffinityTerm PodAntiAffinity
    PodCertificateProjection PodCondition PodDNSConfig PodDNSConfigOption PodExtendedResourceClaimStatus PodIP PodList
    PodOS PodReadinessGate PodResourceClaim PodResourceClaimStatus PodSchedulingGate PodSchedulingGroup
    PodSecurityContext PodSpec PodStatus PodTemplate PodTemplateList PodTemplateSpec PortStatus PortworxVolumeSource
    PreferredSchedulingTerm Probe ProjectedVolumeSource QuobyteVolumeSource RBDPersistentVolumeSource RBDVolumeSource
    ReplicationController ReplicationControllerCondition ReplicationControllerList ReplicationControllerSpec
    ReplicationControllerStatus ResourceClaim ResourceFieldSelector ResourceHealth ResourceQuota ResourceQuotaList
    ResourceQuotaSpec ResourceQuotaStatus ResourceRequirements ResourceStatus SELinuxOptions
    ScaleIOPersistentVolumeSource ScaleIOVolumeSource ScopeSelector ScopedResourceSelectorRequirement SeccompProfile
    Secret SecretEnvSource SecretKeySelector SecretList SecretProjection SecretReference SecretVolumeSource
    SecurityContext Service ServiceAccount ServiceAccountList ServiceAccountTokenProjection ServiceList ServicePort
    ServiceSpec ServiceStatus SessionAffinityConfig SleepAction StorageOSPersistentVolumeSource StorageOSVolumeSource
    Sysctl TCPSocketAction Taint Toleration TopologySelectorLabelRequirement TopologySelectorTerm
    TopologySpreadConstraint TypedLocalObjectReference TypedObjectReference Volume VolumeDevice VolumeMount
    VolumeMountStatus VolumeNodeAffinity VolumeProjection VolumeResourceRequirements VolumeStatus
    VsphereVirtualDiskVolumeSource WeightedPodAffinityTerm WindowsSecurityContextOptions`,
  'io.k8s.api.discovery.v1': `
    Endpoint EndpointConditions EndpointHints EndpointPort EndpointSlice EndpointSliceList ForNode ForZone`,
  'io.k8s.api.events.v1': `
    Event EventList EventSeries`,
  'io.k8s.api.flowcontrol.v1': `
    ExemptPriorityLevelConfiguration FlowDistinguisherMethod FlowSchema FlowSchemaCondition FlowSchemaList
    FlowSchemaSpec FlowSchemaStatus GroupSubject LimitResponse LimitedPriorityLevelConfiguration NonResourcePolicyRule
    PolicyRulesWithSubjects PriorityLevelConfiguration PriorityLevelConfigurationCondition
    PriorityLevelConfigurationList PriorityLevelConfigurationReference PriorityLevelConfigurationSpec
    PriorityLevelConfigurationStatus QueuingConfiguration ResourcePolicyRule ServiceAccountSubject Subject UserSubject`,
  'io.k8s.api.networking.v1': `
    HTTPIngressPath HTTPIngressRuleValue IPAddress IPAddressList IPAddressSpec IPBlock Ingress IngressBackend
    IngressClass IngressClassList IngressClassParametersReference IngressClassSpec IngressList
    IngressLoadBalancerIngress IngressLoadBalancerStatus IngressPortStatus IngressRule IngressServiceBackend
    IngressSpec IngressStatus IngressTLS NetworkPolicy NetworkPolicyEgressRule NetworkPolicyIngressRule
    NetworkPolicyList NetworkPolicyPeer NetworkPolicyPort NetworkPolicySpec ParentReference ServiceBackendPort
    ServiceCIDR ServiceCIDRList ServiceCIDRSpec ServiceCIDRStatus`,
  'io.k8s.api.node.v1': `
    Overhead RuntimeClass RuntimeClassList Scheduling`,
  'io.k8s.api.policy.v1': `
    Eviction PodDisruptionBudget PodDisruptionBudgetList PodDisruptionBudgetSpec PodDisruptionBudgetStatus`,
  'io.k8s.api.rbac.v1': `
    AggregationRule ClusterRole ClusterRoleBinding ClusterRoleBindingList ClusterRoleList PolicyRule Role RoleBinding
    RoleBindingList RoleList RoleRef Subject`,
  'io.k8s.api.resource.v1': `
    AllocatedDeviceStatus AllocationResult CELDeviceSelector CapacityRequestPolicy CapacityRequestPolicyRange
    CapacityRequirements Counter CounterSet Device DeviceAllocationConfiguration DeviceAllocationResult
    DeviceAttribute DeviceCapacity DeviceClaim DeviceClaimConfiguration DeviceClass DeviceClassConfiguration
    DeviceClassList DeviceClassSpec DeviceConstraint DeviceCounterConsumption DeviceRequest
    DeviceRequestAllocationResult DeviceSelector DeviceSubRequest DeviceTaint DeviceToleration ExactDeviceRequest
    NetworkDeviceData NodeAllocatableResourceMapping OpaqueDeviceConfiguration ResourceClaim
    ResourceClaimConsumerReference ResourceClaimList ResourceClaimSpec ResourceClaimStatus ResourceClaimTemplate
    ResourceClaimTemplateList ResourceClaimTemplateSpec ResourcePool ResourceSlice ResourceSliceList ResourceSliceSpec`,
  'io.k8s.api.scheduling.v1': `
    PriorityClass PriorityClassList`,
  'io.k8s.api.storage.v1': `
    CSIDriver CSIDriverList CSIDriverSpec CSINode CSINodeDriver CSINodeList CSINodeSpec CSIStorageCapacity
    CSIStorageCapacityList StorageClass StorageClassList TokenRequest VolumeAttachment VolumeAttachmentList
    VolumeAttachmentSource VolumeAttachmentSpec VolumeAttachmentStatus VolumeAttributesClass VolumeAttributesClassList
    VolumeError VolumeNodeResources`,
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1': `
    CustomResourceColumnDefinition CustomResourceConversion CustomResourceDefinition CustomResourceDefinitionCondition
    CustomResourceDefinitionList CustomResourceDefinitionNames CustomResourceDefinitionSpec
    CustomResourceDefinitionStatus CustomResourceDefinitionVersion CustomResourceSubresourceScale
    CustomResourceSubresourceStatus CustomResourceSubresources CustomResourceValidation ExternalDocumentation JSON
    JSONSchemaProps JSONSchemaPropsOrArray JSONSchemaPropsOrBool JSONSchemaPropsOrStringArray SelectableField
    ServiceReference ValidationRule WebhookClientConfig WebhookConversion`,
  'io.k8s.apimachinery.pkg.apis.meta.v1': `
    APIGroup APIGroupList APIResource APIResourceList APIVersions Condition DeleteOptions FieldSelectorRequirement
    FieldsV1 GroupResource GroupVersionForDiscovery LabelSelector LabelSelectorRequirement ListMeta ManagedFieldsEntry
    MicroTime ObjectMeta OwnerReference Patch Preconditions ServerAddressByClientCIDR ShardInfo Status StatusCause
    StatusDetails Time WatchEvent`,
  'io.k8s.apimachinery.pkg.version': `
    Info`,
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1': `
    APIService APIServiceCondition APIServiceList APIServiceSpec APIServiceStatus ServiceReference`,
}

/**
 * Lists that merge. `listType` and `keys` rule server-side apply; `strategy` and `mergeKey`, strategic merge patch.
 * Columns: field, listType, keys, strategy, mergeKey; a dash where there is none.
 */
export const mergingLists = `
  admissionregistration.v1.MutatingAdmissionPolicySpec.matchConditions map name merge name
  admissionregistration.v1.MutatingWebhook.matchConditions map name merge name
  admissionregistration.v1.MutatingWebhookConfiguration.webhooks map name merge name
  admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.validationActions set - - -
  admissionregistration.v1.ValidatingAdmissionPolicySpec.matchConditions map name merge name
  admissionregistration.v1.ValidatingAdmissionPolicySpec.variables map name merge name
  admissionregistration.v1.ValidatingAdmissionPolicyStatus.conditions map type - -
  admissionregistration.v1.ValidatingWebhook.matchConditions map name merge name
  admissionregistration.v1.ValidatingWebhookConfiguration.webhooks map name merge name
  apiextensions.v1.CustomResourceDefinitionStatus.conditions map type - -
  apiextensions.v1.JSONSchemaProps.x-kubernetes-validations map rule merge rule
  apiregistration.v1.APIServiceStatus.conditions map type merge type
  apps.v1.DaemonSetStatus.conditions map type merge type
  apps.v1.DeploymentSpec.strategy - - retainKeys -
  apps.v1.DeploymentStatus.conditions map type merge type
  apps.v1.ReplicaSetStatus.conditions map type merge type
  apps.v1.StatefulSetStatus.conditions map type merge type
  autoscaling.v2.HorizontalPodAutoscalerStatus.conditions map type merge type
  batch.v1.JobStatus.conditions atomic - merge type
  batch.v1.PodFailurePolicyOnExitCodesRequirement.values set - - -
  batch.v1.UncountedTerminatedPods.failed set - - -
  batch.v1.UncountedTerminatedPods.succeeded set - - -
  certificates.v1.CertificateSigningRequestStatus.conditions map type - -
  core.v1.ComponentStatus.conditions map type merge type
  core.v1.Container.env map name merge name
  core.v1.Container.ports map containerPort,protocol merge containerPort
  core.v1.Container.volumeDevices map devicePath merge devicePath
  core.v1.Container.volumeMounts map mountPath merge mountPath
  core.v1.ContainerRestartRuleOnExitCodes.values set - - -
  core.v1.ContainerStatus.allocatedResourcesStatus map name merge name
  core.v1.ContainerStatus.volumeMounts map mountPath merge mountPath
  core.v1.EphemeralContainer.env map name merge name
  core.v1.EphemeralContainer.ports map containerPort,protocol merge containerPort
  core.v1.EphemeralContainer.volumeDevices map devicePath merge devicePath
  core.v1.EphemeralContainer.volumeMounts map mountPath merge mountPath
  core.v1.NamespaceStatus.conditions map type merge type
  core.v1.NodeAllocatableResourceClaimStatus.containers set - - -
  core.v1.NodeSpec.podCIDRs set - merge -
  core.v1.NodeStatus.addresses map type merge type
  core.v1.NodeStatus.conditions map type merge type
  core.v1.PersistentVolumeClaimStatus.conditions map type merge type
  core.v1.PodSpec.containers map name merge name
  core.v1.PodSpec.ephemeralContainers map name merge name
  core.v1.PodSpec.hostAliases map ip merge ip
  core.v1.PodSpec.imagePullSecrets map name merge name
  core.v1.PodSpec.initContainers map name merge name
  core.v1.PodSpec.resourceClaims map name merge,retainKeys name
  core.v1.PodSpec.schedulingGates map name merge name
  core.v1.PodSpec.topologySpreadConstraints map topologyKey,whenUnsatisfiable merge topologyKey
  core.v1.PodSpec.volumes map name merge,retainKeys name
  core.v1.PodStatus.conditions map type merge type
  core.v1.PodStatus.hostIPs atomic - merge ip
  core.v1.PodStatus.podIPs map ip merge ip
  core.v1.PodStatus.resourceClaimStatuses map name merge,retainKeys name
  core.v1.ReplicationControllerStatus.conditions map type merge type
  core.v1.ResourceRequirements.claims map name - -
  core.v1.ResourceStatus.resources map resourceID - -
  core.v1.ServiceAccount.secrets map name merge name
  core.v1.ServiceSpec.ports map port,protocol merge port
  core.v1.ServiceStatus.conditions map type merge type
  discovery.v1.Endpoint.addresses set - - -
  flowcontrol.v1.FlowSchemaStatus.conditions map type merge type
  flowcontrol.v1.NonResourcePolicyRule.nonResourceURLs set - - -
  flowcontrol.v1.NonResourcePolicyRule.verbs set - - -
  flowcontrol.v1.PriorityLevelConfigurationStatus.conditions map type merge type
  flowcontrol.v1.ResourcePolicyRule.apiGroups set - - -
  flowcontrol.v1.ResourcePolicyRule.namespaces set - - -
  flowcontrol.v1.ResourcePolicyRule.resources set - - -
  flowcontrol.v1.ResourcePolicyRule.verbs set - - -
  meta.v1.ObjectMeta.finalizers set - merge -
  meta.v1.ObjectMeta.ownerReferences map uid merge uid
  networking.v1.ServiceCIDRStatus.conditions map type merge type
  policy.v1.PodDisruptionBudgetSpec.selector - - replace -
  policy.v1.PodDisruptionBudgetStatus.conditions map type merge type
  resource.v1.AllocatedDeviceStatus.conditions map type - -
  resource.v1.ResourceClaimStatus.devices map driver,device,pool,shareID - -
  resource.v1.ResourceClaimStatus.reservedFor map uid merge uid
  storage.v1.CSIDriverSpec.volumeLifecycleModes set - - -
  storage.v1.CSINodeSpec.drivers map name merge name
`

/** Lists that server-side apply owns as a whole and patches replace. */
export const atomicLists = `
  admissionregistration.v1.MatchResources.excludeResourceRules admissionregistration.v1.MatchResources.resourceRules
  admissionregistration.v1.MutatingAdmissionPolicySpec.mutations
  admissionregistration.v1.MutatingAdmissionPolicySpec.variables
  admissionregistration.v1.MutatingWebhook.admissionReviewVersions admissionregistration.v1.MutatingWebhook.rules
  admissionregistration.v1.NamedRuleWithOperations.apiGroups
  admissionregistration.v1.NamedRuleWithOperations.apiVersions
  admissionregistration.v1.NamedRuleWithOperations.operations
  admissionregistration.v1.NamedRuleWithOperations.resourceNames
  admissionregistration.v1.NamedRuleWithOperations.resources admissionregistration.v1.RuleWithOperations.apiGroups
  admissionregistration.v1.RuleWithOperations.apiVersions admissionregistration.v1.RuleWithOperations.operations
  admissionregistration.v1.RuleWithOperations.resources admissionregistration.v1.TypeChecking.expressionWarnings
  admissionregistration.v1.ValidatingAdmissionPolicySpec.auditAnnotations
  admissionregistration.v1.ValidatingAdmissionPolicySpec.validations
  admissionregistration.v1.ValidatingWebhook.admissionReviewVersions admissionregistration.v1.ValidatingWebhook.rules
  apiextensions.v1.CustomResourceDefinitionNames.categories apiextensions.v1.CustomResourceDefinitionNames.shortNames
  apiextensions.v1.CustomResourceDefinitionSpec.versions
  apiextensions.v1.CustomResourceDefinitionStatus.storedVersions
  apiextensions.v1.CustomResourceDefinitionVersion.additionalPrinterColumns
  apiextensions.v1.CustomResourceDefinitionVersion.selectableFields apiextensions.v1.JSONSchemaProps.allOf
  apiextensions.v1.JSONSchemaProps.anyOf apiextensions.v1.JSONSchemaProps.enum apiextensions.v1.JSONSchemaProps.oneOf
  apiextensions.v1.JSONSchemaProps.required apiextensions.v1.JSONSchemaProps.x-kubernetes-list-map-keys
  apiextensions.v1.WebhookConversion.conversionReviewVersions apps.v1.StatefulSetSpec.volumeClaimTemplates
  authentication.v1.TokenRequestSpec.audiences authentication.v1.TokenReviewSpec.audiences
  authentication.v1.TokenReviewStatus.audiences authentication.v1.UserInfo.groups
  authorization.v1.FieldSelectorAttributes.requirements authorization.v1.LabelSelectorAttributes.requirements
  authorization.v1.NonResourceRule.nonResourceURLs authorization.v1.NonResourceRule.verbs
  authorization.v1.ResourceRule.apiGroups authorization.v1.ResourceRule.resourceNames
  authorization.v1.ResourceRule.resources authorization.v1.ResourceRule.verbs
  authorization.v1.SubjectAccessReviewSpec.groups authorization.v1.SubjectRulesReviewStatus.nonResourceRules
  authorization.v1.SubjectRulesReviewStatus.resourceRules autoscaling.v2.HPAScalingRules.policies
  autoscaling.v2.HorizontalPodAutoscalerSpec.metrics autoscaling.v2.HorizontalPodAutoscalerStatus.currentMetrics
  batch.v1.CronJobStatus.active batch.v1.PodFailurePolicy.rules batch.v1.PodFailurePolicyRule.onPodConditions
  batch.v1.SuccessPolicy.rules certificates.v1.CertificateSigningRequestSpec.groups
  certificates.v1.CertificateSigningRequestSpec.usages core.v1.Capabilities.add core.v1.Capabilities.drop
  core.v1.CephFSPersistentVolumeSource.monitors core.v1.CephFSVolumeSource.monitors core.v1.ConfigMapProjection.items
  core.v1.ConfigMapVolumeSource.items core.v1.Container.args core.v1.Container.command core.v1.Container.envFrom
  core.v1.Container.resizePolicy core.v1.Container.restartPolicyRules core.v1.ContainerImage.names
  core.v1.DownwardAPIProjection.items core.v1.DownwardAPIVolumeSource.items core.v1.EndpointSubset.addresses
  core.v1.EndpointSubset.notReadyAddresses core.v1.EndpointSubset.ports core.v1.Endpoints.subsets
  core.v1.EphemeralContainer.args core.v1.EphemeralContainer.command core.v1.EphemeralContainer.envFrom
  core.v1.EphemeralContainer.resizePolicy core.v1.EphemeralContainer.restartPolicyRules core.v1.ExecAction.command
  core.v1.FCVolumeSource.targetWWNs core.v1.FCVolumeSource.wwids core.v1.HTTPGetAction.httpHeaders
  core.v1.HostAlias.hostnames core.v1.ISCSIPersistentVolumeSource.portals core.v1.ISCSIVolumeSource.portals
  core.v1.LimitRangeSpec.limits core.v1.LinuxContainerUser.supplementalGroups core.v1.LoadBalancerIngress.ports
  core.v1.LoadBalancerStatus.ingress core.v1.NamespaceSpec.finalizers
  core.v1.NodeAffinity.preferredDuringSchedulingIgnoredDuringExecution core.v1.NodeSelector.nodeSelectorTerms
  core.v1.NodeSelectorRequirement.values core.v1.NodeSelectorTerm.matchExpressions
  core.v1.NodeSelectorTerm.matchFields core.v1.NodeSpec.taints core.v1.NodeStatus.declaredFeatures
  core.v1.NodeStatus.images core.v1.NodeStatus.runtimeHandlers core.v1.NodeStatus.volumesAttached
  core.v1.NodeStatus.volumesInUse core.v1.PersistentVolumeClaimSpec.accessModes
  core.v1.PersistentVolumeClaimStatus.accessModes core.v1.PersistentVolumeSpec.accessModes
  core.v1.PersistentVolumeSpec.mountOptions core.v1.PodAffinity.preferredDuringSchedulingIgnoredDuringExecution
  core.v1.PodAffinity.requiredDuringSchedulingIgnoredDuringExecution core.v1.PodAffinityTerm.matchLabelKeys
  core.v1.PodAffinityTerm.mismatchLabelKeys core.v1.PodAffinityTerm.namespaces
  core.v1.PodAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution
  core.v1.PodAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution core.v1.PodDNSConfig.nameservers
  core.v1.PodDNSConfig.options core.v1.PodDNSConfig.searches core.v1.PodExtendedResourceClaimStatus.requestMappings
  core.v1.PodSecurityContext.supplementalGroups core.v1.PodSecurityContext.sysctls core.v1.PodSpec.readinessGates
  core.v1.PodSpec.tolerations core.v1.PodStatus.containerStatuses core.v1.PodStatus.ephemeralContainerStatuses
  core.v1.PodStatus.initContainerStatuses core.v1.PodStatus.nodeAllocatableResourceClaimStatuses
  core.v1.ProjectedVolumeSource.sources core.v1.RBDPersistentVolumeSource.monitors core.v1.RBDVolumeSource.monitors
  core.v1.ResourceQuotaSpec.scopes core.v1.ScopeSelector.matchExpressions
  core.v1.ScopedResourceSelectorRequirement.values core.v1.SecretProjection.items core.v1.SecretVolumeSource.items
  core.v1.ServiceAccount.imagePullSecrets core.v1.ServiceSpec.clusterIPs core.v1.ServiceSpec.externalIPs
  core.v1.ServiceSpec.ipFamilies core.v1.ServiceSpec.loadBalancerSourceRanges
  core.v1.TopologySelectorLabelRequirement.values core.v1.TopologySelectorTerm.matchLabelExpressions
  core.v1.TopologySpreadConstraint.matchLabelKeys discovery.v1.EndpointHints.forNodes
  discovery.v1.EndpointHints.forZones discovery.v1.EndpointSlice.endpoints discovery.v1.EndpointSlice.ports
  flowcontrol.v1.FlowSchemaSpec.rules flowcontrol.v1.PolicyRulesWithSubjects.nonResourceRules
  flowcontrol.v1.PolicyRulesWithSubjects.resourceRules flowcontrol.v1.PolicyRulesWithSubjects.subjects
  meta.v1.APIGroup.serverAddressByClientCIDRs meta.v1.APIGroup.versions meta.v1.APIGroupList.groups
  meta.v1.APIResource.categories meta.v1.APIResource.shortNames meta.v1.APIResourceList.resources
  meta.v1.APIVersions.serverAddressByClientCIDRs meta.v1.APIVersions.versions meta.v1.DeleteOptions.dryRun
  meta.v1.FieldSelectorRequirement.values meta.v1.LabelSelector.matchExpressions
  meta.v1.LabelSelectorRequirement.values meta.v1.ObjectMeta.managedFields meta.v1.StatusDetails.causes
  networking.v1.HTTPIngressRuleValue.paths networking.v1.IPBlock.except networking.v1.IngressLoadBalancerIngress.ports
  networking.v1.IngressLoadBalancerStatus.ingress networking.v1.IngressSpec.rules networking.v1.IngressSpec.tls
  networking.v1.IngressTLS.hosts networking.v1.NetworkPolicyEgressRule.ports networking.v1.NetworkPolicyEgressRule.to
  networking.v1.NetworkPolicyIngressRule.from networking.v1.NetworkPolicyIngressRule.ports
  networking.v1.NetworkPolicySpec.egress networking.v1.NetworkPolicySpec.ingress
  networking.v1.NetworkPolicySpec.policyTypes networking.v1.ServiceCIDRSpec.cidrs node.v1.Scheduling.tolerations
  rbac.v1.AggregationRule.clusterRoleSelectors rbac.v1.ClusterRole.rules rbac.v1.ClusterRoleBinding.subjects
  rbac.v1.PolicyRule.apiGroups rbac.v1.PolicyRule.nonResourceURLs rbac.v1.PolicyRule.resourceNames
  rbac.v1.PolicyRule.resources rbac.v1.PolicyRule.verbs rbac.v1.Role.rules rbac.v1.RoleBinding.subjects
  resource.v1.CapacityRequestPolicy.validValues resource.v1.Device.bindingConditions
  resource.v1.Device.bindingFailureConditions resource.v1.Device.consumesCounters resource.v1.Device.taints
  resource.v1.DeviceAllocationConfiguration.requests resource.v1.DeviceAllocationResult.config
  resource.v1.DeviceAllocationResult.results resource.v1.DeviceAttribute.bools resource.v1.DeviceAttribute.ints
  resource.v1.DeviceAttribute.strings resource.v1.DeviceAttribute.versions resource.v1.DeviceClaim.config
  resource.v1.DeviceClaim.constraints resource.v1.DeviceClaim.requests resource.v1.DeviceClaimConfiguration.requests
  resource.v1.DeviceClassSpec.config resource.v1.DeviceClassSpec.selectors resource.v1.DeviceConstraint.requests
  resource.v1.DeviceRequest.firstAvailable resource.v1.DeviceRequestAllocationResult.bindingConditions
  resource.v1.DeviceRequestAllocationResult.bindingFailureConditions
  resource.v1.DeviceRequestAllocationResult.tolerations resource.v1.DeviceSubRequest.selectors
  resource.v1.DeviceSubRequest.tolerations resource.v1.ExactDeviceRequest.selectors
  resource.v1.ExactDeviceRequest.tolerations resource.v1.NetworkDeviceData.ips resource.v1.ResourceSliceSpec.devices
  resource.v1.ResourceSliceSpec.sharedCounters storage.v1.CSIDriverSpec.tokenRequests
  storage.v1.CSINodeDriver.topologyKeys storage.v1.StorageClass.allowedTopologies storage.v1.StorageClass.mountOptions
`

/** Types that server-side apply owns as a whole. */
export const atomicTypes = `
  admissionregistration.v1.MatchResources admissionregistration.v1.NamedRuleWithOperations
  admissionregistration.v1.ParamKind admissionregistration.v1.ParamRef admissionregistration.v1.Variable
  autoscaling.v1.CrossVersionObjectReference core.v1.ConfigMapKeySelector core.v1.EndpointAddress core.v1.EndpointPort
  core.v1.FileKeySelector core.v1.LocalObjectReference core.v1.NodeSelector core.v1.NodeSelectorTerm
  core.v1.ObjectFieldSelector core.v1.ObjectReference core.v1.ResourceFieldSelector core.v1.ScopeSelector
  core.v1.SecretKeySelector core.v1.SecretReference core.v1.TopologySelectorTerm core.v1.TypedLocalObjectReference
  discovery.v1.EndpointPort meta.v1.LabelSelector meta.v1.OwnerReference networking.v1.ServiceBackendPort
  rbac.v1.RoleRef rbac.v1.Subject
`

/** Maps that server-side apply owns as a whole. */
export const atomicMaps = `
  core.v1.PodSpec.nodeSelector core.v1.ReplicationControllerSpec.selector core.v1.ServiceSpec.selector
  node.v1.Scheduling.nodeSelector
`

/** Fields whose type is owned as a whole everywhere else, and part by part here. */
export const granularFields = `
  core.v1.PersistentVolumeSpec.claimRef
`

/** Strings, and maps and lists of strings, that are quantities. */
export const quantities = `
  autoscaling.v2.HPAScalingRules.tolerance autoscaling.v2.MetricTarget.averageValue autoscaling.v2.MetricTarget.value
  autoscaling.v2.MetricValueStatus.averageValue autoscaling.v2.MetricValueStatus.value
  core.v1.ContainerStatus.allocatedResources core.v1.EmptyDirVolumeSource.sizeLimit core.v1.LimitRangeItem.default
  core.v1.LimitRangeItem.defaultRequest core.v1.LimitRangeItem.max core.v1.LimitRangeItem.maxLimitRequestRatio
  core.v1.LimitRangeItem.min core.v1.NodeAllocatableResourceClaimStatus.resources core.v1.NodeStatus.allocatable
  core.v1.NodeStatus.capacity core.v1.PersistentVolumeClaimStatus.allocatedResources
  core.v1.PersistentVolumeClaimStatus.capacity core.v1.PersistentVolumeSpec.capacity core.v1.PodSpec.overhead
  core.v1.PodStatus.allocatedResources core.v1.ResourceFieldSelector.divisor core.v1.ResourceQuotaSpec.hard
  core.v1.ResourceQuotaStatus.hard core.v1.ResourceQuotaStatus.used core.v1.ResourceRequirements.limits
  core.v1.ResourceRequirements.requests core.v1.VolumeResourceRequirements.limits
  core.v1.VolumeResourceRequirements.requests node.v1.Overhead.podFixed resource.v1.CapacityRequestPolicy.default
  resource.v1.CapacityRequestPolicy.validValues resource.v1.CapacityRequestPolicyRange.max
  resource.v1.CapacityRequestPolicyRange.min resource.v1.CapacityRequestPolicyRange.step
  resource.v1.CapacityRequirements.requests resource.v1.Counter.value resource.v1.DeviceCapacity.value
  resource.v1.DeviceRequestAllocationResult.consumedCapacity
  resource.v1.NodeAllocatableResourceMapping.allocationMultiplier storage.v1.CSIStorageCapacity.capacity
  storage.v1.CSIStorageCapacity.maximumVolumeSize
`

/** Fields that hold any JSON object whole. */
export const rawObjects = `
  apps.v1.ControllerRevision.data meta.v1.WatchEvent.object resource.v1.AllocatedDeviceStatus.data
  resource.v1.OpaqueDeviceConfiguration.parameters
`

/**
 * Optional scalars and lists that upstream writes though they are empty, or whose emptiness says something. All others are
 * left out then, but for the scalars that have a star in field-numbers.ts.
 */
export const writtenEmpty = `
  apiextensions.v1.CustomResourceDefinitionStatus.conditions
  apiextensions.v1.CustomResourceDefinitionStatus.storedVersions apps.v1.StatefulSetOrdinals.start
  apps.v1.StatefulSetSpec.serviceName apps.v1.StatefulSetStatus.availableReplicas
  authentication.v1.TokenRequestSpec.audiences authentication.v1.TokenRequestStatus.token
  autoscaling.v2.HPAScalingRules.policies autoscaling.v2.HorizontalPodAutoscalerStatus.currentMetrics
  batch.v1.PodFailurePolicyOnPodConditionsPattern.status
  core.v1.ContainerImage.names core.v1.Event.reportingComponent core.v1.Event.reportingInstance
  core.v1.NodeRuntimeHandler.name core.v1.ProjectedVolumeSource.sources discovery.v1.EndpointSlice.endpoints
  discovery.v1.EndpointSlice.ports flowcontrol.v1.FlowSchemaSpec.matchingPrecedence
  flowcontrol.v1.QueuingConfiguration.handSize flowcontrol.v1.QueuingConfiguration.queueLengthLimit
  flowcontrol.v1.QueuingConfiguration.queues flowcontrol.v1.ResourcePolicyRule.namespaces meta.v1.ObjectMeta.managedFields
  policy.v1.PodDisruptionBudgetStatus.currentHealthy policy.v1.PodDisruptionBudgetStatus.desiredHealthy
  policy.v1.PodDisruptionBudgetStatus.disruptionsAllowed policy.v1.PodDisruptionBudgetStatus.expectedPods
  rbac.v1.ClusterRole.rules rbac.v1.Role.rules rbac.v1.RoleRef.apiGroup resource.v1.AllocatedDeviceStatus.conditions
  resource.v1.DeviceClaim.requests scheduling.v1.PriorityClass.value storage.v1.CSINodeDriver.topologyKeys
`

/** Defaults declared on the field itself. */
export const declaredDefaults: Record<string, unknown> = {
  'core.v1.AzureDiskVolumeSource.cachingMode': 'ReadWrite',
  'core.v1.AzureDiskVolumeSource.fsType': 'ext4',
  'core.v1.AzureDiskVolumeSource.kind': 'Shared',
  'core.v1.ContainerPort.protocol': 'TCP',
  'core.v1.ISCSIPersistentVolumeSource.iscsiInterface': 'default',
  'core.v1.ISCSIVolumeSource.iscsiInterface': 'default',
  'core.v1.RBDPersistentVolumeSource.keyring': '/etc/ceph/keyring',
  'core.v1.RBDPersistentVolumeSource.pool': 'rbd',
  'core.v1.RBDPersistentVolumeSource.user': 'admin',
  'core.v1.RBDVolumeSource.keyring': '/etc/ceph/keyring',
  'core.v1.RBDVolumeSource.pool': 'rbd',
  'core.v1.RBDVolumeSource.user': 'admin',
  'core.v1.ReplicationControllerSpec.replicas': 1,
  'core.v1.ScaleIOPersistentVolumeSource.fsType': 'xfs',
  'core.v1.ScaleIOPersistentVolumeSource.storageMode': 'ThinProvisioned',
  'core.v1.ScaleIOVolumeSource.fsType': 'xfs',
  'core.v1.ScaleIOVolumeSource.storageMode': 'ThinProvisioned',
  'core.v1.ServicePort.protocol': 'TCP',
  'resource.v1.DeviceToleration.operator': 'Equal',
}
