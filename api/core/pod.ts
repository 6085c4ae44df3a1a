import type { LabelSelector, Pod, PodAffinityTerm, PodCondition, PodStatus } from '../generated/types.ts'
import { isDNS1123Label } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { formatTime } from '../machinery/time.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { podColumns } from './pod-columns.ts'
import { defaultPod } from './pod-defaults.ts'
import { computePodQOS } from './pod-qos.ts'
import { appArmorPrefix, appArmorProfileOf } from './pod-spec/annotations.ts'
import { visitContainers } from './pod-spec/containers-of.ts'
import { dropDisabledFields } from './pod-spec/disabled-fields.ts'
import { podWarnings } from './pod-spec/warnings.ts'
import { validatePodStatusUpdate } from './pod-status.ts'
import { validatePodUpdate } from './pod-update.ts'
import { validatePodCreate } from './pod-validation.ts'

export { validatePodBinding } from './pod-binding.ts'
export { validatePodEphemeralContainersUpdate } from './pod-ephemeral.ts'
export { podQOS } from './pod-qos.ts'
export { validatePodResize } from './pod-resize.ts'
export { validatePodStatusUpdate }

export type StoredPod = Stored<Pod>

const streamVerbs = ['create', 'get']
const proxyVerbs = ['create', 'delete', 'get', 'patch', 'update']

export const pods = defineResource<StoredPod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  schema: builtinSchema('io.k8s.api.core.v1.Pod'),
  defaults: defaultPod,
  validate: (pod, old) => (old ? validatePodUpdate(pod, old) : validatePodCreate(pod)),
  validateStatus: (pod, old) => validatePodStatusUpdate(pod, old as StoredPod),
  warnings: (pod, old) => (old ? [] : createWarnings(pod)),
  strategy: {
    status: true,
    generation: 'spec',
    returnDeleted: true,
    prepareForCreate: (pod, { nowMs }) => prepareForCreate(pod, nowMs),
    prepareForUpdate: (pod) => {
      keepAccountNamesTogether(pod)
      dropDisabledFields(pod.spec)
    },
    prepareForStatusUpdate,
    gracefulDeletion: deletionGraceSeconds,
  },
  columns: podColumns,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec?.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec?.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec?.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec?.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec?.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIPs?.[0]?.ip ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
  subresources: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: streamVerbs },
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    { name: 'ephemeralcontainers', kind: 'Pod', verbs: ['get', 'patch', 'update'] },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: streamVerbs },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: streamVerbs },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: proxyVerbs },
    { name: 'resize', kind: 'Pod', verbs: ['get', 'patch', 'update'] },
  ],
})

/**
 * Seconds between the request to delete a pod and its end: none for a pod that runs nowhere or has finished; else what
 * was asked for, or what the pod names. Negative counts as 1.
 */
function deletionGraceSeconds(pod: StoredPod, requested: number | undefined): number {
  const phase = pod.status?.phase
  if (!pod.spec?.nodeName || phase === 'Failed' || phase === 'Succeeded') return 0
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}

function prepareForCreate(pod: StoredPod, nowMs: number): void {
  pod.spec ??= { containers: [] }
  const { spec } = pod
  keepAccountNamesTogether(pod)
  dropDisabledFields(spec)
  const status: PodStatus = { phase: 'Pending', qosClass: computePodQOS(spec) }
  if (spec.schedulingGates?.length) status.conditions = [gatedCondition(nowMs)]
  pod.status = status
  selectByLabelKeys(pod)
  applyAppArmorAnnotations(pod)
}

/** Admission may have set the account under one of its two names. */
function keepAccountNamesTogether({ spec }: StoredPod): void {
  if (spec?.serviceAccountName && spec.serviceAccount !== spec.serviceAccountName) {
    spec.serviceAccount = spec.serviceAccountName
  }
}

const gatedCondition = (nowMs: number): PodCondition => ({
  type: 'PodScheduled',
  status: 'False',
  lastTransitionTime: formatTime(nowMs),
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
})

/** Writes the values that matchLabelKeys and mismatchLabelKeys name into the selectors, for all who evaluate them. */
function selectByLabelKeys({ spec, metadata }: StoredPod): void {
  const labels = metadata.labels ?? {}
  const apply = (selector: LabelSelector | undefined, keys: readonly string[] | undefined, operator: string) => {
    if (!selector || !keys) return
    for (const key of keys) {
      const value = labels[key]
      if (value === undefined) continue
      selector.matchExpressions ??= []
      selector.matchExpressions.push({ key, operator, values: [value] })
    }
  }
  const applyTerm = (term: PodAffinityTerm | undefined) => {
    apply(term?.labelSelector, term?.matchLabelKeys, 'In')
    apply(term?.labelSelector, term?.mismatchLabelKeys, 'NotIn')
  }
  for (const side of [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity]) {
    for (const item of side?.preferredDuringSchedulingIgnoredDuringExecution ?? []) applyTerm(item.podAffinityTerm)
    for (const term of side?.requiredDuringSchedulingIgnoredDuringExecution ?? []) applyTerm(term)
  }
  for (const { labelSelector, matchLabelKeys } of spec?.topologySpreadConstraints ?? []) {
    apply(labelSelector, matchLabelKeys, 'In')
  }
}

/** AppArmor annotations are the old form of a field: nodes read the field. */
function applyAppArmorAnnotations({ spec, metadata }: StoredPod): void {
  const { annotations } = metadata
  if (!spec || !annotations || spec.os?.name === 'windows') return
  if (!Object.keys(annotations).some((key) => key.startsWith(appArmorPrefix))) return
  const podProfile = spec.securityContext?.appArmorProfile
  visitContainers(spec, '', (container) => {
    const annotation = annotations[appArmorPrefix + container.name]
    if (annotation === undefined || container.securityContext?.appArmorProfile) return
    const profile = appArmorProfileOf(annotation)
    if (!profile) return
    if (profile.type === podProfile?.type && profile.localhostProfile === podProfile.localhostProfile) return
    container.securityContext ??= {}
    container.securityContext.appArmorProfile = profile
  })
}

function prepareForStatusUpdate(pod: StoredPod, old: StoredPod): void {
  if (old.metadata.ownerReferences) pod.metadata.ownerReferences = old.metadata.ownerReferences
  else delete pod.metadata.ownerReferences
  pod.status ??= {}
  const { status } = pod
  const before = old.status ?? {}
  if (!status.qosClass && before.qosClass) status.qosClass = before.qosClass
  // Reporters that know nothing of generations must not erase what others observed.
  if (!status.observedGeneration && before.observedGeneration) status.observedGeneration = before.observedGeneration
  for (const condition of status.conditions ?? []) {
    if (condition.observedGeneration) continue
    const observed = before.conditions?.find(({ type }) => type === condition.type)?.observedGeneration
    if (observed) condition.observedGeneration = observed
  }
  // Behind a gate that is off by default upstream.
  if (status.nodeAllocatableResourceClaimStatuses) delete status.nodeAllocatableResourceClaimStatuses
}

function createWarnings(pod: StoredPod): string[] {
  const warnings = podWarnings(pod.metadata, pod.spec ?? { containers: [] })
  const faults = isDNS1123Label(pod.metadata.name ?? '')
  if (faults.length === 0) return warnings
  const text =
    "metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended"
  return [`${text}: [${faults.join(' ')}]`, ...warnings]
}
