import { badRequestError, methodNotAllowedError, StatusError } from '../../api/machinery/errors.ts'
import { compileSelector } from '../../api/machinery/labels.ts'
import { apiVersionOf } from '../../api/machinery/object.ts'
import { formatQuantity } from '../../api/machinery/quantity.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { sendObject } from '../handlers/respond.ts'
import type { GroupRequest, NamedResource, ServedGroup } from '../handlers/served-group.ts'
import { storePrefix } from '../registry/codec.ts'
import type { ServerCore } from '../server.ts'
import type { Query, Series } from './prometheus.ts'
import { queryFor } from './promql.ts'
import type { MetricRule } from './rules.ts'
import { requireOurs } from './step-back.ts'

const custom = 'custom.metrics.k8s.io'
const external = 'external.metrics.k8s.io'

/** The groups custom.metrics.k8s.io and external.metrics.k8s.io, read from Prometheus by rules. */
export function prometheusGroups(
  core: Pick<ServerCore, 'resources' | 'registry'>,
  rules: readonly MetricRule[],
  query: Query,
): ServedGroup[] {
  const ofObjects = rules.filter(({ kind }) => kind !== 'external')
  const ofOthers = rules.filter(({ kind }) => kind === 'external')
  const customGroup = (version: string): ServedGroup => ({
    group: custom,
    version,
    resources: ofObjects.map((rule) => namedAs(rule, kindOf(core, rule.resource))),
    async handle(request) {
      requireReading(request)
      requireOurs(request.server, custom, version)
      sendObject(request.res, 200, await customValues(core, ofObjects, query, version, request), request.media)
    },
  })
  const externalGroup: ServedGroup = {
    group: external,
    version: 'v1beta1',
    resources: ofOthers.map(({ name }) => ({
      name,
      namespaced: true,
      kind: 'ExternalMetricValueList',
      verbs: ['get'],
    })),
    async handle(request) {
      requireReading(request)
      requireOurs(request.server, external, 'v1beta1')
      sendObject(request.res, 200, await externalValues(ofOthers, query, request), request.media)
    },
  }
  const groups = [customGroup('v1beta2'), customGroup('v1beta1'), externalGroup]
  return groups.filter(({ resources }) => resources.length > 0)
}

const namedAs = ({ name, resource }: MetricRule, kind: Resource | undefined): NamedResource => ({
  name: `${resource}/${name}`,
  namespaced: kind?.namespaced ?? true,
  kind: 'MetricValueList',
  verbs: ['get'],
})

function requireReading({ info }: GroupRequest): void {
  if (info.verb !== 'get' && info.verb !== 'list') throw methodNotAllowedError()
}

async function customValues(
  core: Pick<ServerCore, 'resources' | 'registry'>,
  rules: readonly MetricRule[],
  query: Query,
  version: string,
  { info }: GroupRequest,
): Promise<object> {
  // A namespace's own is asked for by the word `metrics` where others have a resource.
  const ofNamespace = info.resource === 'metrics' && info.namespace !== ''
  const [resource, name, metric] = ofNamespace
    ? ['namespaces', info.namespace, info.name]
    : [info.resource, info.name, info.subresource]
  const rule = rules.find((candidate) => candidate.resource === resource && candidate.name === metric)
  if (!rule) throw metricNotFound(metric, resource)
  const kind = kindOf(core, resource)
  const namespace = ofNamespace ? '' : info.namespace
  const names = name === '*' ? namesOf(core, kind, namespace, info.query.get('labelSelector') ?? '') : [name]
  const selector = info.query.get('metricLabelSelector') ?? ''
  // No object, no question: a list of no names would choose all.
  const series = names.length === 0 ? [] : await query(queryFor(rule, { namespace, names, selector }))
  const values = series.filter(({ labels }) => names.length === 1 || names.includes(labels[rule.labels.object] ?? ''))
  if (name !== '*') {
    const [only] = values
    if (!only) throw metricNotFound(metric, resource, name)
    if (values.length > 1) {
      throw badRequestError(
        `the metric ${metric} comes to ${values.length} series for ${resource} ${name}; its query must come to one for each object`,
      )
    }
  }
  const about = (series: Series) => ({
    kind: kind?.kind ?? resource,
    ...(namespace === '' ? {} : { namespace }),
    name: names.length === 1 ? names[0] : series.labels[rule.labels.object],
    apiVersion: kind ? apiVersionOf(kind.group, kind.version) : '',
  })
  return {
    kind: 'MetricValueList',
    apiVersion: `${custom}/${version}`,
    metadata: {},
    items: values.map((series) => ({
      describedObject: about(series),
      ...(version === 'v1beta1' ? { metricName: metric } : { metric: { name: metric } }),
      ...measured(series, rule, version === 'v1beta1' ? 'window' : 'windowSeconds'),
    })),
  }
}

async function externalValues(rules: readonly MetricRule[], query: Query, { info }: GroupRequest): Promise<object> {
  const metric = info.resource
  const rule = rules.find(({ name }) => name === metric)
  if (!rule || info.name !== '' || info.namespace === '') throw metricNotFound(metric, external)
  const selector = info.query.get('labelSelector') ?? ''
  const series = await query(queryFor(rule, { namespace: info.namespace, names: undefined, selector }))
  return {
    kind: 'ExternalMetricValueList',
    apiVersion: `${external}/v1beta1`,
    metadata: {},
    items: series.map((one) => ({
      metricName: metric,
      metricLabels: one.labels,
      ...measured(one, rule, 'windowSeconds'),
    })),
  }
}

const measured = ({ value, timeMs }: Series, { windowSeconds }: MetricRule, window: string): object => ({
  timestamp: formatTime(timeMs),
  ...(windowSeconds === undefined ? {} : { [window]: windowSeconds }),
  value: formatQuantity({ nanos: BigInt(Math.round(clamp(value) * 1000)) * 1_000_000n, format: 'DecimalSI' }),
})

/** A quantity holds no infinity. */
const clamp = (value: number): number => Math.max(-1e18, Math.min(1e18, value))

/** The kind that a rule's resource is, where the server has it. */
const kindOf = ({ resources }: Pick<ServerCore, 'resources'>, resource: string): Resource | undefined =>
  resources.find(({ group, plural }) => resource === (group === '' ? plural : `${plural}.${group}`))

/** The names of the objects that the selector selects. */
function namesOf(
  { registry }: Pick<ServerCore, 'registry'>,
  kind: Resource | undefined,
  namespace: string,
  selector: string,
): string[] {
  if (!kind) return []
  let matches: (labels: Record<string, string>) => boolean
  try {
    matches = compileSelector(selector)
  } catch (error) {
    throw badRequestError(`unable to parse requirement: ${(error as Error).message}`)
  }
  const { cache } = registry(kind.group, kind.plural)
  return cache
    .range(storePrefix(kind, namespace))
    .filter(({ labels }) => matches(labels))
    .map(({ object }) => object.metadata.name ?? '')
}

const metricNotFound = (metric: string, resource: string, name?: string): StatusError =>
  new StatusError(
    404,
    'NotFound',
    `the server could not find the metric ${metric} for ${resource}${name === undefined ? '' : ` ${name}`}`,
  )
