import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedObjectReference,
} from '../../generated/types.ts'
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-errors.ts'
import { validateLabelSelector, validateLabels } from '../../machinery/labels.ts'
import { validateAnnotations } from '../../machinery/meta-validation.ts'
import { isDNS1123Label, isDNS1123Subdomain, nameIsDNSSubdomain } from '../../machinery/names.ts'
import { compareQuantity } from '../../machinery/quantity.ts'
import { addInvalid, checkChoice } from './checks.ts'

/** The claim of a volume that lives and dies with its pod. */
export function validateClaimTemplate(
  errors: FieldError[],
  template: PersistentVolumeClaimTemplate,
  path: string,
): void {
  const meta = template.metadata ?? {}
  errors.push(
    ...validateAnnotations(meta.annotations, `${path}.metadata.annotations`),
    ...validateLabels(meta.labels, `${path}.metadata.labels`),
  )
  for (const [field, value] of Object.entries(meta)) {
    if (field === 'annotations' || field === 'labels' || isZero(value)) continue
    errors.push(forbidden(`${path}.metadata.${field}`, 'cannot be set'))
  }
  validateClaimSpec(errors, template.spec ?? {}, `${path}.spec`)
}

const isZero = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  value === 0 ||
  (typeof value === 'object' && Object.keys(value).length === 0)

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

/** The wish for a volume, wherever it stands in a pod or workload. */
export function validateClaimSpec(errors: FieldError[], spec: PersistentVolumeClaimSpec, path: string): void {
  const modes = spec.accessModes ?? []
  if (modes.length === 0) errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'))
  if (spec.selector) errors.push(...validateLabelSelector(spec.selector, `${path}.selector`))
  for (const mode of modes) {
    if (!accessModes.includes(mode)) errors.push(notSupported(`${path}.accessModes`, mode, accessModes))
  }
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode))
  if (others && modes.includes('ReadWriteOncePod')) {
    errors.push(forbidden(`${path}.accessModes`, 'may not use ReadWriteOncePod with other access modes'))
  }
  const storage = spec.resources?.requests?.storage
  if (storage === undefined) errors.push(required(`${path}.resources[storage]`))
  else if (compareQuantity(storage, '0') <= 0) {
    errors.push(invalid(`${path}.resources[storage]`, storage, 'must be greater than zero'))
  }
  for (const field of ['storageClassName', 'volumeAttributesClassName'] as const) {
    const name = spec[field]
    if (name) addInvalid(errors, `${path}.${field}`, name, nameIsDNSSubdomain(name, false))
  }
  checkChoice(errors, spec.volumeMode, ['Block', 'Filesystem'], `${path}.volumeMode`)
  const { dataSource, dataSourceRef } = spec
  if (dataSource) validateDataSource(errors, dataSource, `${path}.dataSource`)
  if (dataSourceRef) validateDataSource(errors, dataSourceRef, `${path}.dataSourceRef`)
  if (!dataSource || !dataSourceRef) return
  if (dataSourceRef.namespace) {
    errors.push(invalid(path, `${path}.dataSource`, 'may not be specified when dataSourceRef.namespace is specified'))
  } else if (
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name ||
    dataSource.apiGroup !== dataSourceRef.apiGroup
  ) {
    errors.push(invalid(path, `${path}.dataSource`, 'must match dataSourceRef'))
  }
}

function validateDataSource(errors: FieldError[], source: TypedObjectReference, path: string): void {
  const { name, kind, apiGroup = '', namespace } = source
  if (!name) errors.push(required(`${path}.name`))
  if (!kind) errors.push(required(`${path}.kind`))
  if (apiGroup === '' && kind !== 'PersistentVolumeClaim') {
    errors.push(invalid(path, kind ?? '', "must be 'PersistentVolumeClaim' when referencing the default apiGroup"))
  }
  if (apiGroup !== '') addInvalid(errors, `${path}.apiGroup`, apiGroup, isDNS1123Subdomain(apiGroup))
  if (namespace) addInvalid(errors, `${path}.namespace`, namespace, isDNS1123Label(namespace))
}
