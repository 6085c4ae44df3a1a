import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource, ServedVersion } from '../../api/machinery/resource.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import type { AdmissionAttributes } from '../admission/types.ts'
import { decodeAs } from '../handlers/decode-body.ts'
import type { GroupVersion } from './matching.ts'

/**
 * Puts what somebody outside made of an object, in the version it was shown in, in the object's place: decoded, pruned,
 * with defaults, in the storage version. Throws a StatusError for what is no such object.
 */
export function replaceObject(
  { resource, kind }: AdmissionAttributes,
  object: AnyObject,
  changed: AnyObject,
  version: GroupVersion,
): void {
  const content = kind ? changed : toStorage(resource, changed, version)
  for (const field of Object.keys(object)) delete object[field]
  Object.assign(object, content)
}

const servedIn = ({ versions }: Resource, wanted: GroupVersion): ServedVersion | undefined =>
  versions.find(({ group, version }) => group === wanted.group && version === wanted.version)

/** The schema of a kind in one of its versions. */
export const schemaIn = (resource: Resource, wanted: GroupVersion): Schema =>
  servedIn(resource, wanted)?.schema ?? resource.schema

function toStorage(resource: Resource, changed: AnyObject, wanted: GroupVersion): AnyObject {
  const served = servedIn(resource, wanted)
  const decoded = decodeAs(schemaIn(resource, wanted), changed, resource.kind, wanted.version, { mode: 'Ignore' })
  served?.defaults?.(decoded)
  const stored = served ? served.toStorage(decoded) : decoded
  resource.defaults?.(stored)
  return stored
}
