import type { CoreV1Event, LabelSelector, Node, Pod } from '../../api/generated/types.ts'
import { labelSelectorMatches } from '../../api/machinery/labels.ts'
import { quantityToNumber } from '../../api/machinery/quantity.ts'
import type { Live } from '../../client/types.ts'
import { podHint } from '../describe/pod-hint.ts'
import { podAmounts } from '../describe/pod-resources.ts'
import { eventMs } from '../event-time.ts'
import { type Health, healthOf } from '../health.ts'
import { kindName } from '../kinds.ts'
import type { Subject } from '../workloads.ts'
import { claimReason } from './claim-reason.ts'

/** What a cluster is made of, as far as its state goes. */
export interface World {
  nodes: readonly Subject[]
  pods: readonly Subject[]
  workloads: readonly Subject[]
  claims: readonly Subject[]
  events: readonly Live<CoreV1Event>[]
}

export interface Overview {
  nodes: NodeLine[]
  pods: { ready: number; total: number }
  /** What is not as it should be, the worst first. */
  troubles: Trouble[]
  rollouts: { subject: Subject; health: Health }[]
  warnings: Warning[]
}

export interface NodeLine {
  subject: Subject
  health: Health
  pods: number
  /** What its pods ask for, as part of what it has; undefined where it does not say what it has. */
  cpu: number | undefined
  memory: number | undefined
}

export interface Trouble {
  subject: Subject
  health: Health
  /** In a line, and what to do. */
  why: string | undefined
}

export interface Warning {
  namespace: string
  object: string
  reason: string
  message: string
  count: number
  lastMs: number
}

const recentMs = 15 * 60_000

/** A cluster in one screen, from its objects. */
export function overviewOf(world: World, nowMs: number): Overview {
  const pods = world.pods.map((subject) => ({
    subject,
    pod: subject.object as unknown as Live<Pod>,
    health: healthOf(subject),
  }))
  const alive = pods.filter(({ pod }) => pod.status?.phase !== 'Succeeded')
  const workloads = world.workloads.map((subject) => ({ subject, health: healthOf(subject) }))
  const isRollout = ({ subject, health }: (typeof workloads)[number]) => health.state === 'going' && isChanging(subject)
  const ailing = workloads.filter((each) => ['going', 'ill'].includes(each.health.state) && !isRollout(each))
  const why = (pod: Live<Pod>) =>
    podHint(
      pod,
      world.events.filter(({ involvedObject }) => involvedObject?.uid === pod.metadata.uid),
      nowMs,
    )
  const ofWorkload = ({ object }: Subject) => {
    const { selector } = (object.spec ?? {}) as { selector?: LabelSelector }
    const own = alive.filter(
      ({ pod, health }) =>
        health.state !== 'well' &&
        pod.metadata.namespace === object.metadata.namespace &&
        selector !== undefined &&
        labelSelectorMatches(selector, pod.metadata.labels ?? {}),
    )
    return own
      .map(
        ({ pod, health }) =>
          why(pod) ?? (health.state === 'ill' ? `pod ${pod.metadata.name}: ${health.text}` : undefined),
      )
      .find((text) => text !== undefined)
  }
  const alone = alive.filter(({ pod, health }) => health.state !== 'well' && !pod.metadata.ownerReferences?.length)
  const claims = world.claims.map((subject) => ({ subject, health: healthOf(subject) }))
  return {
    nodes: world.nodes.map((subject) =>
      nodeLine(
        subject,
        pods.map(({ pod }) => pod),
      ),
    ),
    pods: { ready: alive.filter(({ health }) => health.state === 'well').length, total: alive.length },
    troubles: [
      ...ailing.map(({ subject, health }) => ({ subject, health, why: ofWorkload(subject) ?? conditionOf(subject) })),
      ...alone.map(({ subject, pod, health }) => ({ subject, health, why: why(pod) })),
      ...claims
        .filter(({ health }) => health.state !== 'well')
        .map((each) => ({ ...each, why: claimReason(each.subject, world) })),
    ].sort((a, b) => Number(b.health.state === 'ill') - Number(a.health.state === 'ill')),
    rollouts: workloads.filter(isRollout),
    warnings: warningsOf(world, nowMs),
  }
}

/** What the statuses of those that are rolled out say of it. */
interface RolloutStatus {
  observedGeneration?: number
  replicas?: number
  updatedReplicas?: number
  desiredNumberScheduled?: number
  updatedNumberScheduled?: number
  currentRevision?: string
  updateRevision?: string
}

/** Whether its pods are being replaced by others, rather than just missing. */
function isChanging({ object }: Subject): boolean {
  const { metadata } = object
  const status = (object.status ?? {}) as RolloutStatus
  if ((metadata.generation ?? 0) > (status.observedGeneration ?? 0)) return true
  if (status.updateRevision !== status.currentRevision) return true
  const [all, updated] =
    status.desiredNumberScheduled === undefined
      ? [status.replicas ?? 0, status.updatedReplicas ?? status.replicas ?? 0]
      : [status.desiredNumberScheduled, status.updatedNumberScheduled ?? 0]
  return updated < all
}

function conditionOf({ object }: Subject): string | undefined {
  const { conditions = [] } = (object.status ?? {}) as {
    conditions?: { type: string; status: string; message?: string }[]
  }
  const said = conditions.find(
    ({ type, status }) =>
      (type === 'ReplicaFailure' && status === 'True') ||
      (type === 'Failed' && status === 'True') ||
      (type === 'Progressing' && status === 'False'),
  )
  return said?.message
}

function nodeLine(subject: Subject, pods: readonly Live<Pod>[]): NodeLine {
  const { metadata, status } = subject.object as unknown as Live<Node>
  const own = pods.filter(
    ({ spec, status: is }) => spec?.nodeName === metadata.name && is?.phase !== 'Succeeded' && is?.phase !== 'Failed',
  )
  const part = (name: 'cpu' | 'memory') => {
    const room = quantityToNumber(status?.allocatable?.[name])
    if (room === 0) return undefined
    return own.reduce((total, pod) => total + quantityToNumber(podAmounts(pod, 'requests')[name]), 0) / room
  }
  return { subject, health: healthOf(subject), pods: own.length, cpu: part('cpu'), memory: part('memory') }
}

/** Warnings of the last minutes, those of one object and reason as one, the newest first. Of pods that have gone, none. */
function warningsOf({ events, pods }: World, nowMs: number): Warning[] {
  const there = new Set(pods.map(({ object }) => object.metadata.uid))
  const found = new Map<string, Warning>()
  for (const event of events) {
    const { type, reason = '', message = '', involvedObject, count, series } = event
    const lastMs = eventMs(event)
    if (type !== 'Warning' || nowMs - lastMs > recentMs) continue
    if (involvedObject?.kind === 'Pod' && involvedObject.uid && !there.has(involvedObject.uid)) continue
    const object = `${(involvedObject?.kind ?? '').toLowerCase()}/${involvedObject?.name ?? ''}`
    const namespace = involvedObject?.namespace ?? ''
    const key = `${namespace} ${object} ${reason}`
    const known = found.get(key)
    const times = series?.count ?? count ?? 1
    if (known && known.lastMs > lastMs) known.count += times
    else
      found.set(key, { namespace, object, reason, message: message.trim(), count: times + (known?.count ?? 0), lastMs })
  }
  return [...found.values()].sort((a, b) => b.lastMs - a.lastMs)
}

/** `default/deployment.apps/web`. */
export function subjectName({ kind, object }: Subject): string {
  const { name, namespace } = object.metadata
  return `${namespace ? `${namespace}/` : ''}${kindName(kind)}/${name}`
}
