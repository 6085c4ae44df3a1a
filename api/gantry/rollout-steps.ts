import { parse } from 'yaml'
import { parseDuration } from '../machinery/duration.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../machinery/field-errors.ts'
import { isNotMoreThan100Percent, validatePositiveIntOrPercent } from '../machinery/int-or-string.ts'

/** On a deployment: where its rollouts stop to be looked at, as a list in YAML or JSON. */
export const rolloutStepsAnnotation = 'gantry.dev/rollout-steps'
/** On a replica set: how many of the steps its rollout has passed. A label: rollbacks carry annotations about. */
export const stepsPassedLabel = 'gantry.dev/rollout-steps-passed'

/** A stop of a rollout: with so many new pods it waits for a yes. */
export interface RolloutStep {
  /** A number of new pods, or a percentage of all, rounded up. */
  hold: number | string
  /** The yes must last that long. */
  forMs: number
  /** The rollout fails unless that has happened by then; undefined: within the deployment's progress deadline. */
  withinMs: number | undefined
  question: Question
}

export type Question =
  /** A yes is an answer of 2xx. */
  | { ask: 'probe'; url: string }
  /** A yes is a result of the query in which every value is below, or above, the bound. */
  | { ask: 'prometheus'; url: string; query: string; below?: number; above?: number }

const stepFields = ['for', 'hold', 'probe', 'prometheus', 'within']
const prometheusFields = ['above', 'below', 'query', 'url']

/** Reads the annotation, which is at `path`. Steps that have a fault are left out. */
export function parseRolloutSteps(text: string, path: string): { steps: RolloutStep[]; errors: FieldError[] } {
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    return { steps: [], errors: [invalid(path, text, `is no YAML: ${(error as Error).message.split('\n')[0]}`)] }
  }
  if (!Array.isArray(value) || value.length === 0) {
    return { steps: [], errors: [invalid(path, text, 'must be a list of steps')] }
  }
  const errors: FieldError[] = []
  const steps = value.flatMap((item: unknown, i) => {
    const found: FieldError[] = []
    const step = stepOf(item, `${path}[${i}]`, found)
    errors.push(...found)
    return found.length === 0 && step ? [step] : []
  })
  return { steps, errors }
}

function stepOf(item: unknown, path: string, errors: FieldError[]): RolloutStep | undefined {
  if (!isObject(item)) {
    errors.push(invalid(path, item, 'must be an object'))
    return undefined
  }
  refuseOthers(item, stepFields, path, errors)
  const { hold } = item
  if (hold === undefined) errors.push(required(`${path}.hold`))
  else if (typeof hold !== 'string' && !Number.isInteger(hold)) {
    errors.push(invalid(`${path}.hold`, hold, 'must be a number of pods, or a percentage'))
  } else {
    const at = `${path}.hold`
    errors.push(...validatePositiveIntOrPercent(hold as number, at), ...isNotMoreThan100Percent(hold as number, at))
  }
  const forMs = durationAt(item.for, `${path}.for`, errors) ?? 0
  const withinMs = durationAt(item.within, `${path}.within`, errors)
  if (withinMs !== undefined && withinMs < forMs) {
    errors.push(invalid(`${path}.within`, item.within, 'must not be shorter than `for`'))
  }
  const question = questionOf(item, path, errors)
  return question && { hold: hold as number | string, forMs, withinMs, question }
}

function questionOf(item: Record<string, unknown>, path: string, errors: FieldError[]): Question | undefined {
  const { probe, prometheus } = item
  if ((probe === undefined) === (prometheus === undefined)) {
    errors.push(
      probe === undefined
        ? required(path, 'must ask something: probe or prometheus')
        : forbidden(`${path}.prometheus`, 'may not be set together with probe'),
    )
    return undefined
  }
  if (probe !== undefined) {
    const url = urlAt(probe, `${path}.probe`, errors)
    return url === undefined ? undefined : { ask: 'probe', url }
  }
  const at = `${path}.prometheus`
  if (!isObject(prometheus)) {
    errors.push(invalid(at, prometheus, 'must be an object'))
    return undefined
  }
  refuseOthers(prometheus, prometheusFields, at, errors)
  const url = urlAt(prometheus.url, `${at}.url`, errors)
  const { query } = prometheus
  if (typeof query !== 'string' || query === '') errors.push(required(`${at}.query`))
  const below = boundAt(prometheus.below, `${at}.below`, errors)
  const above = boundAt(prometheus.above, `${at}.above`, errors)
  if (prometheus.below === undefined && prometheus.above === undefined) {
    errors.push(required(at, 'must have a bound: below or above'))
  }
  if (url === undefined || typeof query !== 'string') return undefined
  const bounds = { ...(below === undefined ? {} : { below }), ...(above === undefined ? {} : { above }) }
  return { ask: 'prometheus', url, query, ...bounds }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function refuseOthers(object: object, fields: readonly string[], path: string, errors: FieldError[]): void {
  const others = Object.keys(object).filter((field) => !fields.includes(field))
  errors.push(...others.map((field) => notSupported(path, field, fields)))
}

function durationAt(value: unknown, path: string, errors: FieldError[]): number | undefined {
  if (value === undefined) return undefined
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms !== undefined && ms >= 0) return ms
  errors.push(invalid(path, value, 'must be a duration, such as 30s'))
  return undefined
}

function boundAt(value: unknown, path: string, errors: FieldError[]): number | undefined {
  if (value === undefined || typeof value === 'number') return value
  errors.push(invalid(path, value, 'must be a number'))
  return undefined
}

/** A service by its name as pods say it: `web`, `web.other`, or `web.other.svc` and whatever domain follows. */
export function serviceNamed(hostname: string): { name: string; namespace: string | undefined } | undefined {
  const [name = '', namespace, svc] = hostname.split('.')
  const isService = isDnsLabel(name) && (namespace === undefined || isDnsLabel(namespace))
  return isService && (svc === undefined || svc === 'svc') ? { name, namespace } : undefined
}

const isDnsLabel = (text: string): boolean => /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)

/** Only services are asked: a URL of somebody's choice would let them use the controllers' machine and its network. */
function urlAt(value: unknown, path: string, errors: FieldError[]): string | undefined {
  if (value === undefined) {
    errors.push(required(path))
    return undefined
  }
  const url = typeof value === 'string' ? URL.parse(value) : null
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    errors.push(invalid(path, value, 'must be an http or https URL'))
    return undefined
  }
  if (!serviceNamed(url.hostname)) {
    errors.push(invalid(path, value, 'must name a service as its host, such as web or web.other'))
    return undefined
  }
  return value as string
}
