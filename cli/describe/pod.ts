import { podQOS } from '../../api/core/pod-qos.ts'
import type { Container, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { containerLines, resourceLines, seccompLines } from './containers.ts'
import { describes, type Surroundings } from './describer.ts'
import {
  annotationsField,
  field,
  fieldIf,
  indent,
  labelsField,
  listed,
  longTime,
  phaseOrTerminating,
  section,
} from './lines.ts'
import { podHint } from './pod-hint.ts'
import { spreadLines, tolerationTexts } from './pod-template.ts'
import { volumeLines } from './volumes.ts'

/** A pod: where it is, what it is made of, how each container fares. */
export const pod = describes<Pod>(podLines, {
  hint: (object, events, { nowMs }) => podHint(object as unknown as Live<Pod>, events, nowMs),
})

/** The controller of an object, as `ReplicaSet/web-1`. */
export const controlledBy = ({ metadata }: { metadata: Pod['metadata'] }): string[] => {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller)
  return owner ? [field('Controlled By', `${owner.kind}/${owner.name}`)] : []
}

function podLines(object: Live<Pod>, { nowMs }: Surroundings): string[] {
  const { metadata, spec = { containers: [] }, status = {} } = object
  // As in kubectl, what else variables are made from stays empty.
  const fieldValue = (path: string) =>
    path === 'metadata.name' ? metadata.name : path === 'metadata.namespace' ? (metadata.namespace ?? '') : ''
  const ended = status.phase === 'Failed' || status.phase === 'Succeeded'
  const terminating = metadata.deletionTimestamp !== undefined && !ended
  return [
    field('Name', metadata.name),
    field('Namespace', metadata.namespace),
    ...fieldIf('Priority', spec.priority),
    ...fieldIf('Priority Class Name', spec.priorityClassName),
    ...fieldIf('Runtime Class Name', spec.runtimeClassName),
    ...fieldIf('Service Account', spec.serviceAccountName),
    field('Node', spec.nodeName ? `${spec.nodeName}/${status.hostIP ?? ''}` : '<none>'),
    ...(status.startTime ? [field('Start Time', longTime(status.startTime))] : []),
    ...labelsField('Labels', metadata.labels),
    ...annotationsField('Annotations', metadata.annotations),
    ...(terminating
      ? [
          field('Status', phaseOrTerminating(object, status.phase, nowMs)),
          field('Termination Grace Period', `${metadata.deletionGracePeriodSeconds ?? 0}s`),
        ]
      : [field('Status', status.phase)]),
    ...fieldIf('Reason', status.reason),
    ...fieldIf('Message', status.message),
    ...seccompLines(spec.securityContext?.seccompProfile, 0),
    field('IP', status.podIP),
    ...(status.podIPs?.length ? ['IPs:', ...indent(status.podIPs.map(({ ip }) => field('IP', ip)))] : ['IPs:\t<none>']),
    ...controlledBy(object),
    ...fieldIf('NominatedNodeName', status.nominatedNodeName),
    ...(spec.resources ? ['Resources:', ...indent(resourceLines(spec.resources))] : []),
    ...(spec.initContainers?.length
      ? containerLines('Init Containers', {
          containers: spec.initContainers,
          statuses: status.initContainerStatuses,
          fieldValue,
        })
      : []),
    ...containerLines('Containers', { containers: spec.containers, statuses: status.containerStatuses, fieldValue }),
    ...(spec.ephemeralContainers?.length
      ? containerLines('Ephemeral Containers', {
          containers: spec.ephemeralContainers as Container[],
          statuses: status.ephemeralContainerStatuses,
          fieldValue,
        })
      : []),
    ...readinessGateLines(object),
    ...(status.conditions?.length
      ? section('Conditions', ['Type\tStatus', ...status.conditions.map(({ type, status: is }) => `${type} \t${is} `)])
      : []),
    ...volumeLines(spec.volumes),
    field('QoS Class', podQOS(object)),
    ...labelsField('Node-Selectors', spec.nodeSelector),
    ...listed('Tolerations', tolerationTexts(spec.tolerations)),
    ...spreadLines(spec.topologySpreadConstraints),
    ...(spec.schedulingGroup
      ? section('SchedulingGroup', [field('PodGroupName', spec.schedulingGroup.podGroupName)])
      : []),
  ]
}

function readinessGateLines({ spec, status }: Live<Pod>): string[] {
  const gates = spec?.readinessGates ?? []
  if (gates.length === 0) return []
  const isOf = (gate: string) => status?.conditions?.find(({ type }) => type === gate)?.status ?? '<none>'
  return section('Readiness Gates', [
    'Type\tStatus',
    ...gates.map(({ conditionType }) => `${conditionType} \t${isOf(conditionType)} `),
  ])
}
