import type { ConfigMapNodeConfigSource, NodeConfigSource, NodeConfigStatus } from '../generated/types.ts'
import { child, type FieldError, forbidden, invalid, required } from '../machinery/field-errors.ts'
import { isConfigMapKey, type NameValidator, nameIsDNSLabel, nameIsDNSSubdomain } from '../machinery/names.ts'

/** Node configuration from a config map has been removed from Kubernetes; what old nodes still carry stays valid. */
export function validateConfigSource(source: NodeConfigSource, path: string): FieldError[] {
  return validateSource(source, path, ({ uid, resourceVersion }, at) => [
    ...(uid ? [forbidden(child(at, 'uid'), 'uid must not be set in spec')] : []),
    ...(resourceVersion ? [forbidden(child(at, 'resourceVersion'), 'resourceVersion must not be set in spec')] : []),
  ])
}

/** Faults of what a node reports of such a configuration. */
export function validateConfigStatus(status: NodeConfigStatus, path: string): FieldError[] {
  return (['assigned', 'active', 'lastKnownGood'] as const).flatMap((field) => {
    const source = status[field]
    if (!source) return []
    return validateSource(source, child(path, field), ({ uid, resourceVersion }, at) => [
      ...(uid ? [] : [required(child(at, 'uid'))]),
      ...(resourceVersion ? [] : [required(child(at, 'resourceVersion'))]),
    ])
  })
}

function validateSource(
  source: NodeConfigSource,
  path: string,
  validateIdentity: (source: ConfigMapNodeConfigSource, path: string) => FieldError[],
): FieldError[] {
  const { configMap } = source
  if (!configMap) return [invalid(path, source, 'exactly one reference subfield must be non-nil')]
  const at = child(path, 'configMap')
  const named = (field: 'namespace' | 'name' | 'kubeletConfigKey', check: NameValidator): FieldError[] => {
    const value = configMap[field] ?? ''
    if (value === '') return [required(child(at, field))]
    return check(value, false).map((fault) => invalid(child(at, field), value, fault))
  }
  return [
    ...validateIdentity(configMap, at),
    ...named('namespace', nameIsDNSLabel),
    ...named('name', nameIsDNSSubdomain),
    ...named('kubeletConfigKey', isConfigMapKey),
  ]
}
