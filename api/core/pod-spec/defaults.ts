import type {
  Container,
  EphemeralContainer,
  LifecycleHandler,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Volume,
} from '../../generated/types.ts'
import { defaultPullPolicy } from './image-name.ts'
import { roundUpResources } from './resource-lists.ts'

/** Defaults of a pod spec wherever it stands. What only pods get is in {@link defaultPod} of pod-defaults.ts. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  // `serviceAccount` is the old name of serviceAccountName; both are always served.
  const account = spec.serviceAccountName || spec.serviceAccount
  if (account) {
    spec.serviceAccountName = account
    spec.serviceAccount = account
  } else if (account === '') {
    delete spec.serviceAccountName
    delete spec.serviceAccount
  }
  // These are plain booleans upstream: false and absent are one, or an update that spells them out would be a change.
  if (spec.hostNetwork === false) delete spec.hostNetwork
  if (spec.hostPID === false) delete spec.hostPID
  if (spec.hostIPC === false) delete spec.hostIPC
  if (spec.nodeName === '') delete spec.nodeName

  if (spec.volumes) for (const volume of spec.volumes) defaultVolume(volume)
  if (spec.initContainers) for (const container of spec.initContainers) defaultContainer(container)
  if (spec.containers) for (const container of spec.containers) defaultContainer(container)
  if (spec.ephemeralContainers) for (const container of spec.ephemeralContainers) defaultContainer(container)
  if (spec.overhead) roundUpResources(spec.overhead)
}

/** Defaults of the template of a workload. Gives it an empty spec where it has none, as upstream's structs do. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  template.metadata ??= {}
  template.spec ??= { containers: [] }
  defaultPodSpec(template.spec)
}

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image)
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.resources ??= {}
  if (container.resources.limits) roundUpResources(container.resources.limits)
  if (container.resources.requests) roundUpResources(container.resources.requests)
  if (container.stdin === false) delete container.stdin
  if (container.stdinOnce === false) delete container.stdinOnce
  if (container.tty === false) delete container.tty
  if (container.env) {
    for (const variable of container.env) {
      if (variable.value === '') delete variable.value
      const source = variable.valueFrom
      if (!source) continue
      if (source.fieldRef) source.fieldRef.apiVersion ||= 'v1'
      if (source.fileKeyRef) source.fileKeyRef.optional ??= false
    }
  }
  if (container.volumeMounts) {
    for (const mount of container.volumeMounts) if (mount.readOnly === false) delete mount.readOnly
  }
  if (container.livenessProbe) defaultProbe(container.livenessProbe)
  if (container.readinessProbe) defaultProbe(container.readinessProbe)
  if (container.startupProbe) defaultProbe(container.startupProbe)
  if (container.lifecycle) {
    if (container.lifecycle.postStart) defaultHandler(container.lifecycle.postStart)
    if (container.lifecycle.preStop) defaultHandler(container.lifecycle.preStop)
  }
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  defaultHandler(probe)
  if (probe.grpc) probe.grpc.service ??= ''
}

function defaultHandler(handler: Pick<LifecycleHandler, 'httpGet'>): void {
  if (!handler.httpGet) return
  handler.httpGet.path ||= '/'
  handler.httpGet.scheme ||= 'HTTP'
}

/** 0644 */
const fileMode = 420

function defaultVolume(volume: Volume): void {
  if (volume.configMap) volume.configMap.defaultMode ??= fileMode
  else if (volume.secret) volume.secret.defaultMode ??= fileMode
  else if (volume.projected) {
    volume.projected.defaultMode ??= fileMode
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
      for (const file of source.downwardAPI?.items ?? []) if (file.fieldRef) file.fieldRef.apiVersion ||= 'v1'
    }
  } else if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= fileMode
    for (const file of volume.downwardAPI.items ?? []) if (file.fieldRef) file.fieldRef.apiVersion ||= 'v1'
  } else if (volume.hostPath) volume.hostPath.type ??= ''
  else if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference)
  else if (volume.ephemeral?.volumeClaimTemplate) {
    const claim = volume.ephemeral.volumeClaimTemplate
    claim.spec ??= {}
    claim.spec.volumeMode ??= 'Filesystem'
  } else if (volume.azureDisk) volume.azureDisk.readOnly ??= false
  else if (!hasSource(volume)) volume.emptyDir = {}
}

function hasSource(volume: Volume): boolean {
  for (const field in volume) {
    if (field !== 'name' && volume[field as keyof Volume] !== undefined) return true
  }
  return false
}
