import { quantityMilli } from '../../api/machinery/quantity.ts'
import { parseTime } from '../../api/machinery/time.ts'
import type { PodSample, PodSamples, PodView, ReadinessRules } from './types.ts'

/** The pods of a target, by what their samples are worth. */
export interface PodGroups {
  readyCount: number
  /** Their samples do not count, but they will come to work: on the way up they use nothing. */
  unready: ReadonlySet<string>
  /** Without a sample. */
  missing: ReadonlySet<string>
  /** On their way out. */
  ignored: ReadonlySet<string>
}

/** Sorts the pods for a metric; `resource` is undefined for one that is no resource. */
export function groupPods(
  pods: readonly PodView[],
  samples: PodSamples,
  resource: string | undefined,
  rules: ReadinessRules,
  nowMs: number,
): PodGroups {
  const unready = new Set<string>()
  const missing = new Set<string>()
  const ignored = new Set<string>()
  let readyCount = 0
  for (const pod of pods) {
    const { name, deletionTimestamp } = pod.metadata
    const phase = pod.status?.phase
    const sample = samples.get(name)
    if (deletionTimestamp !== undefined || phase === 'Failed') ignored.add(name)
    else if (phase === 'Pending') unready.add(name)
    else if (!sample) missing.add(name)
    // Only a start costs CPU that says nothing of the load.
    else if (resource === 'cpu' && !isSampleOfWork(pod, sample, rules, nowMs)) unready.add(name)
    else readyCount++
  }
  return { readyCount, unready, missing, ignored }
}

function isSampleOfWork({ status }: PodView, sample: PodSample, rules: ReadinessRules, nowMs: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const startedMs = parseTime(status?.startTime ?? '')
  if (!ready || startedMs === undefined) return false
  const changedMs = parseTime(ready.lastTransitionTime ?? '') ?? 0
  if (startedMs + rules.cpuInitializationPeriodMs > nowMs) {
    // It may still be starting: one whole window must lie behind its becoming ready.
    return ready.status !== 'False' && sample.timestampMs >= changedMs + sample.windowMs
  }
  // Not ready from the beginning: it has never done any work.
  return ready.status !== 'False' || startedMs + rules.initialReadinessDelayMs <= changedMs
}

/**
 * What each pod requests of the resource, in thousandths: of one container where that is named, else of the pod itself
 * where it says so, else of all its containers. Throws an Error for a pod that requests none.
 */
export function requestsOf(
  pods: readonly PodView[],
  resource: string,
  container: string | undefined,
): Map<string, number> {
  return new Map(pods.map((pod) => [pod.metadata.name, requestOf(pod, resource, container)]))
}

function requestOf({ metadata, spec }: PodView, resource: string, container: string | undefined): number {
  const own = spec?.resources?.requests
  const containers = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ]
  if (container === undefined && own && Object.keys(own).length > 0) {
    const ofContainers = containers.flatMap(({ resources }) => resources?.requests?.[resource] ?? [])
    const ofPod = own[resource]
    if (ofPod === undefined && ofContainers.length === 0) {
      throw new Error(`missing pod-level request for ${resource} in Pod ${metadata.name}`)
    }
    const overhead = quantityMilli(spec?.overhead?.[resource])
    return (ofPod === undefined ? sumOf(ofContainers) : quantityMilli(ofPod)) + overhead
  }
  const counted = container === undefined ? containers : containers.filter(({ name }) => name === container)
  if (container !== undefined && counted.length === 0) {
    throw new Error(`container ${container} not found in Pod ${metadata.name}`)
  }
  return sumOf(
    counted.map(({ name, resources }) => {
      const request = resources?.requests?.[resource]
      if (request === undefined) {
        throw new Error(`missing request for ${resource} in container ${name} of Pod ${metadata.name}`)
      }
      return request
    }),
  )
}

const sumOf = (quantities: readonly (string | number)[]): number =>
  quantities.reduce<number>((total, quantity) => total + quantityMilli(quantity), 0)
