import { parseDuration } from '../../api/machinery/duration.ts'
import { child, type FieldError, index, invalid } from '../../api/machinery/field-errors.ts'
import { isQualifiedName } from '../../api/machinery/names.ts'
import type { ExtenderConfig } from './types.ts'

/** Faults in the extenders of a configuration, by upstream's rules. */
export function checkExtenders(extenders: readonly ExtenderConfig[]): FieldError[] {
  const errors: FieldError[] = []
  const managed = new Set<string>()
  for (const [i, extender] of extenders.entries()) {
    const path = index('extenders', i)
    const { urlPrefix = '', prioritizeVerb, weight = 0, httpTimeout, managedResources = [] } = extender
    if (!URL.canParse(urlPrefix) || !/^https?:/.test(urlPrefix)) {
      errors.push(
        invalid(child(path, 'urlPrefix'), urlPrefix, 'has to be an address such as http://127.0.0.1:80/prefix'),
      )
    }
    if (prioritizeVerb && weight <= 0) {
      errors.push(invalid(child(path, 'weight'), weight, 'must have a positive weight applied to it'))
    }
    if (httpTimeout !== undefined && parseDuration(httpTimeout) === undefined) {
      errors.push(invalid(child(path, 'httpTimeout'), httpTimeout, 'not a duration such as 5s'))
    }
    for (const [j, { name }] of managedResources.entries()) {
      const at = child(index(child(path, 'managedResources'), j), 'name')
      const faults = isQualifiedName(name ?? '')
      errors.push(...faults.map((message) => invalid(at, name ?? '', message)))
      if (faults.length === 0 && !name.includes('/')) {
        errors.push(invalid(at, name, 'is an invalid extended resource name'))
      }
      if (managed.has(name)) errors.push(invalid(at, name, 'duplicate extender managed resource name'))
      managed.add(name)
    }
  }
  const binders = extenders.filter(({ bindVerb }) => bindVerb).length
  if (binders > 1) {
    errors.push(
      invalid('extenders', `found ${binders} extenders implementing bind`, 'only one extender can implement bind'),
    )
  }
  return errors
}
