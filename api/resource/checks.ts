import {
  duplicate,
  type FieldError,
  index,
  invalid,
  key,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../machinery/field-errors.ts'
import { isCIdentifier, isDNS1123Label, isDNS1123Subdomain, isQualifiedName } from '../machinery/names.ts'
import { validateDriverName } from '../storage/driver-name.ts'

/** Checks that claims, classes and slices of devices share. */

const maxPoolNameBytes = 253
const maxIdentifierBytes = 32
const maxDomainBytes = 63
const maxKeyBytes = maxDomainBytes + 1 + maxIdentifierBytes

/** Each item of a list of at most `max`; a longer list is not looked into. */
export function each<T>(
  items: readonly T[] | undefined,
  max: number,
  path: string,
  check: (item: T, path: string) => FieldError[],
): FieldError[] {
  const list = items ?? []
  if (list.length > max) return [tooMany(path, list.length, max)]
  return list.flatMap((item, i) => check(item, index(path, i)))
}

/** {@link each}, where no two items may have the same identity. */
export function eachUnique<T>(
  items: readonly T[] | undefined,
  max: number,
  path: string,
  check: (item: T, path: string) => FieldError[],
  identity: (item: T) => string,
): FieldError[] {
  const list = items ?? []
  const errors = each(list, max, path, check)
  if (list.length > max) return errors
  const seen = new Set<string>()
  for (const [i, item] of list.entries()) {
    const id = identity(item)
    if (seen.has(id)) errors.push(duplicate(index(path, i), id))
    seen.add(id)
  }
  return errors
}

/** Each entry of a map; keys are reported at the map, values at their key. */
export function eachEntry<T>(
  map: Record<string, T> | undefined,
  max: number,
  path: string,
  checkKey: (name: string, path: string) => FieldError[],
  check: (item: T, path: string) => FieldError[],
): FieldError[] {
  const entries = Object.entries(map ?? {})
  if (entries.length > max) return [tooMany(path, entries.length, max)]
  return entries.flatMap(([name, item]) => [...checkKey(name, path), ...check(item, key(path, shorten(name)))])
}

/** A key that is too long is shown without its middle. */
function shorten(name: string): string {
  if (name.length <= maxKeyBytes) return name
  const kept = maxKeyBytes - 3
  return `${name.slice(0, Math.ceil(kept / 2))}...${name.slice(name.length - Math.floor(kept / 2))}`
}

const named = (faultsOf: (name: string) => string[]) => (name: string, path: string) =>
  faultsOf(name).map((fault) => invalid(path, name, fault))

export const validateLabelName = named(isDNS1123Label)
export const validateSubdomain = named(isDNS1123Subdomain)
export const validateQualifiedKey = named(isQualifiedName)

/** Pool names are subdomains separated by slashes. */
export function validatePoolName(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)]
  const errors = name.split('/').flatMap((part) => validateSubdomain(part, path))
  if (Buffer.byteLength(name) > maxPoolNameBytes) errors.unshift(tooLong(path, maxPoolNameBytes))
  return errors
}

/** Attributes and capacities are `name` or `domain/name`. */
export function validateQualifiedName(name: string, path: string): FieldError[] {
  const parts = name.split('/')
  if (parts.length > 2) return []
  const identifier = parts.at(-1) ?? ''
  const errors: FieldError[] = []
  if (parts.length === 2) {
    const domain = parts[0] ?? ''
    errors.push(
      ...(domain === '' ? [invalid(path, '', 'the domain must not be empty')] : validateDriverName(domain, path)),
    )
    if (identifier === '') return [...errors, invalid(path, '', 'the name must not be empty')]
  }
  if (Buffer.byteLength(identifier) > maxIdentifierBytes) errors.push(tooLong(path, maxIdentifierBytes))
  errors.push(...isCIdentifier(identifier).map((fault) => invalid(path, identifier, fault)))
  return errors
}

/** {@link validateQualifiedName} with the domain there. */
export const validateFullyQualifiedName = (name: string, path: string): FieldError[] => [
  ...validateQualifiedName(name, path),
  ...(name.includes('/')
    ? []
    : [invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash')]),
]

const uid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const looseUid = /^(urn:uuid:)?\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$/i

export function validateUid(value: string, path: string): FieldError[] {
  if (uid.test(value)) return []
  const why = looseUid.test(value)
    ? 'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters'
    : `error validating uid: invalid UUID length: ${value.length}`
  return [invalid(path, value, why)]
}

export const taintEffects = ['NoExecute', 'NoSchedule', 'None']

/** An effect that may be left out. */
export const validateEffect = (effect: string | undefined, path: string): FieldError[] =>
  !effect || taintEffects.includes(effect) ? [] : [notSupported(path, effect, taintEffects)]

/** Conditions that must come, and those that must not, before a device can be used: both or neither. */
export function validateBindingConditions(
  conditions: readonly string[] | undefined,
  failures: readonly string[] | undefined,
  path: string,
): FieldError[] {
  const maxConditions = 4
  const good = conditions ?? []
  const bad = failures ?? []
  const goodPath = `${path}.bindingConditions`
  const badPath = `${path}.bindingFailureConditions`
  const repeated = (list: readonly string[], at: string) =>
    list.flatMap((condition, i) => (list.indexOf(condition) < i ? [duplicate(index(at, i), condition)] : []))
  const errors = [
    ...each(good, maxConditions, goodPath, validateQualifiedKey),
    ...each(bad, maxConditions, badPath, validateQualifiedKey),
    ...repeated(good, goodPath),
    ...repeated(bad, badPath),
  ]
  for (const [i, condition] of bad.entries()) {
    if (good.includes(condition)) {
      errors.push(
        invalid(index(badPath, i), condition, 'bindingFailureConditions must not overlap with bindingConditions'),
      )
    }
  }
  if (good.length === 0 && bad.length > 0) {
    errors.push(invalid(goodPath, conditions, 'bindingConditions are required to use bindingFailureConditions'))
  }
  if (bad.length === 0 && good.length > 0) {
    errors.push(invalid(badPath, failures, 'bindingFailureConditions are required to use bindingConditions'))
  }
  return errors
}

/** Any JSON object of at most `maxBytes`. */
export function validateRawObject(
  value: unknown,
  path: string,
  { stored, maxBytes }: { stored: boolean; maxBytes: number },
): FieldError[] {
  if (value === undefined || value === null) return [required(path)]
  if (!stored && Buffer.byteLength(JSON.stringify(value)) > maxBytes) return [tooLong(path, maxBytes)]
  return typeof value !== 'object' || Array.isArray(value)
    ? [invalid(path, '<value omitted>', 'must be a valid JSON object')]
    : []
}
