import type { MetricSpec, MetricStatus, Pod, V2HorizontalPodAutoscaler } from '../../api/generated/types.ts'
import { semanticEqual } from '../../api/machinery/field-rules.ts'
import { formatTime } from '../../api/machinery/time.ts'
import type { Controller } from '../../client/controller.ts'
import { keyOf, splitKey } from '../../client/key.ts'
import { horizontalPodAutoscalers, pods as podResource } from '../../client/resources.ts'
import { WorkQueue } from '../../client/work-queue.ts'
import type { ControllerDeps } from '../types.ts'
import { withCondition } from './conditions.ts'
import { newKinds } from './kinds.ts'
import { firstMemory, type Memory, scaled } from './memory.ts'
import { type Action, actionOf, autoscalerMetrics, type Fault } from './metrics.ts'
import { type MetricsReader, newMetricsReader } from './metrics-reader.ts'
import { canSleep, firstStep, planSize } from './plan.ts'
import { Selectors } from './selectors.ts'
import { readTarget, type Target, writeTarget } from './target.ts'
import type { Condition, Hpa, Note, PodView, Reading } from './types.ts'

/** What one look at an autoscaler has come to. */
interface Outcome {
  conditions: Condition[]
  currentReplicas: number
  /** Undefined: as it was told last. */
  desiredReplicas: number | undefined
  metrics: MetricStatus[]
  scaled: boolean
  error: string | undefined
}

/**
 * Scales what HorizontalPodAutoscalers name by their metrics: a look at each every sync period, whatever comes of it.
 * `metrics` is for tests.
 */
export function newHpaController(deps: ControllerDeps, metrics?: MetricsReader): Controller {
  const { api, events, clock, informers, log } = deps
  const options = deps.options.hpa
  const queue = new WorkQueue({ clock, name: 'horizontalpodautoscaler' })
  const hpas = informers.for<V2HorizontalPodAutoscaler>(horizontalPodAutoscalers)
  const pods = informers.for<Pod>(podResource)
  const kinds = newKinds(api, clock)
  const reader = metrics ?? newMetricsReader(api, kinds)
  const selectors = new Selectors()
  const memories = new Map<string, Memory>()
  const counts = autoscalerMetrics(deps.metrics)
  hpas.on({
    add: (hpa) => {
      counts.came()
      queue.add(keyOf(hpa))
    },
    // Its status is our own doing; another spec is looked at before its turn.
    update: (before, after) => {
      if (!semanticEqual(before.spec, after.spec)) queue.add(keyOf(after))
    },
    delete: (hpa) => {
      counts.went()
      queue.add(keyOf(hpa))
    },
  })

  async function reconcile(key: string, signal: AbortSignal): Promise<{ requeueAfterMs: number } | undefined> {
    const { namespace, name } = splitKey(key)
    const hpa = hpas.lister.get(namespace, name)
    if (!hpa) {
      selectors.forget(key)
      memories.delete(key)
      counts.forget(namespace, name)
      return undefined
    }
    const startedAt = clock.now()
    let [action, fault]: [Action, Fault] = ['none', 'none']
    try {
      const outcome = await look(key, hpa, signal)
      if (outcome.scaled) action = actionOf(outcome.currentReplicas, outcome.desiredReplicas)
      if (outcome.error !== undefined) fault = 'internal'
      if (outcome.desiredReplicas !== undefined) counts.wants(namespace, name, outcome.desiredReplicas)
      await writeStatus(hpa, outcome, signal)
      if (outcome.error !== undefined) log.warn({ hpa: key, err: outcome.error }, 'an autoscaler lacks metrics')
    } catch (error) {
      signal.throwIfAborted()
      fault = 'internal'
      // Its next turn is the next try: sooner, nothing would be known better.
      log.warn({ hpa: key, err: (error as Error).message }, 'an autoscaler could not be worked on')
    }
    counts.looked(action, fault, (clock.now() - startedAt) / 1000)
    return { requeueAfterMs: options.syncPeriodMs }
  }

  async function look(key: string, hpa: Hpa, signal: AbortSignal): Promise<Outcome> {
    const standing = hpa.status?.conditions ?? []
    const { kind, name } = hpa.spec.scaleTargetRef
    const reference = `${kind}/${hpa.metadata.namespace}/${name}`
    let target: Target
    try {
      target = await readTarget(api, kinds, hpa.metadata.namespace ?? '', hpa.spec.scaleTargetRef, signal)
    } catch (error) {
      signal.throwIfAborted()
      const { message } = error as Error
      note(hpa, { type: 'Warning', reason: 'FailedGetScale', message })
      return {
        conditions: withCondition(
          standing,
          'AbleToScale',
          false,
          'FailedGetScale',
          `the HPA controller was unable to get the target's current scale: ${message}`,
          clock.now(),
        ),
        currentReplicas: hpa.status?.currentReplicas ?? 0,
        desiredReplicas: undefined,
        metrics: hpa.status?.currentMetrics ?? [],
        scaled: false,
        error: `failed to query scale subresource for ${reference}: ${message}`,
      }
    }
    const able = withCondition(
      standing,
      'AbleToScale',
      true,
      'SucceededGetScale',
      "the HPA controller was able to get the target's current scale",
      clock.now(),
    )
    const currentReplicas = target.scale.spec?.replicas ?? 0
    if (!memories.has(key)) memories.set(key, firstMemory(currentReplicas, clock.now()))
    const step = firstStep(hpa, currentReplicas)
    switch (step.do) {
      case 'nothing':
        return {
          conditions: withCondition(
            able,
            'ScalingActive',
            false,
            'ScalingDisabled',
            'scaling is disabled since the replica count of the target is zero',
            clock.now(),
          ),
          currentReplicas,
          desiredReplicas: currentReplicas,
          metrics: [],
          scaled: false,
          error: undefined,
        }
      case 'resize':
        return resize(key, hpa, target, step, able, [], undefined, signal)
      case 'measure':
        return measure(key, hpa, target, able, signal)
    }
  }

  async function measure(
    key: string,
    hpa: Hpa,
    target: Target,
    conditions: Condition[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { namespace = '' } = hpa.metadata
    const { spec, status } = target.scale
    const scale = { specReplicas: spec?.replicas ?? 0, statusReplicas: status?.replicas ?? 0 }
    const unknown = (next: Condition[], statuses: MetricStatus[], error: string): Outcome => {
      note(hpa, { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: error })
      return {
        conditions: next,
        currentReplicas: scale.specReplicas,
        desiredReplicas: undefined,
        metrics: statuses,
        scaled: false,
        error: `failed to compute desired number of replicas based on listed metrics: ${error}`,
      }
    }
    const selector = status?.selector ?? ''
    const chosen = selectors.choose(key, selector, pods.lister.list(namespace))
    if ('refused' in chosen) {
      const { event, reason, message, error } = chosen.refused
      note(hpa, { type: 'Warning', reason: event, message: error })
      return unknown(withCondition(conditions, 'ScalingActive', false, reason, message, clock.now()), [], error)
    }
    const specs = hpa.spec.metrics ?? []
    const seconds: number[] = []
    const askedAt = clock.now()
    const readings = await Promise.all(
      specs.map(async (metric, i) => {
        const reading = await read(reader, metric, { namespace, selector }, signal)
        seconds[i] = (clock.now() - askedAt) / 1000
        return reading
      }),
    )
    signal.throwIfAborted()
    const sizing = planSize({
      hpa,
      scale,
      pods: chosen.pods as PodView[],
      readings,
      memory: memories.get(key) as Memory,
      conditions,
      options,
      nowMs: clock.now(),
    })
    memories.set(key, sizing.memory)
    for (const [i, asked] of sizing.asked.entries()) {
      const fault = asked === undefined ? 'internal' : 'none'
      counts.sized(specs[i]?.type ?? '', actionOf(scale.specReplicas, asked), fault, seconds[i] ?? 0)
    }
    for (const told of sizing.notes) note(hpa, told)
    const { replicas, reason } = sizing
    if (replicas === undefined) return unknown(sizing.conditions, sizing.metrics, sizing.error ?? '')
    if (replicas !== scale.specReplicas) {
      const wanted = { replicas, reason }
      return resize(key, hpa, target, wanted, sizing.conditions, sizing.metrics, sizing.error, signal)
    }
    return {
      conditions: sizing.conditions,
      currentReplicas: replicas,
      desiredReplicas: replicas,
      metrics: sizing.metrics,
      scaled: false,
      error: sizing.error,
    }
  }

  async function resize(
    key: string,
    hpa: Hpa,
    target: Target,
    { replicas, reason }: { replicas: number; reason: string },
    conditions: Condition[],
    statuses: MetricStatus[],
    error: string | undefined,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const currentReplicas = target.scale.spec?.replicas ?? 0
    const outcome = { currentReplicas, metrics: statuses }
    const set = (on: readonly Condition[], type: string, status: boolean, why: string, message: string) =>
      withCondition(on, type, status, why, message, clock.now())
    try {
      await writeTarget(api, target, replicas, signal)
    } catch (failure) {
      signal.throwIfAborted()
      const { message } = failure as Error
      const what = `New size: ${replicas}; reason: ${reason}; error: ${message}`
      note(hpa, { type: 'Warning', reason: 'FailedRescale', message: what })
      const why = `the HPA controller was unable to update the target scale: ${message}`
      return {
        ...outcome,
        conditions: set(conditions, 'AbleToScale', false, 'FailedUpdateScale', why),
        desiredReplicas: undefined,
        scaled: false,
        error: `failed to rescale: ${message}`,
      }
    }
    note(hpa, { type: 'Normal', reason: 'SuccessfulRescale', message: `New size: ${replicas}; reason: ${reason}` })
    log.info({ hpa: key, from: currentReplicas, to: replicas, reason }, 'rescaled')
    const memory = memories.get(key)
    if (memory) memories.set(key, scaled(memory, currentReplicas, replicas, hpa.spec.behavior, clock.now()))
    const able = set(
      conditions,
      'AbleToScale',
      true,
      'SucceededRescale',
      `the HPA controller was able to update the target scale to ${replicas}`,
    )
    const asleep = replicas === 0 && currentReplicas > 0 && canSleep(hpa)
    return {
      ...outcome,
      conditions: asleep
        ? set(able, 'ScaledToZero', true, 'ScaledToZero', 'the HPA controller scaled the workload to zero')
        : set(able, 'ScaledToZero', false, 'NotScaledToZero', 'the HPA controller did not scale the workload to zero'),
      desiredReplicas: replicas,
      scaled: true,
      error,
    }
  }

  async function writeStatus(hpa: Hpa, outcome: Outcome, signal: AbortSignal): Promise<void> {
    const { lastScaleTime, desiredReplicas = 0 } = hpa.status ?? {}
    const since = outcome.scaled ? formatTime(clock.now()) : lastScaleTime
    const status = {
      ...(since === undefined ? {} : { lastScaleTime: since }),
      currentReplicas: outcome.currentReplicas,
      desiredReplicas: outcome.desiredReplicas ?? desiredReplicas,
      ...(outcome.metrics.length > 0 ? { currentMetrics: outcome.metrics } : {}),
      conditions: outcome.conditions,
    }
    if (semanticEqual(hpa.status, status)) return
    // Without a version: the status is ours alone, and that the target sleeps by our doing must not be lost.
    const { resourceVersion: _, ...metadata } = hpa.metadata
    try {
      await api.update(horizontalPodAutoscalers, { ...hpa, metadata, status }, { subresource: 'status', signal })
    } catch (error) {
      signal.throwIfAborted()
      note(hpa, { type: 'Warning', reason: 'FailedUpdateStatus', message: (error as Error).message })
      throw error
    }
  }

  const note = (hpa: Hpa, { type, reason, message }: Note) =>
    events.event({ ...hpa, apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' }, type, reason, message)

  const workers = deps.options.workers['horizontal-pod-autoscaler'] ?? 5
  return { name: 'horizontal-pod-autoscaler', workers, queue, reconcile }
}

/** Never throws: what could not be read is part of what is known. */
async function read(
  reader: MetricsReader,
  spec: MetricSpec,
  at: { namespace: string; selector: string },
  signal: AbortSignal,
): Promise<Reading> {
  const { resource, containerResource, pods, object, external } = spec
  try {
    if (resource) return { of: 'pods', samples: await reader.resource(at, resource.name, undefined, signal) }
    if (containerResource) {
      const { name, container } = containerResource
      return { of: 'pods', samples: await reader.resource(at, name, container, signal) }
    }
    if (pods) return { of: 'pods', samples: await reader.pods(at, pods.metric, signal) }
    if (object) {
      const { describedObject, metric } = object
      return { of: 'target', milli: await reader.object(at.namespace, describedObject, metric, signal) }
    }
    if (external) return { of: 'target', milli: await reader.external(at.namespace, external.metric, signal) }
    return { of: 'nothing', message: 'it names no source' }
  } catch (error) {
    return { of: 'nothing', message: (error as Error).message }
  }
}
