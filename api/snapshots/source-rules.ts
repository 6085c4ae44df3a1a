import { child, type FieldError, invalid, notSupported, required } from '../machinery/field-errors.ts'

type Source<K extends string> = { [name in K]?: string }

/** A source names one of two things, and the same for ever. */
export function validateSource<K extends string>(
  source: Source<K> | undefined,
  old: Source<K> | undefined,
  [first, second]: readonly [K, K],
  path: string,
): FieldError[] {
  if (!source) return [required(path)]
  const errors = [first, second].flatMap((name) => {
    const before = old?.[name]
    if (before === undefined) return []
    if (source[name] === undefined) return [invalid(path, source, `${name} is required once set`)]
    return source[name] === before ? [] : [invalid(child(path, name), source[name], `${name} is immutable`)]
  })
  const isOne = (source[first] === undefined) !== (source[second] === undefined)
  return isOne ? errors : [...errors, invalid(path, source, `exactly one of ${first} and ${second} must be set`)]
}

const policies = ['Delete', 'Retain']

/** What becomes of the snapshot itself when its object goes. */
export function validatePolicy(policy: string | undefined, path: string): FieldError[] {
  if (!policy) return [required(path)]
  return policies.includes(policy) ? [] : [notSupported(path, policy, policies)]
}
