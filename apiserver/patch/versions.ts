import { type AnyObject, apiVersionOf } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import type { ToVersion } from './managed-fields.ts'

/**
 * How objects of a kind go from any served version to any other. An object says by its apiVersion which one it is in;
 * without one it is in the storage version. Made once for each kind.
 */
export function toVersionOf(resource: Resource): ToVersion {
  let made = known.get(resource)
  if (!made) {
    made = makeToVersion(resource)
    known.set(resource, made)
  }
  return made
}

const known = new WeakMap<Resource, ToVersion>()

function makeToVersion(resource: Resource): ToVersion {
  const storage = apiVersionOf(resource.group, resource.version)
  const served = new Map(resource.versions.map((version) => [apiVersionOf(version.group, version.version), version]))
  return (object, apiVersion) => {
    const target = served.get(apiVersion)
    if (!target && apiVersion !== storage) return undefined
    const schema = target?.schema ?? resource.schema
    if ((object.apiVersion ?? storage) === apiVersion) return { object, schema }
    const source = served.get(object.apiVersion ?? storage)
    const stored: AnyObject = source ? source.toStorage(object) : object
    const converted = target ? target.fromStorage(stored) : stored
    return { object: converted.apiVersion === apiVersion ? converted : { ...converted, apiVersion }, schema }
  }
}
