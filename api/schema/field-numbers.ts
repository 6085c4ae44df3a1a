/**
 * Where the fields of the built-in types lie in upstream's protobuf form. A line is a type and its fields with their
 * numbers; a number with dots leads through messages that JSON does not show (`2.4`: field 4 of field 2). A star marks
 * a scalar that tells absent from zero; the others are written even when empty, and mean nothing then.
 */
export const fieldNumbers = `
  admissionregistration.v1.ApplyConfiguration expression=1
  admissionregistration.v1.AuditAnnotation key=1 valueExpression=2
  admissionregistration.v1.ExpressionWarning fieldRef=2 warning=3
  admissionregistration.v1.JSONPatch expression=1
  admissionregistration.v1.MatchCondition expression=2 name=1
  admissionregistration.v1.MatchResources excludeResourceRules=4 matchPolicy=7* namespaceSelector=1 objectSelector=2
    resourceRules=3
  admissionregistration.v1.MutatingAdmissionPolicy metadata=1 spec=2
  admissionregistration.v1.MutatingAdmissionPolicyBinding metadata=1 spec=2
  admissionregistration.v1.MutatingAdmissionPolicyBindingList items=2 metadata=1
  admissionregistration.v1.MutatingAdmissionPolicyBindingSpec matchResources=3 paramRef=2 policyName=1
  admissionregistration.v1.MutatingAdmissionPolicyList items=2 metadata=1
  admissionregistration.v1.MutatingAdmissionPolicySpec failurePolicy=5* matchConditions=6 matchConstraints=2
    mutations=4 paramKind=1 reinvocationPolicy=7 variables=3
  admissionregistration.v1.MutatingWebhook admissionReviewVersions=8 clientConfig=2 failurePolicy=4*
    matchConditions=12 matchPolicy=9* name=1 namespaceSelector=5 objectSelector=11 reinvocationPolicy=10* rules=3
    sideEffects=6* timeoutSeconds=7*
  admissionregistration.v1.MutatingWebhookConfiguration metadata=1 webhooks=2
  admissionregistration.v1.MutatingWebhookConfigurationList items=2 metadata=1
  admissionregistration.v1.Mutation applyConfiguration=3 jsonPatch=4 patchType=2
  admissionregistration.v1.NamedRuleWithOperations apiGroups=2.2.1 apiVersions=2.2.2 operations=2.1 resourceNames=1
    resources=2.2.3 scope=2.2.4*
  admissionregistration.v1.ParamKind apiVersion=1 kind=2
  admissionregistration.v1.ParamRef name=1 namespace=2 parameterNotFoundAction=4* selector=3
  admissionregistration.v1.RuleWithOperations apiGroups=2.1 apiVersions=2.2 operations=1 resources=2.3 scope=2.4*
  admissionregistration.v1.ServiceReference name=2 namespace=1 path=3* port=4*
  admissionregistration.v1.TypeChecking expressionWarnings=1
  admissionregistration.v1.ValidatingAdmissionPolicy metadata=1 spec=2 status=3
  admissionregistration.v1.ValidatingAdmissionPolicyBinding metadata=1 spec=2
  admissionregistration.v1.ValidatingAdmissionPolicyBindingList items=2 metadata=1
  admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec matchResources=3 paramRef=2 policyName=1
    validationActions=4
  admissionregistration.v1.ValidatingAdmissionPolicyList items=2 metadata=1
  admissionregistration.v1.ValidatingAdmissionPolicySpec auditAnnotations=5 failurePolicy=4* matchConditions=6
    matchConstraints=2 paramKind=1 validations=3 variables=7
  admissionregistration.v1.ValidatingAdmissionPolicyStatus conditions=3 observedGeneration=1 typeChecking=2
  admissionregistration.v1.ValidatingWebhook admissionReviewVersions=8 clientConfig=2 failurePolicy=4*
    matchConditions=11 matchPolicy=9* name=1 namespaceSelector=5 objectSelector=10 rules=3 sideEffects=6*
    timeoutSeconds=7*
  admissionregistration.v1.ValidatingWebhookConfiguration metadata=1 webhooks=2
  admissionregistration.v1.ValidatingWebhookConfigurationList items=2 metadata=1
  admissionregistration.v1.Validation expression=1 message=2 messageExpression=4 reason=3*
  admissionregistration.v1.Variable expression=2 name=1
  admissionregistration.v1.WebhookClientConfig caBundle=2 service=1 url=3*
  apps.v1.ControllerRevision data=2 metadata=1 revision=3
  apps.v1.ControllerRevisionList items=2 metadata=1
  apps.v1.DaemonSet metadata=1 spec=2 status=3
  apps.v1.DaemonSetCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  apps.v1.DaemonSetList items=2 metadata=1
  apps.v1.DaemonSetSpec minReadySeconds=4 revisionHistoryLimit=6* selector=1 template=2 updateStrategy=3
  apps.v1.DaemonSetStatus collisionCount=9* conditions=10 currentNumberScheduled=1 desiredNumberScheduled=3
    numberAvailable=7 numberMisscheduled=2 numberReady=4 numberUnavailable=8 observedGeneration=5
    updatedNumberScheduled=6
  apps.v1.DaemonSetUpdateStrategy rollingUpdate=2 type=1
  apps.v1.Deployment metadata=1 spec=2 status=3
  apps.v1.DeploymentCondition lastTransitionTime=7 lastUpdateTime=6 message=5 reason=4 status=2 type=1
  apps.v1.DeploymentList items=2 metadata=1
  apps.v1.DeploymentSpec minReadySeconds=5 paused=7 progressDeadlineSeconds=9* replicas=1* revisionHistoryLimit=6*
    selector=2 strategy=4 template=3
  apps.v1.DeploymentStatus availableReplicas=4 collisionCount=8* conditions=6 observedGeneration=1 readyReplicas=7
    replicas=2 terminatingReplicas=9* unavailableReplicas=5 updatedReplicas=3
  apps.v1.DeploymentStrategy rollingUpdate=2 type=1
  apps.v1.ReplicaSet metadata=1 spec=2 status=3
  apps.v1.ReplicaSetCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  apps.v1.ReplicaSetList items=2 metadata=1
  apps.v1.ReplicaSetSpec minReadySeconds=4 replicas=1* selector=2 template=3
  apps.v1.ReplicaSetStatus availableReplicas=5 conditions=6 fullyLabeledReplicas=2 observedGeneration=3
    readyReplicas=4 replicas=1 terminatingReplicas=7*
  apps.v1.RollingUpdateDaemonSet maxSurge=2* maxUnavailable=1*
  apps.v1.RollingUpdateDeployment maxSurge=2* maxUnavailable=1*
  apps.v1.RollingUpdateStatefulSetStrategy maxUnavailable=2* partition=1*
  apps.v1.StatefulSet metadata=1 spec=2 status=3
  apps.v1.StatefulSetCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  apps.v1.StatefulSetList items=2 metadata=1
  apps.v1.StatefulSetOrdinals start=1
  apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted=1 whenScaled=2
  apps.v1.StatefulSetSpec minReadySeconds=9 ordinals=11 persistentVolumeClaimRetentionPolicy=10 podManagementPolicy=6
    replicas=1* revisionHistoryLimit=8* selector=2 serviceName=5 template=3 updateStrategy=7 volumeClaimTemplates=4
  apps.v1.StatefulSetStatus availableReplicas=11 collisionCount=9* conditions=10 currentReplicas=4 currentRevision=6
    observedGeneration=1 readyReplicas=3 replicas=2 updateRevision=7 updatedReplicas=5
  apps.v1.StatefulSetUpdateStrategy rollingUpdate=2 type=1
  authentication.v1.BoundObjectReference apiVersion=2 kind=1 name=3 uid=4
  authentication.v1.SelfSubjectReview metadata=1 status=2
  authentication.v1.SelfSubjectReviewStatus userInfo=1
  authentication.v1.TokenRequest metadata=1 spec=2 status=3
  authentication.v1.TokenRequestSpec audiences=1 boundObjectRef=3 expirationSeconds=4*
  authentication.v1.TokenRequestStatus expirationTimestamp=2 token=1
  authentication.v1.TokenReview metadata=1 spec=2 status=3
  authentication.v1.TokenReviewSpec audiences=2 token=1
  authentication.v1.TokenReviewStatus audiences=4 authenticated=1 error=3 user=2
  authentication.v1.UserInfo extra=4 groups=3 uid=2 username=1
  authorization.v1.FieldSelectorAttributes rawSelector=1 requirements=2
  authorization.v1.LabelSelectorAttributes rawSelector=1 requirements=2
  authorization.v1.LocalSubjectAccessReview metadata=1 spec=2 status=3
  authorization.v1.NonResourceAttributes path=1 verb=2
  authorization.v1.NonResourceRule nonResourceURLs=2 verbs=1
  authorization.v1.ResourceAttributes fieldSelector=8 group=3 labelSelector=9 name=7 namespace=1 resource=5
    subresource=6 verb=2 version=4
  authorization.v1.ResourceRule apiGroups=2 resourceNames=4 resources=3 verbs=1
  authorization.v1.SelfSubjectAccessReview metadata=1 spec=2 status=3
  authorization.v1.SelfSubjectAccessReviewSpec nonResourceAttributes=2 resourceAttributes=1
  authorization.v1.SelfSubjectRulesReview metadata=1 spec=2 status=3
  authorization.v1.SelfSubjectRulesReviewSpec namespace=1
  authorization.v1.SubjectAccessReview metadata=1 spec=2 status=3
  authorization.v1.SubjectAccessReviewSpec extra=5 groups=4 nonResourceAttributes=2 resourceAttributes=1 uid=6 user=3
  authorization.v1.SubjectAccessReviewStatus allowed=1 denied=4 evaluationError=3 reason=2
  authorization.v1.SubjectRulesReviewStatus evaluationError=4 incomplete=3 nonResourceRules=2 resourceRules=1
  autoscaling.v1.CrossVersionObjectReference apiVersion=3 kind=1 name=2
  autoscaling.v1.HorizontalPodAutoscaler metadata=1 spec=2 status=3
  autoscaling.v1.HorizontalPodAutoscalerList items=2 metadata=1
  autoscaling.v1.HorizontalPodAutoscalerSpec maxReplicas=3 minReplicas=2* scaleTargetRef=1
    targetCPUUtilizationPercentage=4*
  autoscaling.v1.HorizontalPodAutoscalerStatus currentCPUUtilizationPercentage=5* currentReplicas=3 desiredReplicas=4
    lastScaleTime=2 observedGeneration=1*
  autoscaling.v1.Scale metadata=1 spec=2 status=3
  autoscaling.v1.ScaleSpec replicas=1
  autoscaling.v1.ScaleStatus replicas=1 selector=2
  autoscaling.v2.ContainerResourceMetricSource container=3 name=1 target=2
  autoscaling.v2.ContainerResourceMetricStatus container=3 current=2 name=1
  autoscaling.v2.CrossVersionObjectReference apiVersion=3 kind=1 name=2
  autoscaling.v2.ExternalMetricSource metric=1 target=2
  autoscaling.v2.ExternalMetricStatus current=2 metric=1
  autoscaling.v2.HPAScalingPolicy periodSeconds=3 type=1 value=2
  autoscaling.v2.HPAScalingRules policies=2 selectPolicy=1* stabilizationWindowSeconds=3* tolerance=4
  autoscaling.v2.HorizontalPodAutoscaler metadata=1 spec=2 status=3
  autoscaling.v2.HorizontalPodAutoscalerBehavior scaleDown=2 scaleUp=1
  autoscaling.v2.HorizontalPodAutoscalerCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  autoscaling.v2.HorizontalPodAutoscalerList items=2 metadata=1
  autoscaling.v2.HorizontalPodAutoscalerSpec behavior=5 maxReplicas=3 metrics=4 minReplicas=2* scaleTargetRef=1
  autoscaling.v2.HorizontalPodAutoscalerStatus conditions=6 currentMetrics=5 currentReplicas=3 desiredReplicas=4
    lastScaleTime=2 observedGeneration=1*
  autoscaling.v2.MetricIdentifier name=1 selector=2
  autoscaling.v2.MetricSpec containerResource=7 external=5 object=2 pods=3 resource=4 type=1
  autoscaling.v2.MetricStatus containerResource=7 external=5 object=2 pods=3 resource=4 type=1
  autoscaling.v2.MetricTarget averageUtilization=4* averageValue=3 type=1 value=2
  autoscaling.v2.MetricValueStatus averageUtilization=3* averageValue=2 value=1
  autoscaling.v2.ObjectMetricSource describedObject=1 metric=3 target=2
  autoscaling.v2.ObjectMetricStatus current=2 describedObject=3 metric=1
  autoscaling.v2.PodsMetricSource metric=1 target=2
  autoscaling.v2.PodsMetricStatus current=2 metric=1
  autoscaling.v2.ResourceMetricSource name=1 target=2
  autoscaling.v2.ResourceMetricStatus current=2 name=1
  batch.v1.CronJob metadata=1 spec=2 status=3
  batch.v1.CronJobList items=2 metadata=1
  batch.v1.CronJobSpec concurrencyPolicy=3 failedJobsHistoryLimit=7* jobTemplate=5 schedule=1
    startingDeadlineSeconds=2* successfulJobsHistoryLimit=6* suspend=4* timeZone=8*
  batch.v1.CronJobStatus active=1 lastScheduleTime=4 lastSuccessfulTime=5
  batch.v1.Job metadata=1 spec=2 status=3
  batch.v1.JobCondition lastProbeTime=3 lastTransitionTime=4 message=6 reason=5 status=2 type=1
  batch.v1.JobList items=2 metadata=1
  batch.v1.JobSpec activeDeadlineSeconds=3* backoffLimit=7* backoffLimitPerIndex=12* completionMode=9* completions=2*
    managedBy=15* manualSelector=5* maxFailedIndexes=13* parallelism=1* podFailurePolicy=11 podReplacementPolicy=14*
    selector=4 successPolicy=16 suspend=10* template=6 ttlSecondsAfterFinished=8*
  batch.v1.JobStatus active=4 completedIndexes=7 completionTime=3 conditions=1 failed=6 failedIndexes=10* ready=9*
    startTime=2 succeeded=5 terminating=11* uncountedTerminatedPods=8
  batch.v1.JobTemplateSpec metadata=1 spec=2
  batch.v1.PodFailurePolicy rules=1
  batch.v1.PodFailurePolicyOnExitCodesRequirement containerName=1* operator=2 values=3
  batch.v1.PodFailurePolicyOnPodConditionsPattern status=2 type=1
  batch.v1.PodFailurePolicyRule action=1 onExitCodes=2 onPodConditions=3
  batch.v1.SuccessPolicy rules=1
  batch.v1.SuccessPolicyRule succeededCount=2* succeededIndexes=1*
  batch.v1.UncountedTerminatedPods failed=2 succeeded=1
  certificates.v1.CertificateSigningRequest metadata=1 spec=2 status=3
  certificates.v1.CertificateSigningRequestCondition lastTransitionTime=5 lastUpdateTime=4 message=3 reason=2 status=6
    type=1
  certificates.v1.CertificateSigningRequestList items=2 metadata=1
  certificates.v1.CertificateSigningRequestSpec expirationSeconds=8* extra=6 groups=4 request=1 signerName=7 uid=3
    usages=5 username=2
  certificates.v1.CertificateSigningRequestStatus certificate=2 conditions=1
  coordination.v1.Lease metadata=1 spec=2
  coordination.v1.LeaseList items=2 metadata=1
  coordination.v1.LeaseSpec acquireTime=3 holderIdentity=1* leaseDurationSeconds=2* leaseTransitions=5*
    preferredHolder=7* renewTime=4 strategy=6*
  core.v1.AWSElasticBlockStoreVolumeSource fsType=2 partition=3 readOnly=4 volumeID=1
  core.v1.Affinity nodeAffinity=1 podAffinity=2 podAntiAffinity=3
  core.v1.AppArmorProfile localhostProfile=2* type=1
  core.v1.AttachedVolume devicePath=2 name=1
  core.v1.AzureDiskVolumeSource cachingMode=3* diskName=1 diskURI=2 fsType=4* kind=6* readOnly=5*
  core.v1.AzureFilePersistentVolumeSource readOnly=3 secretName=1 secretNamespace=4* shareName=2
  core.v1.AzureFileVolumeSource readOnly=3 secretName=1 shareName=2
  core.v1.Binding metadata=1 target=2
  core.v1.CSIPersistentVolumeSource controllerExpandSecretRef=9 controllerPublishSecretRef=6 driver=1 fsType=4
    nodeExpandSecretRef=10 nodePublishSecretRef=8 nodeStageSecretRef=7 readOnly=3 volumeAttributes=5 volumeHandle=2
  core.v1.CSIVolumeSource driver=1 fsType=3* nodePublishSecretRef=5 readOnly=2* volumeAttributes=4
  core.v1.Capabilities add=1 drop=2
  core.v1.CephFSPersistentVolumeSource monitors=1 path=2 readOnly=6 secretFile=4 secretRef=5 user=3
  core.v1.CephFSVolumeSource monitors=1 path=2 readOnly=6 secretFile=4 secretRef=5 user=3
  core.v1.CinderPersistentVolumeSource fsType=2 readOnly=3 secretRef=4 volumeID=1
  core.v1.CinderVolumeSource fsType=2 readOnly=3 secretRef=4 volumeID=1
  core.v1.ClientIPConfig timeoutSeconds=1*
  core.v1.ClusterTrustBundleProjection labelSelector=3 name=1* optional=5* path=4 signerName=2*
  core.v1.ComponentCondition error=4 message=3 status=2 type=1
  core.v1.ComponentStatus conditions=2 metadata=1
  core.v1.ComponentStatusList items=2 metadata=1
  core.v1.ConfigMap binaryData=3 data=2 immutable=4* metadata=1
  core.v1.ConfigMapEnvSource name=1.1 optional=2*
  core.v1.ConfigMapKeySelector key=2 name=1.1 optional=3*
  core.v1.ConfigMapList items=2 metadata=1
  core.v1.ConfigMapNodeConfigSource kubeletConfigKey=5 name=2 namespace=1 resourceVersion=4 uid=3
  core.v1.ConfigMapProjection items=2 name=1.1 optional=4*
  core.v1.ConfigMapVolumeSource defaultMode=3* items=2 name=1.1 optional=4*
  core.v1.Container args=4 command=3 env=7 envFrom=19 image=2 imagePullPolicy=14 lifecycle=12 livenessProbe=10 name=1
    ports=6 readinessProbe=11 resizePolicy=23 resources=8 restartPolicy=24* restartPolicyRules=25 securityContext=15
    startupProbe=22 stdin=16 stdinOnce=17 terminationMessagePath=13 terminationMessagePolicy=20 tty=18
    volumeDevices=21 volumeMounts=9 workingDir=5
  core.v1.ContainerExtendedResourceRequest containerName=1 requestName=3 resourceName=2
  core.v1.ContainerImage names=1 sizeBytes=2
  core.v1.ContainerPort containerPort=3 hostIP=5 hostPort=2 name=1 protocol=4
  core.v1.ContainerResizePolicy resourceName=1 restartPolicy=2
  core.v1.ContainerRestartRule action=1 exitCodes=2
  core.v1.ContainerRestartRuleOnExitCodes operator=1 values=2
  core.v1.ContainerState running=2 terminated=3 waiting=1
  core.v1.ContainerStateRunning startedAt=1
  core.v1.ContainerStateTerminated containerID=7 exitCode=1 finishedAt=6 message=4 reason=3 signal=2 startedAt=5
  core.v1.ContainerStateWaiting message=2 reason=1
  core.v1.ContainerStatus allocatedResources=10 allocatedResourcesStatus=14 containerID=8 image=6 imageID=7
    lastState=3 name=1 ready=4 resources=11 restartCount=5 started=9* state=2 stopSignal=15* user=13 volumeMounts=12
  core.v1.ContainerUser linux=1
  core.v1.DaemonEndpoint Port=1
  core.v1.DownwardAPIProjection items=1
  core.v1.DownwardAPIVolumeFile fieldRef=2 mode=4* path=1 resourceFieldRef=3
  core.v1.DownwardAPIVolumeSource defaultMode=2* items=1
  core.v1.EmptyDirVolumeSource medium=1 sizeLimit=2
  core.v1.EndpointAddress hostname=3 ip=1 nodeName=4* targetRef=2
  core.v1.EndpointPort appProtocol=4* name=1 port=2 protocol=3
  core.v1.EndpointSubset addresses=1 notReadyAddresses=2 ports=3
  core.v1.Endpoints metadata=1 subsets=2
  core.v1.EndpointsList items=2 metadata=1
  core.v1.EnvFromSource configMapRef=2 prefix=1 secretRef=3
  core.v1.EnvVar name=1 value=2 valueFrom=3
  core.v1.EnvVarSource configMapKeyRef=3 fieldRef=1 fileKeyRef=5 resourceFieldRef=2 secretKeyRef=4
  core.v1.EphemeralContainer args=1.4 command=1.3 env=1.7 envFrom=1.19 image=1.2 imagePullPolicy=1.14 lifecycle=1.12
    livenessProbe=1.10 name=1.1 ports=1.6 readinessProbe=1.11 resizePolicy=1.23 resources=1.8 restartPolicy=1.24*
    restartPolicyRules=1.25 securityContext=1.15 startupProbe=1.22 stdin=1.16 stdinOnce=1.17 targetContainerName=2
    terminationMessagePath=1.13 terminationMessagePolicy=1.20 tty=1.18 volumeDevices=1.21 volumeMounts=1.9
    workingDir=1.5
  core.v1.EphemeralVolumeSource volumeClaimTemplate=1
  core.v1.Event action=12 count=8 eventTime=10 firstTimestamp=6 involvedObject=2 lastTimestamp=7 message=4 metadata=1
    reason=3 related=13 reportingComponent=14 reportingInstance=15 series=11 source=5 type=9
  core.v1.EventList items=2 metadata=1
  core.v1.EventSeries count=1 lastObservedTime=2
  core.v1.EventSource component=1 host=2
  core.v1.ExecAction command=1
  core.v1.FCVolumeSource fsType=3 lun=2* readOnly=4 targetWWNs=1 wwids=5
  core.v1.FileKeySelector key=3 optional=4* path=2 volumeName=1
  core.v1.FlexPersistentVolumeSource driver=1 fsType=2 options=5 readOnly=4 secretRef=3
  core.v1.FlexVolumeSource driver=1 fsType=2 options=5 readOnly=4 secretRef=3
  core.v1.FlockerVolumeSource datasetName=1 datasetUUID=2
  core.v1.GCEPersistentDiskVolumeSource fsType=2 partition=3 pdName=1 readOnly=4
  core.v1.GRPCAction port=1 service=2*
  core.v1.GitRepoVolumeSource directory=3 repository=1 revision=2
  core.v1.GlusterfsPersistentVolumeSource endpoints=1 endpointsNamespace=4* path=2 readOnly=3
  core.v1.GlusterfsVolumeSource endpoints=1 path=2 readOnly=3
  core.v1.HTTPGetAction host=3 httpHeaders=5 path=1 port=2 scheme=4
  core.v1.HTTPHeader name=1 value=2
  core.v1.HostAlias hostnames=2 ip=1
  core.v1.HostIP ip=1
  core.v1.HostPathVolumeSource path=1 type=2*
  core.v1.ISCSIPersistentVolumeSource chapAuthDiscovery=8 chapAuthSession=11 fsType=5 initiatorName=12* iqn=2
    iscsiInterface=4 lun=3 portals=7 readOnly=6 secretRef=10 targetPortal=1
  core.v1.ISCSIVolumeSource chapAuthDiscovery=8 chapAuthSession=11 fsType=5 initiatorName=12* iqn=2 iscsiInterface=4
    lun=3 portals=7 readOnly=6 secretRef=10 targetPortal=1
  core.v1.ImageVolumeSource pullPolicy=2 reference=1
  core.v1.ImageVolumeStatus imageRef=1
  core.v1.KeyToPath key=1 mode=3* path=2
  core.v1.Lifecycle postStart=1 preStop=2 stopSignal=3*
  core.v1.LifecycleHandler exec=1 httpGet=2 sleep=4 tcpSocket=3
  core.v1.LimitRange metadata=1 spec=2
  core.v1.LimitRangeItem default=4 defaultRequest=5 max=2 maxLimitRequestRatio=6 min=3 type=1
  core.v1.LimitRangeList items=2 metadata=1
  core.v1.LimitRangeSpec limits=1
  core.v1.LinuxContainerUser gid=2 supplementalGroups=3 uid=1
  core.v1.LoadBalancerIngress hostname=2 ip=1 ipMode=3* ports=4
  core.v1.LoadBalancerStatus ingress=1
  core.v1.LocalObjectReference name=1
  core.v1.LocalVolumeSource fsType=2* path=1
  core.v1.ModifyVolumeStatus status=2 targetVolumeAttributesClassName=1
  core.v1.NFSVolumeSource path=2 readOnly=3 server=1
  core.v1.Namespace metadata=1 spec=2 status=3
  core.v1.NamespaceCondition lastTransitionTime=4 message=6 reason=5 status=2 type=1
  core.v1.NamespaceList items=2 metadata=1
  core.v1.NamespaceSpec finalizers=1
  core.v1.NamespaceStatus conditions=2 phase=1
  core.v1.Node metadata=1 spec=2 status=3
  core.v1.NodeAddress address=2 type=1
  core.v1.NodeAffinity preferredDuringSchedulingIgnoredDuringExecution=2
    requiredDuringSchedulingIgnoredDuringExecution=1
  core.v1.NodeAllocatableResourceClaimStatus containers=2 resourceClaimName=1 resources=3
  core.v1.NodeCondition lastHeartbeatTime=3 lastTransitionTime=4 message=6 reason=5 status=2 type=1
  core.v1.NodeConfigSource configMap=2
  core.v1.NodeConfigStatus active=2 assigned=1 error=4 lastKnownGood=3
  core.v1.NodeDaemonEndpoints kubeletEndpoint=1
  core.v1.NodeFeatures supplementalGroupsPolicy=1*
  core.v1.NodeList items=2 metadata=1
  core.v1.NodeRuntimeHandler features=2 name=1
  core.v1.NodeRuntimeHandlerFeatures recursiveReadOnlyMounts=1* userNamespaces=2*
  core.v1.NodeSelector nodeSelectorTerms=1
  core.v1.NodeSelectorRequirement key=1 operator=2 values=3
  core.v1.NodeSelectorTerm matchExpressions=1 matchFields=2
  core.v1.NodeSpec configSource=6 externalID=2 podCIDR=1 podCIDRs=7 providerID=3 taints=5 unschedulable=4
  core.v1.NodeStatus addresses=5 allocatable=2 capacity=1 conditions=4 config=11 daemonEndpoints=6 declaredFeatures=14
    features=13 images=8 nodeInfo=7 phase=3 runtimeHandlers=12 volumesAttached=10 volumesInUse=9
  core.v1.NodeSwapStatus capacity=1*
  core.v1.NodeSystemInfo architecture=10 bootID=3 containerRuntimeVersion=6 kernelVersion=4 kubeProxyVersion=8
    kubeletVersion=7 machineID=1 operatingSystem=9 osImage=5 swap=11 systemUUID=2
  core.v1.ObjectFieldSelector apiVersion=1 fieldPath=2
  core.v1.ObjectReference apiVersion=5 fieldPath=7 kind=1 name=3 namespace=2 resourceVersion=6 uid=4
  core.v1.PersistentVolume metadata=1 spec=2 status=3
  core.v1.PersistentVolumeClaim metadata=1 spec=2 status=3
  core.v1.PersistentVolumeClaimCondition lastProbeTime=3 lastTransitionTime=4 message=6 reason=5 status=2 type=1
  core.v1.PersistentVolumeClaimList items=2 metadata=1
  core.v1.PersistentVolumeClaimSpec accessModes=1 dataSource=7 dataSourceRef=8 resources=2 selector=4
    storageClassName=5* volumeAttributesClassName=9* volumeMode=6* volumeName=3
  core.v1.PersistentVolumeClaimStatus accessModes=2 allocatedResourceStatuses=7 allocatedResources=5 capacity=3
    conditions=4 currentVolumeAttributesClassName=8* modifyVolumeStatus=9 phase=1
  core.v1.PersistentVolumeClaimTemplate metadata=1 spec=2
  core.v1.PersistentVolumeClaimVolumeSource claimName=1 readOnly=2
  core.v1.PersistentVolumeList items=2 metadata=1
  core.v1.PersistentVolumeSpec accessModes=3 awsElasticBlockStore=2.2 azureDisk=2.16 azureFile=2.13 capacity=1
    cephfs=2.9 cinder=2.8 claimRef=4 csi=2.22 fc=2.10 flexVolume=2.12 flocker=2.11 gcePersistentDisk=2.1 glusterfs=2.4
    hostPath=2.3 iscsi=2.7 local=2.20 mountOptions=7 nfs=2.5 nodeAffinity=9 persistentVolumeReclaimPolicy=5
    photonPersistentDisk=2.17 portworxVolume=2.18 quobyte=2.15 rbd=2.6 scaleIO=2.19 storageClassName=6 storageos=2.21
    volumeAttributesClassName=10* volumeMode=8* vsphereVolume=2.14
  core.v1.PersistentVolumeStatus lastPhaseTransitionTime=4 message=2 phase=1 reason=3
  core.v1.PhotonPersistentDiskVolumeSource fsType=2 pdID=1
  core.v1.Pod metadata=1 spec=2 status=3
  core.v1.PodAffinity preferredDuringSchedulingIgnoredDuringExecution=2
    requiredDuringSchedulingIgnoredDuringExecution=1
  core.v1.PodAffinityTerm labelSelector=1 matchLabelKeys=5 mismatchLabelKeys=6 namespaceSelector=4 namespaces=2
    topologyKey=3
  core.v1.PodAntiAffinity preferredDuringSchedulingIgnoredDuringExecution=2
    requiredDuringSchedulingIgnoredDuringExecution=1
  core.v1.PodCertificateProjection certificateChainPath=6 credentialBundlePath=4 keyPath=5 keyType=2
    maxExpirationSeconds=3* signerName=1 userAnnotations=7
  core.v1.PodCondition lastProbeTime=3 lastTransitionTime=4 message=6 observedGeneration=7 reason=5 status=2 type=1
  core.v1.PodDNSConfig nameservers=1 options=3 searches=2
  core.v1.PodDNSConfigOption name=1 value=2*
  core.v1.PodExtendedResourceClaimStatus requestMappings=1 resourceClaimName=2
  core.v1.PodIP ip=1
  core.v1.PodList items=2 metadata=1
  core.v1.PodOS name=1
  core.v1.PodReadinessGate conditionType=1
  core.v1.PodResourceClaim name=1 resourceClaimName=3* resourceClaimTemplateName=4*
  core.v1.PodResourceClaimStatus name=1 resourceClaimName=2*
  core.v1.PodSchedulingGate name=1
  core.v1.PodSchedulingGroup podGroupName=1*
  core.v1.PodSecurityContext appArmorProfile=11 fsGroup=5* fsGroupChangePolicy=9* runAsGroup=6* runAsNonRoot=3*
    runAsUser=2* seLinuxChangePolicy=13* seLinuxOptions=1 seccompProfile=10 supplementalGroups=4
    supplementalGroupsPolicy=12* sysctls=7 windowsOptions=8
  core.v1.PodSpec activeDeadlineSeconds=5* affinity=18 automountServiceAccountToken=21* containers=2 dnsConfig=26
    dnsPolicy=6 enableServiceLinks=30* ephemeralContainers=34 hostAliases=23 hostIPC=13 hostNetwork=11 hostPID=12
    hostUsers=37* hostname=16 hostnameOverride=41* imagePullSecrets=15 initContainers=20 nodeName=10 nodeSelector=7
    os=36 overhead=32 preemptionPolicy=31* priority=25* priorityClassName=24 readinessGates=28 resourceClaims=39
    resources=40 restartPolicy=3 runtimeClassName=29* schedulerName=19 schedulingGates=38 schedulingGroup=43
    securityContext=14 serviceAccount=9 serviceAccountName=8 setHostnameAsFQDN=35* shareProcessNamespace=27*
    subdomain=17 terminationGracePeriodSeconds=4* tolerations=22 topologySpreadConstraints=33 volumes=1
  core.v1.PodStatus allocatedResources=19 conditions=2 containerStatuses=8 ephemeralContainerStatuses=13
    extendedResourceClaimStatus=18 hostIP=5 hostIPs=16 initContainerStatuses=10 message=3
    nodeAllocatableResourceClaimStatuses=21 nominatedNodeName=11 observedGeneration=17 phase=1 podIP=6 podIPs=12
    qosClass=9 reason=4 resize=14 resourceClaimStatuses=15 resources=20 startTime=7
  core.v1.PodTemplate metadata=1 template=2
  core.v1.PodTemplateList items=2 metadata=1
  core.v1.PodTemplateSpec metadata=1 spec=2
  core.v1.PortStatus error=3* port=1 protocol=2
  core.v1.PortworxVolumeSource fsType=2 readOnly=3 volumeID=1
  core.v1.PreferredSchedulingTerm preference=2 weight=1
  core.v1.Probe exec=1.1 failureThreshold=6 grpc=1.4 httpGet=1.2 initialDelaySeconds=2 periodSeconds=4
    successThreshold=5 tcpSocket=1.3 terminationGracePeriodSeconds=7* timeoutSeconds=3
  core.v1.ProjectedVolumeSource defaultMode=2* sources=1
  core.v1.QuobyteVolumeSource group=5 readOnly=3 registry=1 tenant=6 user=4 volume=2
  core.v1.RBDPersistentVolumeSource fsType=3 image=2 keyring=6 monitors=1 pool=4 readOnly=8 secretRef=7 user=5
  core.v1.RBDVolumeSource fsType=3 image=2 keyring=6 monitors=1 pool=4 readOnly=8 secretRef=7 user=5
  core.v1.ReplicationController metadata=1 spec=2 status=3
  core.v1.ReplicationControllerCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  core.v1.ReplicationControllerList items=2 metadata=1
  core.v1.ReplicationControllerSpec minReadySeconds=4 replicas=1* selector=2 template=3
  core.v1.ReplicationControllerStatus availableReplicas=5 conditions=6 fullyLabeledReplicas=2 observedGeneration=3
    readyReplicas=4 replicas=1
  core.v1.ResourceClaim name=1 request=2
  core.v1.ResourceFieldSelector containerName=1 divisor=3 resource=2
  core.v1.ResourceHealth health=2 message=6* resourceID=1
  core.v1.ResourceQuota metadata=1 spec=2 status=3
  core.v1.ResourceQuotaList items=2 metadata=1
  core.v1.ResourceQuotaSpec hard=1 scopeSelector=3 scopes=2
  core.v1.ResourceQuotaStatus hard=1 used=2
  core.v1.ResourceRequirements claims=3 limits=1 requests=2
  core.v1.ResourceStatus name=1 resources=2
  core.v1.SELinuxOptions level=4 role=2 type=3 user=1
  core.v1.ScaleIOPersistentVolumeSource fsType=9 gateway=1 protectionDomain=5 readOnly=10 secretRef=3 sslEnabled=4
    storageMode=7 storagePool=6 system=2 volumeName=8
  core.v1.ScaleIOVolumeSource fsType=9 gateway=1 protectionDomain=5 readOnly=10 secretRef=3 sslEnabled=4 storageMode=7
    storagePool=6 system=2 volumeName=8
  core.v1.ScopeSelector matchExpressions=1
  core.v1.ScopedResourceSelectorRequirement operator=2 scopeName=1 values=3
  core.v1.SeccompProfile localhostProfile=2* type=1
  core.v1.Secret data=2 immutable=5* metadata=1 stringData=4 type=3
  core.v1.SecretEnvSource name=1.1 optional=2*
  core.v1.SecretKeySelector key=2 name=1.1 optional=3*
  core.v1.SecretList items=2 metadata=1
  core.v1.SecretProjection items=2 name=1.1 optional=4*
  core.v1.SecretReference name=1 namespace=2
  core.v1.SecretVolumeSource defaultMode=3* items=2 optional=4* secretName=1
  core.v1.SecurityContext allowPrivilegeEscalation=7* appArmorProfile=12 capabilities=1 privileged=2* procMount=9*
    readOnlyRootFilesystem=6* runAsGroup=8* runAsNonRoot=5* runAsUser=4* seLinuxOptions=3 seccompProfile=11
    windowsOptions=10
  core.v1.Service metadata=1 spec=2 status=3
  core.v1.ServiceAccount automountServiceAccountToken=4* imagePullSecrets=3 metadata=1 secrets=2
  core.v1.ServiceAccountList items=2 metadata=1
  core.v1.ServiceAccountTokenProjection audience=1 expirationSeconds=2* path=3
  core.v1.ServiceList items=2 metadata=1
  core.v1.ServicePort appProtocol=6* name=1 nodePort=5 port=3 protocol=2 targetPort=4
  core.v1.ServiceSpec allocateLoadBalancerNodePorts=20* clusterIP=3 clusterIPs=18 externalIPs=5 externalName=10
    externalTrafficPolicy=11 healthCheckNodePort=12 internalTrafficPolicy=22* ipFamilies=19 ipFamilyPolicy=17*
    loadBalancerClass=21* loadBalancerIP=8 loadBalancerSourceRanges=9 ports=1 publishNotReadyAddresses=13 selector=2
    sessionAffinity=7 sessionAffinityConfig=14 trafficDistribution=23* type=4
  core.v1.ServiceStatus conditions=2 loadBalancer=1
  core.v1.SessionAffinityConfig clientIP=1
  core.v1.SleepAction seconds=1
  core.v1.StorageOSPersistentVolumeSource fsType=3 readOnly=4 secretRef=5 volumeName=1 volumeNamespace=2
  core.v1.StorageOSVolumeSource fsType=3 readOnly=4 secretRef=5 volumeName=1 volumeNamespace=2
  core.v1.Sysctl name=1 value=2
  core.v1.TCPSocketAction host=2 port=1
  core.v1.Taint effect=3 key=1 timeAdded=4 value=2
  core.v1.Toleration effect=4 key=1 operator=2 tolerationSeconds=5* value=3
  core.v1.TopologySelectorLabelRequirement key=1 values=2
  core.v1.TopologySelectorTerm matchLabelExpressions=1
  core.v1.TopologySpreadConstraint labelSelector=4 matchLabelKeys=8 maxSkew=1 minDomains=5* nodeAffinityPolicy=6*
    nodeTaintsPolicy=7* topologyKey=2 whenUnsatisfiable=3
  core.v1.TypedLocalObjectReference apiGroup=1* kind=2 name=3
  core.v1.TypedObjectReference apiGroup=1* kind=2 name=3 namespace=4*
  core.v1.Volume awsElasticBlockStore=2.4 azureDisk=2.22 azureFile=2.18 cephfs=2.14 cinder=2.13 configMap=2.19
    csi=2.28 downwardAPI=2.16 emptyDir=2.2 ephemeral=2.29 fc=2.17 flexVolume=2.12 flocker=2.15 gcePersistentDisk=2.3
    gitRepo=2.5 glusterfs=2.9 hostPath=2.1 image=2.30 iscsi=2.8 name=1 nfs=2.7 persistentVolumeClaim=2.10
    photonPersistentDisk=2.23 portworxVolume=2.24 projected=2.26 quobyte=2.21 rbd=2.11 scaleIO=2.25 secret=2.6
    storageos=2.27 vsphereVolume=2.20
  core.v1.VolumeDevice devicePath=2 name=1
  core.v1.VolumeMount mountPath=3 mountPropagation=5* name=1 readOnly=2 recursiveReadOnly=7* subPath=4 subPathExpr=6
  core.v1.VolumeMountStatus mountPath=2 name=1 readOnly=3 recursiveReadOnly=4* volumeStatus=5
  core.v1.VolumeNodeAffinity required=1
  core.v1.VolumeProjection clusterTrustBundle=5 configMap=3 downwardAPI=2 podCertificate=6 secret=1
    serviceAccountToken=4
  core.v1.VolumeResourceRequirements limits=1 requests=2
  core.v1.VolumeStatus image=1
  core.v1.VsphereVirtualDiskVolumeSource fsType=2 storagePolicyID=4 storagePolicyName=3 volumePath=1
  core.v1.WeightedPodAffinityTerm podAffinityTerm=2 weight=1
  core.v1.WindowsSecurityContextOptions gmsaCredentialSpec=2* gmsaCredentialSpecName=1* hostProcess=4*
    runAsUserName=3*
  discovery.v1.Endpoint addresses=1 conditions=2 deprecatedTopology=5 hints=8 hostname=3* nodeName=6* targetRef=4
    zone=7*
  discovery.v1.EndpointConditions ready=1* serving=2* terminating=3*
  discovery.v1.EndpointHints forNodes=2 forZones=1
  discovery.v1.EndpointPort appProtocol=4* name=1* port=3* protocol=2*
  discovery.v1.EndpointSlice addressType=4 endpoints=2 metadata=1 ports=3
  discovery.v1.EndpointSliceList items=2 metadata=1
  discovery.v1.ForNode name=1
  discovery.v1.ForZone name=1
  events.v1.Event action=6 deprecatedCount=15 deprecatedFirstTimestamp=13 deprecatedLastTimestamp=14
    deprecatedSource=12 eventTime=2 metadata=1 note=10 reason=7 regarding=8 related=9 reportingController=4
    reportingInstance=5 series=3 type=11
  events.v1.EventList items=2 metadata=1
  events.v1.EventSeries count=1 lastObservedTime=2
  flowcontrol.v1.ExemptPriorityLevelConfiguration lendablePercent=2* nominalConcurrencyShares=1*
  flowcontrol.v1.FlowDistinguisherMethod type=1
  flowcontrol.v1.FlowSchema metadata=1 spec=2 status=3
  flowcontrol.v1.FlowSchemaCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  flowcontrol.v1.FlowSchemaList items=2 metadata=1
  flowcontrol.v1.FlowSchemaSpec distinguisherMethod=3 matchingPrecedence=2 priorityLevelConfiguration=1 rules=4
  flowcontrol.v1.FlowSchemaStatus conditions=1
  flowcontrol.v1.GroupSubject name=1
  flowcontrol.v1.LimitResponse queuing=2 type=1
  flowcontrol.v1.LimitedPriorityLevelConfiguration borrowingLimitPercent=4* lendablePercent=3* limitResponse=2
    nominalConcurrencyShares=1*
  flowcontrol.v1.NonResourcePolicyRule nonResourceURLs=6 verbs=1
  flowcontrol.v1.PolicyRulesWithSubjects nonResourceRules=3 resourceRules=2 subjects=1
  flowcontrol.v1.PriorityLevelConfiguration metadata=1 spec=2 status=3
  flowcontrol.v1.PriorityLevelConfigurationCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  flowcontrol.v1.PriorityLevelConfigurationList items=2 metadata=1
  flowcontrol.v1.PriorityLevelConfigurationReference name=1
  flowcontrol.v1.PriorityLevelConfigurationSpec exempt=3 limited=2 type=1
  flowcontrol.v1.PriorityLevelConfigurationStatus conditions=1
  flowcontrol.v1.QueuingConfiguration handSize=2 queueLengthLimit=3 queues=1
  flowcontrol.v1.ResourcePolicyRule apiGroups=2 clusterScope=4 namespaces=5 resources=3 verbs=1
  flowcontrol.v1.ServiceAccountSubject name=2 namespace=1
  flowcontrol.v1.Subject group=3 kind=1 serviceAccount=4 user=2
  flowcontrol.v1.UserSubject name=1
  networking.v1.HTTPIngressPath backend=2 path=1 pathType=3*
  networking.v1.HTTPIngressRuleValue paths=1
  networking.v1.IPAddress metadata=1 spec=2
  networking.v1.IPAddressList items=2 metadata=1
  networking.v1.IPAddressSpec parentRef=1
  networking.v1.IPBlock cidr=1 except=2
  networking.v1.Ingress metadata=1 spec=2 status=3
  networking.v1.IngressBackend resource=3 service=4
  networking.v1.IngressClass metadata=1 spec=2
  networking.v1.IngressClassList items=2 metadata=1
  networking.v1.IngressClassParametersReference apiGroup=1* kind=2 name=3 namespace=5* scope=4*
  networking.v1.IngressClassSpec controller=1 parameters=2
  networking.v1.IngressList items=2 metadata=1
  networking.v1.IngressLoadBalancerIngress hostname=2 ip=1 ports=4
  networking.v1.IngressLoadBalancerStatus ingress=1
  networking.v1.IngressPortStatus error=3* port=1 protocol=2
  networking.v1.IngressRule host=1 http=2.1
  networking.v1.IngressServiceBackend name=1 port=2
  networking.v1.IngressSpec defaultBackend=1 ingressClassName=4* rules=3 tls=2
  networking.v1.IngressStatus loadBalancer=1
  networking.v1.IngressTLS hosts=1 secretName=2
  networking.v1.NetworkPolicy metadata=1 spec=2
  networking.v1.NetworkPolicyEgressRule ports=1 to=2
  networking.v1.NetworkPolicyIngressRule from=2 ports=1
  networking.v1.NetworkPolicyList items=2 metadata=1
  networking.v1.NetworkPolicyPeer ipBlock=3 namespaceSelector=2 podSelector=1
  networking.v1.NetworkPolicyPort endPort=3* port=2* protocol=1*
  networking.v1.NetworkPolicySpec egress=3 ingress=2 podSelector=1 policyTypes=4
  networking.v1.ParentReference group=1 name=4 namespace=3 resource=2
  networking.v1.ServiceBackendPort name=1 number=2
  networking.v1.ServiceCIDR metadata=1 spec=2 status=3
  networking.v1.ServiceCIDRList items=2 metadata=1
  networking.v1.ServiceCIDRSpec cidrs=1
  networking.v1.ServiceCIDRStatus conditions=1
  node.v1.Overhead podFixed=1
  node.v1.RuntimeClass handler=2 metadata=1 overhead=3 scheduling=4
  node.v1.RuntimeClassList items=2 metadata=1
  node.v1.Scheduling nodeSelector=1 tolerations=2
  policy.v1.Eviction deleteOptions=2 metadata=1
  policy.v1.PodDisruptionBudget metadata=1 spec=2 status=3
  policy.v1.PodDisruptionBudgetList items=2 metadata=1
  policy.v1.PodDisruptionBudgetSpec maxUnavailable=3* minAvailable=1* selector=2 unhealthyPodEvictionPolicy=4*
  policy.v1.PodDisruptionBudgetStatus conditions=7 currentHealthy=4 desiredHealthy=5 disruptedPods=2
    disruptionsAllowed=3 expectedPods=6 observedGeneration=1
  rbac.v1.AggregationRule clusterRoleSelectors=1
  rbac.v1.ClusterRole aggregationRule=3 metadata=1 rules=2
  rbac.v1.ClusterRoleBinding metadata=1 roleRef=3 subjects=2
  rbac.v1.ClusterRoleBindingList items=2 metadata=1
  rbac.v1.ClusterRoleList items=2 metadata=1
  rbac.v1.PolicyRule apiGroups=2 nonResourceURLs=5 resourceNames=4 resources=3 verbs=1
  rbac.v1.Role metadata=1 rules=2
  rbac.v1.RoleBinding metadata=1 roleRef=3 subjects=2
  rbac.v1.RoleBindingList items=2 metadata=1
  rbac.v1.RoleList items=2 metadata=1
  rbac.v1.RoleRef apiGroup=1 kind=2 name=3
  rbac.v1.Subject apiGroup=2 kind=1 name=3 namespace=4
  resource.v1.AllocatedDeviceStatus conditions=4 data=5 device=3 driver=1 networkData=6 pool=2 shareID=7*
  resource.v1.AllocationResult allocationTimestamp=5 devices=1 nodeSelector=3
  resource.v1.CELDeviceSelector expression=1
  resource.v1.CapacityRequestPolicy default=1 validRange=4 validValues=3
  resource.v1.CapacityRequestPolicyRange max=2 min=1 step=3
  resource.v1.CapacityRequirements requests=1
  resource.v1.Counter value=1
  resource.v1.CounterSet counters=2 name=1
  resource.v1.Device allNodes=7* allowMultipleAllocations=12* attributes=2 bindingConditions=10
    bindingFailureConditions=11 bindsToNode=9* capacity=3 consumesCounters=4 name=1 nodeAllocatableResourceMappings=13
    nodeName=5* nodeSelector=6 taints=8
  resource.v1.DeviceAllocationConfiguration opaque=3.1 requests=2 source=1
  resource.v1.DeviceAllocationResult config=2 results=1
  resource.v1.DeviceAttribute bool=3* bools=7 int=2* ints=6 string=4* strings=8 version=5* versions=9
  resource.v1.DeviceCapacity requestPolicy=2 value=1
  resource.v1.DeviceClaim config=3 constraints=2 requests=1
  resource.v1.DeviceClaimConfiguration opaque=2.1 requests=1
  resource.v1.DeviceClass metadata=1 spec=2
  resource.v1.DeviceClassConfiguration opaque=1.1
  resource.v1.DeviceClassList items=2 metadata=1
  resource.v1.DeviceClassSpec config=2 extendedResourceName=4* selectors=1
  resource.v1.DeviceConstraint distinctAttribute=3* matchAttribute=2* requests=1
  resource.v1.DeviceCounterConsumption counterSet=1 counters=2
  resource.v1.DeviceRequest exactly=2 firstAvailable=3 name=1
  resource.v1.DeviceRequestAllocationResult adminAccess=5* bindingConditions=7 bindingFailureConditions=8
    consumedCapacity=10 device=4 driver=2 pool=3 request=1 shareID=9* tolerations=6
  resource.v1.DeviceSelector cel=1
  resource.v1.DeviceSubRequest allocationMode=4 capacity=7 count=5 deviceClassName=2 name=1 selectors=3 tolerations=6
  resource.v1.DeviceTaint effect=3 key=1 timeAdded=4 value=2
  resource.v1.DeviceToleration effect=4 key=1 operator=2 tolerationSeconds=5* value=3
  resource.v1.ExactDeviceRequest adminAccess=5* allocationMode=3 capacity=7 count=4 deviceClassName=1 selectors=2
    tolerations=6
  resource.v1.NetworkDeviceData hardwareAddress=3 interfaceName=1 ips=2
  resource.v1.NodeAllocatableResourceMapping allocationMultiplier=2 capacityKey=1*
  resource.v1.OpaqueDeviceConfiguration driver=1 parameters=2
  resource.v1.ResourceClaim metadata=1 spec=2 status=3
  resource.v1.ResourceClaimConsumerReference apiGroup=1 name=4 resource=3 uid=5
  resource.v1.ResourceClaimList items=2 metadata=1
  resource.v1.ResourceClaimSpec devices=1
  resource.v1.ResourceClaimStatus allocation=1 devices=4 reservedFor=2
  resource.v1.ResourceClaimTemplate metadata=1 spec=2
  resource.v1.ResourceClaimTemplateList items=2 metadata=1
  resource.v1.ResourceClaimTemplateSpec metadata=1 spec=2
  resource.v1.ResourcePool generation=2 name=1 resourceSliceCount=3
  resource.v1.ResourceSlice metadata=1 spec=2
  resource.v1.ResourceSliceList items=2 metadata=1
  resource.v1.ResourceSliceSpec allNodes=5* devices=6 driver=1 nodeName=3* nodeSelector=4 perDeviceNodeSelection=7*
    pool=2 sharedCounters=8
  scheduling.v1.PriorityClass description=4 globalDefault=3 metadata=1 preemptionPolicy=5* value=2
  scheduling.v1.PriorityClassList items=2 metadata=1
  storage.v1.CSIDriver metadata=1 spec=2
  storage.v1.CSIDriverList items=2 metadata=1
  storage.v1.CSIDriverSpec attachRequired=1* fsGroupPolicy=5* nodeAllocatableUpdatePeriodSeconds=9* podInfoOnMount=2*
    preventPodSchedulingIfMissing=11* requiresRepublish=7* seLinuxMount=8* serviceAccountTokenInSecrets=10*
    storageCapacity=4* tokenRequests=6 volumeLifecycleModes=3
  storage.v1.CSINode metadata=1 spec=2
  storage.v1.CSINodeDriver allocatable=4 name=1 nodeID=2 topologyKeys=3
  storage.v1.CSINodeList items=2 metadata=1
  storage.v1.CSINodeSpec drivers=1
  storage.v1.CSIStorageCapacity capacity=4 maximumVolumeSize=5 metadata=1 nodeTopology=2 storageClassName=3
  storage.v1.CSIStorageCapacityList items=2 metadata=1
  storage.v1.StorageClass allowVolumeExpansion=6* allowedTopologies=8 metadata=1 mountOptions=5 parameters=3
    provisioner=2 reclaimPolicy=4* volumeBindingMode=7*
  storage.v1.StorageClassList items=2 metadata=1
  storage.v1.TokenRequest audience=1 expirationSeconds=2*
  storage.v1.VolumeAttachment metadata=1 spec=2 status=3
  storage.v1.VolumeAttachmentList items=2 metadata=1
  storage.v1.VolumeAttachmentSource inlineVolumeSpec=2 persistentVolumeName=1*
  storage.v1.VolumeAttachmentSpec attacher=1 nodeName=3 source=2
  storage.v1.VolumeAttachmentStatus attachError=3 attached=1 attachmentMetadata=2 detachError=4
  storage.v1.VolumeAttributesClass driverName=2 metadata=1 parameters=3
  storage.v1.VolumeAttributesClassList items=2 metadata=1
  storage.v1.VolumeError errorCode=3* message=2 time=1
  storage.v1.VolumeNodeResources count=1*
  apiextensions.v1.CustomResourceColumnDefinition description=4 format=3 jsonPath=6 name=1 priority=5 type=2
  apiextensions.v1.CustomResourceConversion strategy=1 webhook=2
  apiextensions.v1.CustomResourceDefinition metadata=1 spec=2 status=3
  apiextensions.v1.CustomResourceDefinitionCondition lastTransitionTime=3 message=5 observedGeneration=6 reason=4
    status=2 type=1
  apiextensions.v1.CustomResourceDefinitionList items=2 metadata=1
  apiextensions.v1.CustomResourceDefinitionNames categories=6 kind=4 listKind=5 plural=1 shortNames=3 singular=2
  apiextensions.v1.CustomResourceDefinitionSpec conversion=9 group=1 names=3 preserveUnknownFields=10 scope=4
    versions=7
  apiextensions.v1.CustomResourceDefinitionStatus acceptedNames=2 conditions=1 observedGeneration=4 storedVersions=3
  apiextensions.v1.CustomResourceDefinitionVersion additionalPrinterColumns=6 deprecated=7 deprecationWarning=8*
    name=1 schema=4 selectableFields=9 served=2 storage=3 subresources=5
  apiextensions.v1.CustomResourceSubresourceScale labelSelectorPath=3* specReplicasPath=1 statusReplicasPath=2
  apiextensions.v1.CustomResourceSubresources scale=2 status=1
  apiextensions.v1.CustomResourceValidation openAPIV3Schema=1
  apiextensions.v1.ExternalDocumentation description=1 url=2
  apiextensions.v1.JSONSchemaProps $ref=3* $schema=2 additionalItems=33 additionalProperties=30 allOf=25 anyOf=27
    default=8 definitions=34 dependencies=32 description=4 enum=20 example=36 exclusiveMaximum=10 exclusiveMinimum=12
    externalDocs=35 format=6 id=1 items=24 maxItems=16* maxLength=13* maxProperties=21* maximum=9* minItems=17*
    minLength=14* minProperties=22* minimum=11* multipleOf=19* not=28 nullable=37 oneOf=26 pattern=15
    patternProperties=31 properties=29 required=23 title=7 type=5 uniqueItems=18 x-kubernetes-embedded-resource=39
    x-kubernetes-int-or-string=40 x-kubernetes-list-map-keys=41 x-kubernetes-list-type=42* x-kubernetes-map-type=43*
    x-kubernetes-preserve-unknown-fields=38* x-kubernetes-validations=44
  apiextensions.v1.SelectableField jsonPath=1
  apiextensions.v1.ServiceReference name=2 namespace=1 path=3* port=4*
  apiextensions.v1.ValidationRule fieldPath=5 message=2 messageExpression=3 optionalOldSelf=6* reason=4* rule=1
  apiextensions.v1.WebhookClientConfig caBundle=2 service=1 url=3*
  apiextensions.v1.WebhookConversion clientConfig=2 conversionReviewVersions=3
  meta.v1.APIGroup name=1 preferredVersion=3 serverAddressByClientCIDRs=4 versions=2
  meta.v1.APIGroupList groups=1
  meta.v1.APIResource categories=7 group=8 kind=3 name=1 namespaced=2 shortNames=5 singularName=6
    storageVersionHash=10 verbs=4 version=9
  meta.v1.APIResourceList groupVersion=1 resources=2
  meta.v1.APIVersions serverAddressByClientCIDRs=2 versions=1
  meta.v1.Condition lastTransitionTime=4 message=6 observedGeneration=3 reason=5 status=2 type=1
  meta.v1.DeleteOptions dryRun=5 gracePeriodSeconds=1* ignoreStoreReadErrorWithClusterBreakingPotential=6*
    orphanDependents=3* preconditions=2 propagationPolicy=4*
  meta.v1.FieldSelectorRequirement key=1 operator=2 values=3
  meta.v1.GroupResource group=1 resource=2
  meta.v1.GroupVersionForDiscovery groupVersion=1 version=2
  meta.v1.LabelSelector matchExpressions=2 matchLabels=1
  meta.v1.LabelSelectorRequirement key=1 operator=2 values=3
  meta.v1.ListMeta continue=3 remainingItemCount=4* resourceVersion=2 selfLink=1 shardInfo=5
  meta.v1.ManagedFieldsEntry apiVersion=3 fieldsType=6 fieldsV1=7 manager=1 operation=2 subresource=8 time=4
  meta.v1.ObjectMeta annotations=12 creationTimestamp=8 deletionGracePeriodSeconds=10* deletionTimestamp=9
    finalizers=14 generateName=2 generation=7 labels=11 managedFields=17 name=1 namespace=3 ownerReferences=13
    resourceVersion=6 selfLink=4 uid=5
  meta.v1.OwnerReference apiVersion=5 blockOwnerDeletion=7* controller=6* kind=1 name=3 uid=4
  meta.v1.Preconditions resourceVersion=2* uid=1*
  meta.v1.ServerAddressByClientCIDR clientCIDR=1 serverAddress=2
  meta.v1.ShardInfo selector=1
  meta.v1.Status code=6 details=5 message=3 metadata=1 reason=4 status=2
  meta.v1.StatusCause field=3 message=2 reason=1
  meta.v1.StatusDetails causes=4 group=2 kind=3 name=1 retryAfterSeconds=5 uid=6
  meta.v1.WatchEvent object=2 type=1
  apiregistration.v1.APIService metadata=1 spec=2 status=3
  apiregistration.v1.APIServiceCondition lastTransitionTime=3 message=5 reason=4 status=2 type=1
  apiregistration.v1.APIServiceList items=2 metadata=1
  apiregistration.v1.APIServiceSpec caBundle=5 group=2 groupPriorityMinimum=7 insecureSkipTLSVerify=4 service=1
    version=3 versionPriority=8
  apiregistration.v1.APIServiceStatus conditions=1
  apiregistration.v1.ServiceReference name=2 namespace=1 port=3*
`
