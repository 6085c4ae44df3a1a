import type { Container, Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../generated/types.ts'
import { computePodQOS } from '../pod-qos.ts'
import { isPodLevelResource, podTotal, type Quantities } from '../pod-total.ts'
import { isExtendedResource, isHugePages, isNativeResource } from '../resource-names.ts'
import { objectCountName, type QuotaEvaluator } from './evaluator.ts'
import { selectsName } from './scopes.ts'

const countName = objectCountName('', 'pods')
/** Resources with a name for requests, for limits, and (but for limits) a bare one. */
const computeResources = ['cpu', 'memory', 'ephemeral-storage']
const podResources = new Set([
  countName,
  'pods',
  ...computeResources.flatMap((name) => [name, `requests.${name}`, `limits.${name}`]),
])
/** What every container must name where a quota limits it. */
const mustBeNamed = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

/** Pods use what they request and limit, until they have ended. */
export const podEvaluator: QuotaEvaluator = {
  handles({ operation, subresource, object, old }) {
    if (subresource === 'resize') return operation === 'UPDATE'
    if (subresource !== '') return false
    return operation === 'CREATE' || hasDeadline(object as Pod) !== hasDeadline(old as Pod)
  },
  matching: (names) => names.filter((name) => podResources.has(name) || isHugePagesName(name) || isExtendedName(name)),
  usage(object, nowMs) {
    const pod = object as unknown as Pod
    if (!usesQuota(pod, nowMs)) return { [countName]: '1' }
    const requests = podTotal(pod, 'requests', { actual: true })
    const limits = podTotal(pod, 'limits', { actual: true })
    return { [countName]: '1', ...computeUsage(requests, limits) }
  },
  isInScope(object, scope) {
    const pod = object as unknown as Pod
    switch (scope.scopeName) {
      case 'Terminating':
        return hasDeadline(pod)
      case 'NotTerminating':
        return !hasDeadline(pod)
      case 'BestEffort':
        return isBestEffort(pod)
      case 'NotBestEffort':
        return !isBestEffort(pod)
      case 'PriorityClass':
        return selectsName(scope, pod.spec?.priorityClassName ? [pod.spec.priorityClassName] : [])
      case 'CrossNamespacePodAffinity':
        return looksIntoOtherNamespaces(pod)
      default:
        return false
    }
  },
  constraintFault(object, limited) {
    const { spec } = object as unknown as Pod
    // Amounts for the pod as a whole speak for all its containers.
    const podLevel = { ...spec?.resources?.requests, ...spec?.resources?.limits }
    if (Object.keys(podLevel).some(isPodLevelResource)) return undefined
    const needed = limited.filter((name) => mustBeNamed.has(name)).sort()
    const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]
    const faults = needed.flatMap((name) => {
      const silent = containers.filter((container) => computeUsageOf(container)[name] === undefined)
      const who = [...new Set(silent.map((container) => container.name))].sort()
      return who.length === 0 ? [] : [`${name} for: ${who.join(',')}`]
    })
    return faults.length === 0 ? undefined : `must specify ${faults.join('; ')}`
  },
}

/** Whether the pod still counts: it has not ended, and is not overdue on its way out. */
function usesQuota({ status, metadata }: Pod, nowMs: number): boolean {
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return false
  const { deletionTimestamp, deletionGracePeriodSeconds: graceSeconds } = metadata ?? {}
  if (deletionTimestamp === undefined || graceSeconds === undefined) return true
  return nowMs <= Date.parse(deletionTimestamp) + graceSeconds * 1000
}

/** A pod with a deadline is one that ends by itself. */
const hasDeadline = (pod: Pod | undefined): boolean => (pod?.spec?.activeDeadlineSeconds ?? -1) >= 0

const isBestEffort = ({ spec, status }: Pod): boolean =>
  (status?.qosClass || computePodQOS(spec ?? { containers: [] })) === 'BestEffort'

const isHugePagesName = (name: string) => isHugePages(name) || name.startsWith('requests.hugepages-')
const isExtendedName = (name: string) => name.startsWith('requests.') && !isNativeResource(name)

const computeUsageOf = ({ resources }: Container): Quantities =>
  computeUsage(resources?.requests ?? {}, resources?.limits ?? {})

/** What requests and limits come to under the names that quotas use. */
function computeUsage(requests: Quantities, limits: Quantities): Quantities {
  const usage: Quantities = { pods: '1' }
  for (const [name, amount] of Object.entries(requests)) {
    if (computeResources.includes(name) || isHugePages(name)) {
      usage[name] = amount
      usage[`requests.${name}`] = amount
    } else if (isExtendedResource(name)) usage[`requests.${name}`] = amount
  }
  for (const name of computeResources) {
    const amount = limits[name]
    if (amount !== undefined) usage[`limits.${name}`] = amount
  }
  return usage
}

function looksIntoOtherNamespaces({ spec }: Pod): boolean {
  const looks = ({ namespaces, namespaceSelector }: PodAffinityTerm) =>
    (namespaces?.length ?? 0) > 0 || namespaceSelector !== undefined
  const looksIfPossible = ({ podAffinityTerm }: WeightedPodAffinityTerm) => looks(podAffinityTerm)
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {}
  return [podAffinity, podAntiAffinity].some(
    (affinity) =>
      affinity?.requiredDuringSchedulingIgnoredDuringExecution?.some(looks) ||
      affinity?.preferredDuringSchedulingIgnoredDuringExecution?.some(looksIfPossible),
  )
}
