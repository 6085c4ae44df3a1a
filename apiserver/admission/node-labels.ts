/** Labels of Kubernetes' own namespaces that a node may put on itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'beta.kubernetes.io/instance-type',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])
const ownNamespaces = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const restrictedNamespace = 'node-restriction.kubernetes.io'

/** Labels changed between the two that a node must not touch, since workloads are steered by them. Sorted. */
export function forbiddenNodeLabels(
  labels: Readonly<Record<string, string>>,
  old: Readonly<Record<string, string>>,
): string[] {
  const changed = [...new Set([...Object.keys(labels), ...Object.keys(old)])].filter((key) => labels[key] !== old[key])
  return changed.filter(isForbidden).sort()
}

function isForbidden(label: string): boolean {
  const slash = label.indexOf('/')
  const namespace = slash < 0 ? '' : label.slice(0, slash)
  if (isWithin(namespace, restrictedNamespace)) return true
  const isKubernetes = isWithin(namespace, 'kubernetes.io') || isWithin(namespace, 'k8s.io')
  return isKubernetes && !ownLabels.has(label) && !ownNamespaces.some((own) => isWithin(namespace, own))
}

const isWithin = (namespace: string, domain: string): boolean =>
  namespace === domain || namespace.endsWith(`.${domain}`)
