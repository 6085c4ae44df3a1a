import { CliError } from '../errors.ts'
import { nameReferences } from './field-specs.ts'
import { changeFields, concerns } from './fields.ts'
import { hashOf } from './hash.ts'
import { described, everyIdentity, identityOf, isClusterWide, type Resource, remember } from './resource.ts'

/** Names of what is generated end in a digest, so that whoever uses it is rolled out when it changes. */
export function addHashes(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (!resource.hashed) continue
    const { object } = resource
    remember(resource)
    object.metadata = { ...object.metadata, name: `${object.metadata.name}-${hashOf(object)}` }
  }
}

/** Writes the names that objects have by now wherever others name them by what they were called before. */
export function fixReferences(resources: readonly Resource[]): void {
  for (const referrer of resources) {
    for (const { fields, ...kind } of nameReferences) {
      const candidates = resources.filter(({ object }) => concerns(kind, object))
      if (candidates.length === 0) continue
      for (const spec of fields)
        changeFields(referrer.object, spec, (value) => renamed(value, referrer, candidates, kind.kind))
    }
  }
}

function renamed(value: unknown, referrer: Resource, candidates: readonly Resource[], kind: string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, referrer, candidates, kind))
  if (typeof value === 'string') {
    // What a role is bound to is said by two fields.
    const role = referrer.object.roleRef as { kind?: string; name?: string } | undefined
    if (role && role.name === value && role.kind !== kind) return value
    return meantBy(value, referrer, near(referrer, candidates))?.object.metadata.name ?? value
  }
  if (typeof value !== 'object' || value === null) return value
  // A name with its namespace: a service account, a service.
  const named = value as { kind?: string; name?: string; namespace?: string }
  if (!named.name || (named.kind && named.kind !== kind)) return value
  const found = meantBy(
    named.name,
    referrer,
    candidates.filter((candidate) =>
      everyIdentity(candidate).some(
        (its) => (its.namespace || 'default') === (named.namespace || its.namespace || 'default'),
      ),
    ),
  )
  if (!found) return value
  const { name, namespace } = found.object.metadata
  return { ...named, name, ...(namespace ? { namespace } : {}) }
}

/** Those in the namespace of the referrer, and those in none. */
const near = (referrer: Resource, candidates: readonly Resource[]): Resource[] =>
  candidates.filter(
    ({ object }) =>
      isClusterWide(object.kind) ||
      isClusterWide(referrer.object.kind) ||
      (object.metadata.namespace || 'default') === (referrer.object.metadata.namespace || 'default'),
  )

function meantBy(name: string, referrer: Resource, candidates: readonly Resource[]): Resource | undefined {
  const called = candidates.filter((one) => one.identities.some((identity) => identity.name === name))
  if (called.length <= 1) return called[0]
  // Two of one base that is used twice: each means the one that came the same way.
  const alike = called.filter(
    (one) => sameEnd(one.prefixes, referrer.prefixes) && sameEnd(one.suffixes, referrer.suffixes),
  )
  const found = alike.length > 0 ? alike : called
  if (new Set(found.map(({ object }) => object.metadata.name)).size === 1) return found[0]
  throw new CliError(
    `${described(identityOf(referrer.object))} names "${name}", which may be ${found
      .map(({ object }) => `"${object.metadata.name}"`)
      .join(' or ')}: write the name of one`,
  )
}

/** Whether the shorter way is the end of the longer one. */
function sameEnd(one: readonly string[], other: readonly string[]): boolean {
  const length = Math.min(one.length, other.length)
  return one.slice(one.length - length).join() === other.slice(other.length - length).join()
}
