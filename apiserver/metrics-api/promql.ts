import { badRequestError } from '../../api/machinery/errors.ts'
import { parseSelector } from '../../api/machinery/labels.ts'
import { labelsPlaceholder, type MetricRule } from './rules.ts'

/** What of a metric is asked for. */
export interface Wanted {
  /** '' where it has none. */
  namespace: string
  /** Undefined where the metric is of no object. */
  names: readonly string[] | undefined
  /** Of the series, as a selector string. */
  selector: string
}

/** The query for what is wanted. Throws 400 for a selector that Prometheus could not follow. */
export function queryFor({ query, labels }: MetricRule, { namespace, names, selector }: Wanted): string {
  const matchers = [
    ...(namespace !== '' && labels.namespace !== '' ? [`${labels.namespace}=${JSON.stringify(namespace)}`] : []),
    ...(names ? [anyOf(labels.object, names, false)] : []),
    ...requirementsOf(selector),
  ]
  return query.replaceAll(labelsPlaceholder, () => matchers.join(','))
}

function requirementsOf(selector: string): string[] {
  let requirements: ReturnType<typeof parseSelector>
  try {
    requirements = parseSelector(selector)
  } catch (error) {
    throw badRequestError(`unable to parse requirement: ${(error as Error).message}`)
  }
  return requirements.map(({ key, operator, values }) => {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key)) {
      throw badRequestError(`${JSON.stringify(key)} cannot be a label of a series in Prometheus`)
    }
    switch (operator) {
      case 'In':
        return anyOf(key, values, false)
      case 'NotIn':
        return anyOf(key, values, true)
      // A label that is not there is empty.
      case 'Exists':
        return `${key}!=""`
      case 'DoesNotExist':
        return `${key}=""`
      default:
        throw badRequestError(`series cannot be chosen by the operator ${operator}`)
    }
  })
}

function anyOf(label: string, values: readonly string[], not: boolean): string {
  const [only] = values
  if (values.length === 1) return `${label}${not ? '!=' : '='}${JSON.stringify(only)}`
  const pattern = values.map((value) => value.replace(/[\\^$.|?*+()[\]{}]/g, '\\$&')).join('|')
  return `${label}${not ? '!~' : '=~'}${JSON.stringify(pattern)}`
}
