import type { ParamKind } from '../../../api/generated/types.ts'
import { labelSelectorMatches } from '../../../api/machinery/labels.ts'
import { type AnyObject, parseApiVersion } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { toVersionOf } from '../../patch/versions.ts'
import type { Binding } from './policies.ts'

/**
 * The objects that a binding hands to its policy, one judgement for each; `[undefined]` for a policy without. Throws an
 * Error for what cannot be found and must be.
 */
export function paramsOf(
  { client, lookupKind }: AdmissionContext,
  kind: ParamKind | undefined,
  { paramRef }: Binding,
  attributes: AdmissionAttributes,
): readonly (AnyObject | undefined)[] {
  if (!kind || !paramRef) return [undefined]
  const { apiVersion = '', kind: name = '' } = kind
  const { group } = parseApiVersion(apiVersion)
  const resource = lookupKind(group, name)
  if (!resource) {
    throw new Error(
      `failed to configure policy: failed to find resource referenced by paramKind: '${apiVersion}, Kind=${name}'`,
    )
  }
  const namespace = resource.namespaced ? paramRef.namespace || attributes.namespace : ''
  if (resource.namespaced && namespace === '') {
    throw new Error(
      'failed to configure binding: cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
    )
  }
  if (!resource.namespaced && paramRef.namespace) {
    throw new Error(
      'failed to configure binding: paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    )
  }
  const found = paramRef.name
    ? [client.cached(resource, namespace, paramRef.name)].filter((object) => object !== undefined)
    : client
        .cachedList<AnyObject>(resource, namespace)
        .filter(({ metadata }) => labelSelectorMatches(paramRef.selector ?? {}, metadata.labels ?? {}))
  if (found.length === 0 && paramRef.parameterNotFoundAction !== 'Allow') {
    throw new Error(
      'failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction',
    )
  }
  const convert = toVersionOf(resource)
  return found.map((object) => convert(object, apiVersion)?.object ?? object)
}
