import type { ContainerStatus, PodCondition } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { type BoundPod, isSidecar } from './types.ts'

/** Those that are there only while they hold. */
export const resizeConditions = ['PodResizePending', 'PodResizeInProgress'] as const

/** The conditions an agent writes; all others belong to someone else and are kept. */
export const ownConditions: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  ...resizeConditions,
])

export interface ConditionInputs {
  pod: BoundPod
  /** Of init and regular containers. */
  statuses: readonly ContainerStatus[]
  phase: string
  /** Of a change of the pod's size, as they are now. */
  resize: readonly PodCondition[]
  /** A sandbox with its network is there. */
  hasSandbox: boolean
  anyRegularStarted: boolean
  /** As last written, for the times of transition; others' conditions are kept from it. */
  before: readonly PodCondition[]
  now: number
}

/** All conditions of the pod, in upstream's order. */
export function podConditions(inputs: ConditionInputs): PodCondition[] {
  const { pod, before, now, hasSandbox } = inputs
  const others = (pod.status?.conditions ?? []).filter(({ type }) => !ownConditions.has(type))
  const disruption = before.find(({ type }) => type === 'DisruptionTarget')
  const kept = disruption && !others.some(({ type }) => type === 'DisruptionTarget') ? [...others, disruption] : others
  const containersReady = containersReadyOf(inputs)
  const own: PodCondition[] = [
    { type: 'PodReadyToStartContainers', status: hasSandbox ? 'True' : 'False' },
    { type: 'Initialized', ...initializedOf(inputs) },
    { type: 'Ready', ...readyOf(inputs, containersReady, kept) },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
  ]
  const generation = pod.metadata.generation
  return [
    ...kept,
    ...inputs.resize.map((condition) => withTransition(condition, before, now)),
    ...own.map((condition) => ({
      ...withTransition(condition, before, now),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    })),
  ]
}

/** The time of transition is the old one as long as the status is. */
export function withTransition(condition: PodCondition, before: readonly PodCondition[], now: number): PodCondition {
  const old = before.find(({ type }) => type === condition.type)
  const lastTransitionTime =
    old?.status === condition.status ? (old.lastTransitionTime ?? formatTime(now)) : formatTime(now)
  return { ...condition, lastTransitionTime }
}

type Verdict = Omit<PodCondition, 'type'>

const listed = (names: readonly string[]): string => `[${names.join(' ')}]`

function containersReadyOf({ pod, statuses, phase }: ConditionInputs): Verdict {
  const byName = new Map(statuses.map((status) => [status.name, status]))
  const counted = [...(pod.spec.initContainers ?? []).filter(isSidecar), ...pod.spec.containers]
  const unknown = counted.filter(({ name }) => !byName.has(name)).map(({ name }) => name)
  const unready = counted.filter(({ name }) => byName.get(name)?.ready === false).map(({ name }) => name)
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${listed(unknown)}`] : []),
    ...(unready.length > 0 ? [`containers with unready status: ${listed(unready)}`] : []),
  ].join(', ')
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotReady', message }
}

function readyOf({ pod }: ConditionInputs, containersReady: Verdict, others: readonly PodCondition[]): Verdict {
  if (containersReady.status !== 'True') return containersReady
  const messages = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = others.find(({ type }) => type === conditionType)
    if (!gate) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    if (gate.status === 'True') return []
    return [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`]
  })
  if (messages.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
}

function initializedOf({ pod, statuses, phase, anyRegularStarted }: ConditionInputs): Verdict {
  const byName = new Map(statuses.map((status) => [status.name, status]))
  const init = pod.spec.initContainers ?? []
  const unknown = init.filter(({ name }) => !byName.has(name)).map(({ name }) => name)
  if (phase === 'Succeeded' && unknown.length === 0) return { status: 'True', reason: 'PodCompleted' }
  if (anyRegularStarted) return { status: 'True' }
  const incomplete = init
    .filter((container) => {
      const status = byName.get(container.name)
      return status && !(isSidecar(container) ? status.started : status.ready)
    })
    .map(({ name }) => name)
  const message = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${listed(unknown)}`] : []),
    ...(incomplete.length > 0 ? [`containers with incomplete status: ${listed(incomplete)}`] : []),
  ].join(', ')
  return message === '' ? { status: 'True' } : { status: 'False', reason: 'ContainersNotInitialized', message }
}
