import { type AnyObject, apiVersionOf } from '../../api/machinery/object.ts'
import type { AdmissionAttributes } from '../admission/types.ts'
import { toVersionOf } from '../patch/versions.ts'
import { type GroupVersion, requestVersion } from './matching.ts'

/** The objects of a write in one version, new and old. */
export function objectsIn(
  attributes: AdmissionAttributes,
  { group, version }: GroupVersion,
): { object?: AnyObject; oldObject?: AnyObject } {
  const { resource, object, old, kind } = attributes
  // A subresource's own object is in the one version it has.
  if (kind) return { ...(object ? { object } : {}), ...(old ? { oldObject: old } : {}) }
  const apiVersion = apiVersionOf(group, version)
  const convert = toVersionOf(resource)
  const inVersion = (given: AnyObject): AnyObject => {
    const { kind: _kind, apiVersion: _version, ...rest } = convert(given, apiVersion)?.object ?? given
    return { kind: resource.kind, apiVersion, ...rest } as AnyObject
  }
  return { ...(object ? { object: inVersion(object) } : {}), ...(old ? { oldObject: inVersion(old) } : {}) }
}

/** What a policy's expressions and a webhook learn of a request beside its objects. */
export function describeRequest(attributes: AdmissionAttributes, wanted: GroupVersion): Record<string, unknown> {
  const { operation, resource, subresource, namespace, name, user, dryRun } = attributes
  const asked = requestVersion(attributes)
  const kindIn = ({ group, version }: GroupVersion) => attributes.kind ?? { group, version, kind: resource.kind }
  const resourceIn = ({ group, version }: GroupVersion) => ({ group, version, resource: resource.plural })
  const sub = (field: string) => (subresource === '' ? {} : { [field]: subresource })
  return {
    kind: kindIn(wanted),
    resource: resourceIn(wanted),
    ...sub('subResource'),
    requestKind: kindIn(asked),
    requestResource: resourceIn(asked),
    ...sub('requestSubResource'),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid ? { uid: user.uid } : {}),
      groups: user.groups,
      ...(user.extra ? { extra: user.extra } : {}),
    },
    dryRun,
    options: optionsOf(operation, dryRun),
  }
}

function optionsOf(operation: AdmissionAttributes['operation'], dryRun: boolean): Record<string, unknown> | null {
  if (operation === 'CONNECT') return null
  const kind = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' }[operation]
  return { kind, apiVersion: 'meta.k8s.io/v1', ...(dryRun ? { dryRun: ['All'] } : {}) }
}
