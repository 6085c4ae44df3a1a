import { isDeepStrictEqual } from 'node:util'
import type { Namespace, Pod } from '../../../api/generated/types.ts'
import { invalidError, notFoundError } from '../../../api/machinery/errors.ts'
import { semanticEqual } from '../../../api/machinery/field-rules.ts'
import type { Stored } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../context.ts'
import { templateOf } from '../pod-template.ts'
import { refuse } from '../refuse.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../types.ts'
import { type CheckedPod, containersOf } from './check.ts'
import { describePolicy, type Policy, policiesOf, policyLabelFaults, violations } from './policy.ts'

/** Pods looked at when a namespace becomes stricter: it must not take long. */
const maxPodsChecked = 3000

/** Holds pods to the Pod Security Standard that the labels of their namespace name. */
export function createPodSecurity({ client, lookup }: AdmissionContext): AdmissionPlugin {
  const namespaces = lookup('', 'namespaces')
  const pods = lookup('', 'pods')
  const isPodWrite = ({ resource, subresource }: AdmissionAttributes) =>
    resource === pods && (subresource === '' || subresource === 'ephemeralcontainers')
  const policiesFor = async (namespace: string) => {
    const found =
      client.cached<Stored<Namespace>>(namespaces, '', namespace) ??
      (await client.get<Stored<Namespace>>(namespaces, '', namespace))
    if (!found) throw notFoundError({ group: '', resource: 'namespaces' }, namespace)
    return policiesOf(found.metadata.labels)
  }

  const checkPod = async (attributes: AdmissionAttributes): Promise<void> => {
    const pod = attributes.object as unknown as Stored<Pod>
    if (!pod.spec || !changesSecurity(pod, attributes.old as unknown as Stored<Pod> | undefined)) return
    const { enforce, warn } = await policiesFor(attributes.namespace)
    const checked: CheckedPod = { metadata: pod.metadata, spec: pod.spec }
    const forbidden = violations(checked, enforce)
    if (forbidden !== '') {
      throw refuse(attributes, `violates PodSecurity ${JSON.stringify(describePolicy(enforce))}: ${forbidden}`)
    }
    warnOf(attributes, checked, warn)
  }

  // Kinds that make pods are warned about, not refused: their pods will be.
  const checkTemplate = async (attributes: AdmissionAttributes): Promise<void> => {
    const { object, namespace } = attributes
    const template = object && templateOf(attributes.resource)?.(object)
    if (!template?.spec) return
    const { warn } = await policiesFor(namespace)
    warnOf(attributes, { metadata: template.metadata ?? {}, spec: template.spec }, warn)
  }

  const checkNamespace = (attributes: AdmissionAttributes): void => {
    const { object, old, resource, name, operation, warn } = attributes
    const labels = object?.metadata.labels
    const oldLabels = old?.metadata.labels
    const faults = policyLabelFaults(labels)
    // What got in earlier must not stand in the way of other changes.
    const isNew = JSON.stringify(faults) !== JSON.stringify(policyLabelFaults(oldLabels))
    if (faults.length > 0 && isNew) throw invalidError(resource, name || (object?.metadata.name ?? ''), faults)
    if (operation !== 'UPDATE') return
    const { enforce } = policiesOf(labels)
    const before = policiesOf(oldLabels).enforce
    if (enforce.level === 'privileged' || semanticEqual(enforce, before)) return
    for (const message of warningsForStanding(client.cachedList<Stored<Pod>>(pods, name), name, enforce)) warn(message)
  }

  return {
    name: 'PodSecurity',
    handles(attributes) {
      const { operation, resource, subresource } = attributes
      if (operation !== 'CREATE' && operation !== 'UPDATE') return false
      if (isPodWrite(attributes)) return true
      return subresource === '' && (resource === namespaces || templateOf(resource) !== undefined)
    },
    validate(attributes) {
      if (attributes.resource === pods) return checkPod(attributes)
      return attributes.resource === namespaces ? checkNamespace(attributes) : checkTemplate(attributes)
    },
  }
}

function warnOf({ warn }: AdmissionAttributes, pod: CheckedPod, policy: Policy): void {
  const found = violations(pod, policy)
  if (found !== '') warn(`would violate PodSecurity ${JSON.stringify(describePolicy(policy))}: ${found}`)
}

/**
 * Whether an update can bring something new into the pod: another image, a further container. All else that may change
 * in a pod, its scheduling for one, must stay possible after its namespace has become stricter.
 */
function changesSecurity(pod: Stored<Pod>, old: Stored<Pod> | undefined): boolean {
  if (!old?.spec || !pod.spec) return true
  const significant = ({ metadata, spec }: Stored<Pod>) => ({
    images: spec ? containersOf(spec).map(({ name, image }) => [name, image]) : [],
    profiles: Object.entries(metadata.annotations ?? {})
      .filter(([key]) => profilePrefixes.some((prefix) => key.startsWith(prefix)))
      .sort(),
  })
  return !isDeepStrictEqual(significant(pod), significant(old))
}

const profilePrefixes = [
  'container.seccomp.security.alpha.kubernetes.io/',
  'container.apparmor.security.beta.kubernetes.io/',
]

function warningsForStanding(standing: readonly Stored<Pod>[], namespace: string, policy: Policy): string[] {
  const byViolation = new Map<string, string[]>()
  const checked = standing.slice(0, maxPodsChecked)
  // Pods of one owner are alike: one stands for all.
  const seen = new Map<string, string>()
  for (const { metadata, spec } of checked) {
    if (!spec) continue
    const owner = metadata.ownerReferences?.find(({ controller }) => controller)?.uid
    const found = (owner === undefined ? undefined : seen.get(owner)) ?? violations({ metadata, spec }, policy)
    if (owner !== undefined) seen.set(owner, found)
    if (found !== '') byViolation.set(found, [...(byViolation.get(found) ?? []), metadata.name ?? ''])
  }
  if (byViolation.size === 0) return []
  const title =
    standing.length > checked.length
      ? `new PodSecurity enforce level only checked against the first ${checked.length} of ${standing.length} existing pods`
      : undefined
  return [
    ...(title === undefined ? [] : [title]),
    `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(describePolicy(policy))}`,
    ...[...byViolation]
      .map(([found, [first, ...others]]) => {
        const more = others.length === 0 ? '' : ` (and ${others.length} other pod${others.length === 1 ? '' : 's'})`
        return `${first}${more}: ${found}`
      })
      .sort(),
  ]
}
