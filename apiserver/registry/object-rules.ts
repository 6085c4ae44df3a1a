import type { ObjectMeta } from '../../api/generated/types.ts'
import { badRequestError, conflictError, invalidError, modifiedMessage } from '../../api/machinery/errors.ts'
import { invalid } from '../../api/machinery/field-errors.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Resource } from '../../api/machinery/resource.ts'
import { emptyStatusOf } from './empty-status.ts'
import { sameJson } from './json.ts'

/** Fields that are not what a kind without a spec is about. */
const besideContent: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status'])

/** The namespace of the request, or 400 when the object names another. */
export function matchNamespace(resource: Resource, namespace: string, meta: ObjectMeta): void {
  if (!resource.namespaced) {
    delete meta.namespace
    return
  }
  if (!meta.namespace) meta.namespace = namespace
  else if (meta.namespace !== namespace) {
    throw badRequestError(`the namespace of the provided object does not match the namespace sent on the request`)
  }
}

/** 400 when the object has no name, or another than the request. */
export function checkName(name: string, meta: ObjectMeta): void {
  if (!meta.name) {
    throw badRequestError(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
  if (meta.name !== name) {
    throw badRequestError(`the name of the object (${meta.name}) does not match the name on the URL (${name})`)
  }
}

/** The same object, at the version that stands. Throws Conflict or Invalid. */
export function checkIdentity(resource: Resource, name: string, object: AnyObject, old: AnyObject): void {
  const { metadata: meta } = object
  checkName(name, meta)
  if (meta.uid && meta.uid !== old.metadata.uid) {
    throw conflictError(
      { group: resource.group, resource: resource.plural },
      name,
      `Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${old.metadata.uid}`,
    )
  }
  const version = meta.resourceVersion
  if (version && version !== '0') {
    if (!/^\d+$/.test(version)) {
      throw invalidError(resource, name, [invalid('metadata.resourceVersion', version, 'must be an integer')])
    }
    if (version !== old.metadata.resourceVersion)
      throw conflictError({ group: resource.group, resource: resource.plural }, name, modifiedMessage)
  } else if (resource.strategy.unconditionalUpdate === false) {
    // Upstream names the resource here, where it names the kind everywhere else.
    const of = { group: resource.group, kind: resource.plural }
    throw invalidError(of, name, [invalid('metadata.resourceVersion', 0, 'must be specified for an update')])
  }
}

/** Counts the generation up when what the kind is about has changed. */
export function raiseGeneration({ strategy }: Resource, object: AnyObject, old: AnyObject): void {
  const { generation } = strategy
  if (!generation) return
  const changed =
    generation === 'spec'
      ? !sameJson(object.spec, old.spec)
      : Object.keys({ ...object, ...old }).some(
          (field) =>
            (!besideContent.has(field) || (field === 'status' && generation === 'outsideMetadataAndStatus')) &&
            !sameJson(object[field], old[field]),
        )
  if (changed) object.metadata.generation = (old.metadata.generation ?? 0) + 1
}

/** What no client may change, whatever it sends. */
export function keepSystemMetadata(meta: ObjectMeta, before: ObjectMeta): void {
  keep(meta, before, 'uid')
  keep(meta, before, 'creationTimestamp')
  keep(meta, before, 'deletionTimestamp')
  keep(meta, before, 'deletionGracePeriodSeconds')
  keep(meta, before, 'generation')
  keep(meta, before, 'resourceVersion')
  delete meta.selfLink
}

/** Of a create: the status that was sent does not count, an object begins with an empty one. */
export function startStatus(resource: Resource, object: AnyObject): void {
  const status = emptyStatusOf(resource)
  if (status) object.status = status
  else delete object.status
}

/** Of an update of the status: what else was sent does not count. */
export function keepAllButStatus(object: AnyObject, old: AnyObject): void {
  for (const field of Object.keys(object)) if (!besideContent.has(field)) delete object[field]
  for (const field of Object.keys(old)) if (!besideContent.has(field)) object[field] = old[field]
}

/** Of an update of anything else: the status that was sent does not count. */
export function keepStatus(object: AnyObject, old: AnyObject): void {
  if (old.status === undefined) delete object.status
  else object.status = old.status
}

function keep<K extends keyof ObjectMeta>(meta: ObjectMeta, before: ObjectMeta, field: K): void {
  const value = before[field]
  if (value === undefined) delete meta[field]
  else meta[field] = value
}

/** Nothing was changed. */
export function sameObject(object: AnyObject, old: AnyObject): boolean {
  const { kind: _k, apiVersion: _a, ...left } = object
  const { kind: _ok, apiVersion: _oa, ...right } = old
  return sameJson(left, right)
}
