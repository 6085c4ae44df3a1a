import { parse } from 'yaml'

/** How one metric is read from Prometheus. */
export interface MetricRule {
  name: string
  kind: 'pods' | 'object' | 'external'
  /** Of an object: `services`, `ingresses.networking.k8s.io`. */
  resource: string
  /** PromQL in which {@link labelsPlaceholder} stands for what is asked for. */
  query: string
  /** By which labels the series name their namespace and their object. */
  labels: { namespace: string; object: string }
  /** Over how long the query looks back, for those who compare it with the time of a change. */
  windowSeconds: number | undefined
}

export const labelsPlaceholder = '<<labels>>'

const kinds = ['pods', 'object', 'external'] as const
const fields = new Set(['name', 'kind', 'resource', 'query', 'labels', 'windowSeconds'])
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/

/** Reads a file of rules. Throws an Error that says which rule makes no sense, and why. */
export function parseRules(text: string): MetricRule[] {
  const document: unknown = parse(text)
  if (!isRecord(document) || !Array.isArray(document.metrics)) throw new Error('it must hold a list "metrics"')
  const rules = document.metrics.map((entry: unknown, i) => ruleOf(entry, `metrics[${i}]`))
  const seen = new Set<string>()
  for (const { kind, resource, name } of rules) {
    const key = `${kind} ${resource} ${name}`
    if (seen.has(key)) throw new Error(`there are two rules for the metric ${name} of ${resource || kind}`)
    seen.add(key)
  }
  return rules
}

function ruleOf(entry: unknown, at: string): MetricRule {
  if (!isRecord(entry)) throw new Error(`${at} is no rule`)
  for (const field of Object.keys(entry)) if (!fields.has(field)) throw new Error(`${at}.${field} is not known`)
  const text = (field: string) => {
    const value = entry[field]
    if (typeof value !== 'string' || value === '') throw new Error(`${at}.${field} must be a text`)
    return value
  }
  const name = text('name')
  if (name.includes('/') || name === '*')
    throw new Error(`${at}.name: ${JSON.stringify(name)} cannot be part of a path`)
  const kind = kinds.find((candidate) => candidate === entry.kind)
  if (!kind) throw new Error(`${at}.kind must be one of ${kinds.join(', ')}`)
  const query = text('query')
  if (!query.includes(labelsPlaceholder)) {
    throw new Error(`${at}.query must hold ${labelsPlaceholder}, where the labels go that choose what is asked for`)
  }
  const { windowSeconds } = entry
  if (windowSeconds !== undefined && (!Number.isInteger(windowSeconds) || (windowSeconds as number) <= 0)) {
    throw new Error(`${at}.windowSeconds must be a whole number of seconds`)
  }
  const resource = kind === 'object' ? text('resource') : kind === 'pods' ? 'pods' : ''
  return {
    name,
    kind,
    resource,
    query,
    labels: labelsOf(entry.labels, kind, resource, `${at}.labels`),
    windowSeconds: windowSeconds as number | undefined,
  }
}

/** `services` are told apart by the label `service`, unless the rule says otherwise. */
function labelsOf(given: unknown, kind: MetricRule['kind'], resource: string, at: string): MetricRule['labels'] {
  const usual = {
    // What lies outside of the cluster belongs to no namespace, unless the rule says so.
    namespace: kind === 'external' ? '' : 'namespace',
    object: resource.split('.')[0]?.replace(/(?<=ss)es$|s$/, '') ?? '',
  }
  if (given === undefined) return usual
  if (!isRecord(given)) throw new Error(`${at} must hold namespace or object, with the names of labels`)
  for (const [part, label] of Object.entries(given)) {
    if (part !== 'namespace' && part !== 'object') throw new Error(`${at}.${part} is not known`)
    if (typeof label !== 'string' || !labelName.test(label))
      throw new Error(`${at}.${part} must be the name of a label`)
  }
  return { ...usual, ...(given as Partial<MetricRule['labels']>) }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
