import { badRequestError, invalidError } from '../../api/machinery/errors.ts'
import { notSupported } from '../../api/machinery/field-errors.ts'

/** Whether nothing is to be written. Throws 422 for anything but All. */
export function isDryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun').filter((value) => value !== '')
  for (const value of values) {
    if (value !== 'All') {
      throw invalidError({ group: 'meta.k8s.io', kind: 'CreateOptions' }, '', [notSupported('dryRun', value, ['All'])])
    }
  }
  return values.length > 0
}

export function includeObjectOf(query: URLSearchParams): string {
  const value = query.get('includeObject') || 'Metadata'
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value
  throw badRequestError(`unrecognized value for includeObject: ${JSON.stringify(value)}`)
}

/** An integer in the query; undefined when absent. Throws 400. */
export function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^-?\d{1,15}$/.test(text)) {
    throw badRequestError(`${name}: Invalid value: ${JSON.stringify(text)}: must be an integer`)
  }
  return Number(text)
}
