import { validateCaBundle, validateWebhookClient } from '../admissionregistration/webhook-client.ts'
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
} from '../generated/types.ts'
import {
  child,
  type FieldError,
  forbidden,
  index,
  invalid,
  key,
  notSupported,
  required,
} from '../machinery/field-errors.ts'
import { immutable } from '../machinery/field-rules.ts'
import { isDNS1035Label, isDNS1123Subdomain } from '../machinery/names.ts'
import type { Stored } from '../machinery/object.ts'
import { isConditionTrue } from './crd-conditions.ts'
import { commonParts, validateCommonParts, validateVersion } from './crd-versions.ts'
import { someSchema } from './schema-walk.ts'

type Definition = Stored<CustomResourceDefinition>

/** Faults of a definition on create (`old` undefined) and update. Expressions are not compiled here. */
export function validateDefinition(definition: Definition, old: Definition | undefined): FieldError[] {
  const { spec, metadata } = definition
  if (!spec) return [required('spec')]
  const errors: FieldError[] = []
  if (!old && metadata.name !== `${spec.names?.plural ?? ''}.${spec.group ?? ''}`) {
    errors.push(invalid('metadata.name', metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'))
  }
  errors.push(...validateSpec(spec, 'spec', { strictBundle: mustHaveValidBundle(old) }))
  if (old) errors.push(...validateSpecUpdate(spec, old))
  errors.push(...validateDefinitionStatus(definition))
  errors.push(...validateStoredVersions(definition))
  errors.push(...validateApproval(definition, old))
  if (spec.preserveUnknownFields && !old?.spec?.preserveUnknownFields) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    )
  }
  return errors
}

/** Faults of the status alone. */
export const validateDefinitionStatus = ({ status }: Definition): FieldError[] =>
  validateNames(status?.acceptedNames, 'status.acceptedNames')

/** A bundle that got in before it was checked may stay. */
function mustHaveValidBundle(old: Definition | undefined): boolean {
  if (!old || !isConditionTrue(old, 'Established')) return false
  const bundle = old.spec?.conversion?.webhook?.clientConfig?.caBundle
  return !bundle || validateCaBundle(bundle, '').length === 0
}

function validateSpec(spec: CustomResourceDefinitionSpec, path: string, { strictBundle }: { strictBundle: boolean }) {
  const errors: FieldError[] = []
  const { group = '', scope = '', versions = [], names } = spec
  const groupFaults = isDNS1123Subdomain(group)
  if (group === '') errors.push(required(child(path, 'group')))
  else if (groupFaults.length > 0) errors.push(invalid(child(path, 'group'), group, groupFaults.join(',')))
  else if (!group.includes('.')) {
    errors.push(invalid(child(path, 'group'), group, 'should be a domain with at least one dot'))
  }
  errors.push(...oneOf(scope, ['Cluster', 'Namespaced'], child(path, 'scope')))
  for (const [i, { schema }] of versions.entries()) {
    if (!schema?.openAPIV3Schema) {
      errors.push(required(child(index(child(path, 'versions'), i), 'schema', 'openAPIV3Schema')))
    }
  }
  const hasDefaults = versions.some(({ schema }) =>
    someSchema(schema?.openAPIV3Schema, (inner) => inner.default !== undefined && inner.default !== null),
  )
  if (spec.preserveUnknownFields && hasDefaults) {
    errors.push(
      invalid(child(path, 'preserveUnknownFields'), true, 'must be false in order to use defaults in the schema'),
    )
  }

  const common = commonParts(versions)
  const versionsPath = child(path, 'versions')
  for (const [i, version] of versions.entries()) {
    const at = index(versionsPath, i)
    const faults = isDNS1035Label(version.name ?? '')
    if (faults.length > 0) errors.push(invalid(child(at, 'name'), version.name ?? '', faults.join(',')))
    errors.push(...validateVersion(version, at, common))
  }
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    errors.push(invalid(versionsPath, versions, 'must contain unique version names'))
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(invalid(versionsPath, versions, 'must have exactly one version marked as storage version'))
  }
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    if (!names?.[field]) errors.push(required(child(path, 'names', field)))
  }
  errors.push(...validateNames(names, child(path, 'names')))
  errors.push(...validateCommonParts(versions, path, common))
  const conversionPath = child(path, 'conversion')
  if (spec.conversion && spec.conversion.strategy !== 'None' && spec.preserveUnknownFields) {
    errors.push(
      invalid(
        child(conversionPath, 'strategy'),
        spec.conversion.strategy,
        'must be None if spec.preserveUnknownFields is true',
      ),
    )
  }
  errors.push(...validateConversion(spec.conversion, conversionPath, strictBundle))
  return errors
}

function validateSpecUpdate(spec: CustomResourceDefinitionSpec, old: Definition): FieldError[] {
  const before = old.spec
  return [
    // Once its names are in use, what they mean may not change.
    ...(isConditionTrue(old, 'Established')
      ? [
          ...immutable(spec.scope, before?.scope, 'spec.scope'),
          ...immutable(spec.names?.kind, before?.names?.kind, 'spec.names.kind'),
        ]
      : []),
    ...immutable(spec.group, before?.group, 'spec.group'),
    ...immutable(spec.names?.plural, before?.names?.plural, 'spec.names.plural'),
  ]
}

function oneOf(value: string, accepted: readonly string[], path: string): FieldError[] {
  if (value === '') return [required(path)]
  return accepted.includes(value) ? [] : [notSupported(path, value, accepted)]
}

function validateNames(names: CustomResourceDefinitionNames | undefined, path: string): FieldError[] {
  const errors: FieldError[] = []
  const label = (value: string | undefined, at: string, mixedCase = false) => {
    if (!value) return
    const faults = isDNS1035Label(mixedCase ? value.toLowerCase() : value)
    if (faults.length === 0) return
    const text = faults.join(',')
    errors.push(invalid(at, value, mixedCase ? `may have mixed case, but should otherwise match: ${text}` : text))
  }
  label(names?.plural, child(path, 'plural'))
  label(names?.singular, child(path, 'singular'))
  label(names?.kind, child(path, 'kind'), true)
  label(names?.listKind, child(path, 'listKind'), true)
  const each = (values: readonly string[] | undefined, at: string) => {
    for (const [i, value] of (values ?? []).entries()) {
      const faults = isDNS1035Label(value)
      if (faults.length > 0) errors.push(invalid(index(at, i), value, faults.join(',')))
    }
  }
  each(names?.shortNames, child(path, 'shortNames'))
  if (names?.kind && names.kind === names.listKind) {
    errors.push(invalid(child(path, 'listKind'), names.listKind, 'kind and listKind may not be the same'))
  }
  each(names?.categories, child(path, 'categories'))
  return errors
}

const reviewVersions = ['v1', 'v1beta1']

function validateConversion(
  conversion: CustomResourceConversion | undefined,
  path: string,
  strictBundle: boolean,
): FieldError[] {
  if (!conversion) return []
  const { strategy = '', webhook } = conversion
  const errors = oneOf(strategy, ['None', 'Webhook'], child(path, 'strategy'))
  const clientPath = child(path, 'webhookClientConfig')
  const reviewsPath = child(path, 'conversionReviewVersions')
  const client = webhook?.clientConfig
  const reviews = webhook?.conversionReviewVersions ?? []
  if (strategy !== 'Webhook') {
    if (client) errors.push(forbidden(clientPath, 'should not be set when strategy is not set to Webhook'))
    if (reviews.length > 0) {
      errors.push(forbidden(reviewsPath, 'should not be set when strategy is not set to Webhook'))
    }
    return errors
  }
  if (!client) errors.push(required(clientPath, 'required when strategy is set to Webhook'))
  else {
    errors.push(...validateWebhookClient(client, clientPath))
    if (client.caBundle && strictBundle)
      errors.push(...validateCaBundle(client.caBundle, child(clientPath, 'caBundle')))
  }
  if (reviews.length === 0) return [...errors, required(reviewsPath)]
  for (const [i, version] of reviews.entries()) {
    const at = index(reviewsPath, i)
    if (reviews.indexOf(version) < i) errors.push(invalid(at, version, 'duplicate version'))
    else errors.push(...isDNS1035Label(version).map((message) => invalid(at, version, message)))
  }
  if (!reviews.some((version) => reviewVersions.includes(version))) {
    errors.push(invalid(reviewsPath, reviews, `must include at least one of ${reviewVersions.join(', ')}`))
  }
  return errors
}

function validateStoredVersions({ spec, status }: Definition): FieldError[] {
  const path = 'status.storedVersions'
  const stored = status?.storedVersions ?? []
  if (stored.length === 0) return [invalid(path, stored, 'must have at least one stored version')]
  const errors: FieldError[] = []
  const versions = spec?.versions ?? []
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) errors.push(invalid(path, stored, `must have the storage version ${name}`))
  }
  for (const [i, name] of stored.entries()) {
    if (versions.some((version) => version.name === name)) continue
    errors.push(
      invalid(
        index(path, i),
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      ),
    )
  }
  return errors
}

const approvalKey = 'api-approved.kubernetes.io'
const isProtected = (group: string) => /(^|\.)(k8s|kubernetes)\.io$/.test(group)

/** Groups of the Kubernetes community need a word that the API was reviewed. */
function validateApproval(definition: Definition, old: Definition | undefined): FieldError[] {
  if (!isProtected(definition.spec?.group ?? '')) return []
  const state = approvalState(definition)
  if (state === 'approved' || state === 'bypassed' || (old && approvalState(old) === state)) return []
  const path = key('metadata.annotations', approvalKey)
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111'
  return state === 'missing'
    ? [required(path, `protected groups must have approval annotation "${approvalKey}", ${see}`)]
    : [
        invalid(
          path,
          definition.metadata.annotations?.[approvalKey],
          `protected groups must have approval annotation "${approvalKey}" with either a URL or a reason starting with "unapproved", ${see}`,
        ),
      ]
}

function approvalState({ metadata }: Definition): 'missing' | 'bypassed' | 'approved' | 'invalid' {
  const annotation = metadata.annotations?.[approvalKey] ?? ''
  if (annotation === '') return 'missing'
  if (annotation.startsWith('unapproved')) return 'bypassed'
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#\s]+/.test(annotation) ? 'approved' : 'invalid'
}
