import type {
  LabelSelector,
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../api/generated/types.ts'
import { formatQuantity, quantityMilli } from '../../api/machinery/quantity.ts'
import {
  type PodFacts,
  replicasForShare,
  replicasForUsage,
  replicasForUtilization,
  replicasForValue,
} from './replicas.ts'
import type { PodSamples, Proposal, Reading, TargetScale } from './types.ts'

/** What the calculation for any metric is made from. */
export interface TargetFacts extends Omit<PodFacts, 'samples' | 'currentReplicas'> {
  namespace: string
  scale: TargetScale
}

/** Why a metric says nothing, for its condition and for the error of the whole. */
export interface Failure {
  reason: string
  /** For condition and event. */
  message: string
  /** With the metric named before it. */
  error: string
}

/** What a metric asks for, from what was read for it. */
export function proposeFor(
  metric: MetricSpec,
  reading: Reading,
  facts: TargetFacts,
): { proposal: Proposal } | { failure: Failure } {
  const source = sources[metric.type]
  if (!source) {
    const message = `unknown metric source type ${JSON.stringify(metric.type)}`
    return { failure: { reason: 'InvalidMetricSourceType', message, error: message } }
  }
  try {
    return { proposal: source.propose(metric, reading, facts) }
  } catch (error) {
    const { message } = error as Error
    return { failure: { reason: source.reason, message, error: `failed to get ${source.called(metric)}: ${message}` } }
  }
}

interface Source {
  /** Of the condition when it fails. */
  reason: string
  called: (metric: MetricSpec) => string
  propose: (metric: MetricSpec, reading: Reading, facts: TargetFacts) => Proposal
}

const sources: Record<string, Source> = {
  Resource: {
    reason: 'FailedGetResourceMetric',
    called: ({ resource }) => `${resource?.name} resource metric value`,
    propose(metric, reading, facts) {
      const { name, target } = metric.resource as NonNullable<MetricSpec['resource']>
      const { replicas, called, current } = forResource(name, undefined, target, reading, facts)
      return { replicas, metric: called, status: { type: 'Resource', resource: { name, current } } }
    },
  },
  ContainerResource: {
    reason: 'FailedGetContainerResourceMetric',
    called: ({ containerResource }) => `${containerResource?.container} container metric value`,
    propose(metric, reading, facts) {
      const { name, container, target } = metric.containerResource as NonNullable<MetricSpec['containerResource']>
      const { replicas, called, current } = forResource(name, container, target, reading, facts)
      const status: MetricStatus = { type: 'ContainerResource', containerResource: { name, container, current } }
      return { replicas, metric: called, status }
    },
  },
  Pods: {
    reason: 'FailedGetPodsMetric',
    called: () => 'pods metric value',
    propose(spec, reading, facts) {
      const { metric, target } = spec.pods as NonNullable<MetricSpec['pods']>
      const samples = samplesOf(reading, `unable to get metric ${metric.name}`)
      const count = replicasForUsage(podFacts(facts, samples), undefined, quantityMilli(target.averageValue))
      return {
        replicas: count.replicas,
        metric: `pods metric ${metric.name}`,
        status: { type: 'Pods', pods: { metric, current: { averageValue: decimal(count.usageMilli) } } },
      }
    },
  },
  Object: {
    reason: 'FailedGetObjectMetric',
    called: () => 'object metric value',
    propose(spec, reading, facts) {
      const { metric, target, describedObject } = spec.object as NonNullable<MetricSpec['object']>
      const { kind, name } = describedObject
      const of = (before: string) =>
        numberOf(reading, `${before}unable to get metric ${metric.name} on ${kind} ${facts.namespace}/${name}`)
      const status = (current: MetricValueStatus): MetricStatus => ({
        type: 'Object',
        object: { describedObject, metric, current },
      })
      if (target.type === 'Value' && target.value !== undefined) {
        const count = forValue(of(''), target.value, facts)
        return {
          replicas: count.replicas,
          metric: `${kind} metric ${metric.name}`,
          status: status({ value: decimal(count.usageMilli) }),
        }
      }
      if (target.type === 'AverageValue' && target.averageValue !== undefined) {
        const count = forShare(of(`failed to get ${metric.name} object metric: `), target.averageValue, facts)
        return {
          replicas: count.replicas,
          // In upstream, too, an object's metric that is shared out goes by this name.
          metric: externalName(metric),
          status: status({ averageValue: decimal(count.usageMilli) }),
        }
      }
      throw new Error('invalid object metric source: neither a value target nor an average value target was set')
    },
  },
  External: {
    reason: 'FailedGetExternalMetric',
    called: ({ external }) => `${external?.metric.name} external metric value`,
    propose(spec, reading, facts) {
      const { metric, target } = spec.external as NonNullable<MetricSpec['external']>
      const what = `unable to get external metric ${facts.namespace}/${metric.name}/${goSelector(metric.selector)}`
      const proposal = (replicas: number, current: MetricValueStatus): Proposal => ({
        replicas,
        metric: externalName(metric),
        status: { type: 'External', external: { metric, current } },
      })
      if (target.averageValue !== undefined) {
        const usage = numberOf(reading, `failed to get ${metric.name} external metric: ${what}`)
        const { replicas, usageMilli } = forShare(usage, target.averageValue, facts)
        return proposal(replicas, { averageValue: decimal(usageMilli) })
      }
      if (target.value !== undefined) {
        const usage = numberOf(reading, `failed to get external metric ${metric.name}: ${what}`)
        const { replicas, usageMilli } = forValue(usage, target.value, facts)
        return proposal(replicas, { value: decimal(usageMilli) })
      }
      throw new Error('invalid external metric source: neither a value target nor an average value target was set')
    },
  },
}

/** What was asked for, what it is called, and what is used now, of a resource. */
function forResource(
  name: string,
  container: string | undefined,
  { averageValue, averageUtilization }: MetricTarget,
  reading: Reading,
  facts: TargetFacts,
): { replicas: number; called: string; current: MetricValueStatus } {
  const amount = (milli: number) => formatQuantity({ nanos: nanosOf(milli), format: formatOf(name) })
  const samples = () => samplesOf(reading, `unable to get metrics for resource ${name}`)
  if (averageValue !== undefined) {
    const { replicas, usageMilli } = saying(`failed to get ${name} usage: `, () =>
      replicasForUsage(podFacts(facts, samples()), name, quantityMilli(averageValue)),
    )
    return { replicas, called: `${name} resource`, current: { averageValue: amount(usageMilli) } }
  }
  if (averageUtilization === undefined) {
    throw new Error(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    )
  }
  const { replicas, usageMilli, utilizationPercent } = saying(`failed to get ${name} utilization: `, () =>
    replicasForUtilization(podFacts(facts, samples()), name, container, averageUtilization),
  )
  return {
    replicas,
    called: `${name}${container === undefined ? '' : ' container'} resource utilization (percentage of request)`,
    current: { averageUtilization: utilizationPercent, averageValue: amount(usageMilli) },
  }
}

const forValue = (usageMilli: number, target: string | number, { scale, pods, tolerances }: TargetFacts) =>
  replicasForValue(usageMilli, quantityMilli(target), scale.specReplicas, pods, tolerances)

const forShare = (usageMilli: number, target: string | number, { scale, tolerances }: TargetFacts) =>
  replicasForShare(usageMilli, quantityMilli(target), scale, tolerances)

const podFacts = ({ scale, ...facts }: TargetFacts, samples: PodSamples): PodFacts => ({
  ...facts,
  samples,
  currentReplicas: scale.specReplicas,
})

function samplesOf(reading: Reading, what: string): PodSamples {
  if (reading.of === 'pods') return reading.samples
  throw new Error(`${what}: ${reading.of === 'nothing' ? reading.message : 'it is not told pod by pod'}`)
}

function numberOf(reading: Reading, what: string): number {
  if (reading.of === 'target') return reading.milli
  throw new Error(`${what}: ${reading.of === 'nothing' ? reading.message : 'it is told pod by pod'}`)
}

/** The same error with words before it. */
function saying<T>(before: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new Error(`${before}${(error as Error).message}`)
  }
}

const formatOf = (resource: string) => (resource === 'memory' ? 'BinarySI' : 'DecimalSI')
const nanosOf = (milli: number): bigint => BigInt(Math.round(milli)) * 1_000_000n
const decimal = (milli: number): string => formatQuantity({ nanos: nanosOf(milli), format: 'DecimalSI' })

const externalName = ({ name, selector }: MetricIdentifier): string =>
  `external metric ${name}(${goSelector(selector)})`

/** A selector as upstream's messages show one. */
function goSelector(selector: LabelSelector | undefined): string {
  if (!selector) return 'nil'
  const { matchLabels = {}, matchExpressions = [] } = selector
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`)
    .join('')
  const expressions = matchExpressions
    .map(
      ({ key, operator, values = [] }) =>
        `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
    )
    .join('')
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`
}
