import { requiredNodeTest } from '../../api/core/node-choice.ts'
import type { DaemonSet, Node, Pod, PodSpec, PodTemplateSpec, Toleration } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { tolerates } from '../node-lifecycle/taint-eviction.ts'
import { podFromTemplate } from '../pods/control.ts'
import { revisionLabel } from '../revisions/revisions.ts'

const generationAnnotation = 'deprecated.daemonset.template.generation'
const generationLabel = 'pod-template-generation'

/** A daemon stays on nodes in trouble, and runs where others are not let in. */
const toleratedTaints: readonly [key: string, effect: string][] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
]

/** The pod of the set for one node: the scheduler binds it, and may bind it nowhere else. */
export function daemonPod(set: Live<DaemonSet>, nodeName: string, hash: string): Pod {
  const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: set.metadata }
  const template = set.spec?.template ?? {}
  const generation = set.metadata.annotations?.[generationAnnotation]
  const labels = {
    ...template.metadata?.labels,
    ...(generation === undefined ? {} : { [generationLabel]: generation }),
    [revisionLabel]: hash,
  }
  const spec: PodSpec = {
    containers: [],
    ...template.spec,
    tolerations: daemonTolerations(template),
    affinity: onlyOn(template.spec?.affinity, nodeName),
  }
  return podFromTemplate(owner, { ...template, metadata: { ...template.metadata, labels }, spec })
}

/** Whether a node is to get a pod, and whether one that is there may stay. */
export function nodeTest(set: Live<DaemonSet>): (node: Live<Node>) => { run: boolean; stay: boolean } {
  const template = set.spec?.template ?? {}
  const tolerations = daemonTolerations(template)
  const fits = requiredNodeTest(template)
  const { nodeName } = template.spec ?? {}
  return (node) => {
    const { name, labels = {} } = node.metadata
    const wanted = (!nodeName || nodeName === name) && (fits?.({ name, labels }) ?? true)
    if (!wanted) return { run: false, stay: false }
    const kept = (node.spec?.taints ?? []).filter(
      (taint) => !tolerations.some((toleration) => tolerates(toleration, taint)),
    )
    return {
      run: kept.every(({ effect }) => effect !== 'NoExecute' && effect !== 'NoSchedule'),
      stay: kept.every(({ effect }) => effect !== 'NoExecute'),
    }
  }
}

/** The node that a pod is on, or waits for; undefined for one that any node may have. */
export function targetNode({ spec }: Pick<Pod, 'spec'>): string | undefined {
  if (spec?.nodeName) return spec.nodeName
  const terms = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In')
    if (field) return field.values?.length === 1 ? field.values[0] : undefined
  }
  return undefined
}

/** Whether the pod is of the present template. */
export function isCurrent(set: Live<DaemonSet>, { metadata }: Live<Pod>, hash: string): boolean {
  const generation = set.metadata.annotations?.[generationAnnotation]
  return (
    metadata.labels?.[revisionLabel] === hash ||
    (generation !== undefined && metadata.labels?.[generationLabel] === generation)
  )
}

function daemonTolerations({ spec }: PodTemplateSpec): Toleration[] {
  const taints = spec?.hostNetwork
    ? [...toleratedTaints, ['network-unavailable', 'NoSchedule'] as const]
    : toleratedTaints
  const added = taints.map(([key, effect]) => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect }))
  const isAdded = ({ key, operator = 'Equal', effect, value = '' }: Toleration) =>
    added.some((one) => one.key === key && one.operator === operator && one.effect === effect && value === '')
  return [...(spec?.tolerations ?? []).filter((toleration) => !isAdded(toleration)), ...added]
}

function onlyOn(affinity: PodSpec['affinity'], nodeName: string): NonNullable<PodSpec['affinity']> {
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  }
}
