import type { CoreV1Event, LabelSelector, Pod } from '../../api/generated/types.ts'
import { formatSelectorString } from '../../api/machinery/labels.ts'
import type { Live } from '../../client/types.ts'
import type { NamedObject } from '../objects.ts'
import type { Surroundings } from './describer.ts'
import { podHint } from './pod-hint.ts'

/** As a rule all that fail do so for one reason: no more of them are asked for their events. */
const lookedAt = 3

/** What to do about a workload that is not as it should be: what keeps its pods from being made or from getting on. */
export async function workloadHint(
  object: NamedObject,
  { list, nowMs }: Pick<Surroundings, 'list' | 'nowMs'>,
): Promise<string | undefined> {
  const { namespace } = object.metadata
  const { selector } = (object.spec ?? {}) as { selector?: LabelSelector }
  const labelSelector = formatSelectorString(selector)
  const pods = selector ? await list<Pod>('pods', { namespace, labelSelector }) : []
  for (const pod of pods.filter(isUnwell).slice(0, lookedAt)) {
    const fieldSelector = `involvedObject.uid=${pod.metadata.uid}`
    const hint = podHint(pod, await list<CoreV1Event>('events', { namespace, fieldSelector }), nowMs)
    if (hint) return `pod ${pod.metadata.name}: ${hint}`
  }
  return failureOf(object)
}

function isUnwell({ status }: Live<Pod>): boolean {
  const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  return status?.phase !== 'Succeeded' && !isReady
}

/** Why pods cannot be made, which the table of conditions does not say. */
function failureOf({ status }: NamedObject): string | undefined {
  const { conditions = [] } = (status ?? {}) as {
    conditions?: { type: string; status: string; message?: string }[]
  }
  return conditions.find(({ type, status: is }) => type === 'ReplicaFailure' && is === 'True')?.message
}
