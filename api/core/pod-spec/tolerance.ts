import type { ObjectMeta, PodSpec } from '../../generated/types.ts'
import { hasInvalidRequiredAffinityValue, hasInvalidSelectorValue } from './affinity.ts'
import { deletionCostIsValid } from './annotations.ts'
import { isSidecar, visitContainers } from './containers-of.ts'
import type { PodValidationOptions } from './options.ts'
import { hasNonLocalTokenPath } from './projected-volume.ts'
import { hasIndivisibleHugePages } from './resources.ts'
import { hasHostNamespaceSysctl } from './security-context.ts'
import { hasInvalidSpreadLabelKeys, hasInvalidSpreadSelector } from './topology-spread.ts'

const strict: PodValidationOptions = {
  resourceIsPod: false,
  allowInvalidDeletionCost: false,
  allowInvalidSelectorValues: false,
  allowInvalidRequiredNodeAffinityValues: false,
  allowInvalidSpreadSelectors: false,
  allowInvalidSpreadLabelKeys: false,
  allowIndivisibleHugePages: false,
  allowNonLocalTokenPaths: false,
  allowHostNamespaceSysctls: false,
  allowAnySELinuxChangePolicy: false,
  allowComparisonTolerations: false,
  allowHostNetworkWithUserNamespaces: false,
  allowVolumeDevicesWithUserNamespaces: false,
  allowRestartOnResizeOfInitContainers: false,
}
const strictForPods: PodValidationOptions = { ...strict, resourceIsPod: true }

/** The options for a new pod or template, or for the successor of `old`. */
export function podValidationOptions(
  resourceIsPod: boolean,
  old?: { metadata?: ObjectMeta; spec?: PodSpec },
): PodValidationOptions {
  const base = resourceIsPod ? strictForPods : strict
  if (!old?.spec) return base
  const { spec } = old
  const userNamespaces = spec.hostUsers === false
  return {
    ...base,
    allowInvalidDeletionCost: !deletionCostIsValid(old.metadata?.annotations),
    allowInvalidSelectorValues: hasInvalidSelectorValue(spec.affinity),
    allowInvalidRequiredNodeAffinityValues: hasInvalidRequiredAffinityValue(spec.affinity),
    allowInvalidSpreadSelectors: hasInvalidSpreadSelector(spec.topologySpreadConstraints),
    allowInvalidSpreadLabelKeys: hasInvalidSpreadLabelKeys(spec.topologySpreadConstraints),
    allowIndivisibleHugePages: hasIndivisibleHugePages(spec),
    allowNonLocalTokenPaths: hasNonLocalTokenPath(spec.volumes),
    allowHostNamespaceSysctls: hasHostNamespaceSysctl(spec),
    allowAnySELinuxChangePolicy: spec.securityContext?.seLinuxChangePolicy !== undefined,
    allowComparisonTolerations: (spec.tolerations ?? []).some((t) => t.operator === 'Lt' || t.operator === 'Gt'),
    allowHostNetworkWithUserNamespaces: userNamespaces && spec.hostNetwork === true,
    allowVolumeDevicesWithUserNamespaces: userNamespaces && hasVolumeDevices(spec),
    allowRestartOnResizeOfInitContainers: (spec.initContainers ?? []).some(
      (c) => !isSidecar(c) && (c.resizePolicy ?? []).some((policy) => policy.restartPolicy === 'RestartContainer'),
    ),
  }
}

function hasVolumeDevices(spec: PodSpec): boolean {
  let found = false
  visitContainers(spec, '', (container) => {
    if (container.volumeDevices?.length) found = true
  })
  return found
}
