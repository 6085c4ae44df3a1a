/**
 * Rules that came after objects were already stored: what the old object breaks, its update may go on breaking. All
 * false, except `resourceIsPod`, which holds for pods themselves and not for templates.
 */
export interface PodValidationOptions {
  resourceIsPod: boolean
  allowInvalidDeletionCost: boolean
  allowInvalidSelectorValues: boolean
  allowInvalidRequiredNodeAffinityValues: boolean
  allowInvalidSpreadSelectors: boolean
  allowInvalidSpreadLabelKeys: boolean
  allowIndivisibleHugePages: boolean
  allowNonLocalTokenPaths: boolean
  allowHostNamespaceSysctls: boolean
  allowAnySELinuxChangePolicy: boolean
  allowComparisonTolerations: boolean
  allowHostNetworkWithUserNamespaces: boolean
  allowVolumeDevicesWithUserNamespaces: boolean
  allowRestartOnResizeOfInitContainers: boolean
}
