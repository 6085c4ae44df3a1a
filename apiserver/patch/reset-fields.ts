import type { Resource } from '../../api/machinery/resource.ts'
import { emptySet, type FieldPath, type FieldSet, fieldSet, makeNode, rootOf, union } from './field-set.ts'
import type { ResetFields } from './managed-fields.ts'
import { fieldElement } from './path-element.ts'
import { builtinType } from './zero-values.ts'

/**
 * The fields that a write of the object, or of one of its subresources, cannot set, so that the writer does not own
 * them. Made once for each kind.
 */
export function resetFieldsOf(resource: Resource, subresource: string): ResetFields | undefined {
  let made = known.get(resource)
  if (!made) {
    made = new Map()
    known.set(resource, made)
  }
  if (!made.has(subresource)) made.set(subresource, makeResetFields(resource, subresource))
  return made.get(subresource)
}

const known = new WeakMap<Resource, Map<string, ResetFields | undefined>>()

const path = (text: string): FieldPath => text.split('.').map(fieldElement)
const fields = (...texts: string[]): FieldSet => fieldSet(...texts.map(path))

/** Kinds whose status cannot bring metadata along; custom resources cannot either. */
const keepsMetadata = new Set([
  'apiservices',
  'customresourcedefinitions',
  'flowschemas',
  'prioritylevelconfigurations',
  'resourceclaims',
  'servicecidrs',
  'validatingadmissionpolicies',
  'volumeattachments',
])

/** What differs from the rule that a main resource resets status, and a status all of spec. */
const particular: Record<string, Record<string, ResetFields>> = {
  certificatesigningrequests: {
    '': fields('spec', 'status'),
    status: fields('spec', 'status.conditions'),
    approval: fields('spec', 'status.certificate'),
  },
  deployments: { status: fields('spec', 'metadata.labels') },
  pods: {
    status: fields('spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'),
    ephemeralcontainers: only('spec.ephemeralContainers'),
    resize: only(
      'spec.containers.*.resources',
      'spec.containers.*.resizePolicy',
      'spec.initContainers.*.resources',
      'spec.initContainers.*.resizePolicy',
    ),
  },
  namespaces: { finalize: fields('status') },
}

function makeResetFields(resource: Resource, subresource: string): ResetFields | undefined {
  const isBuiltin = builtinType(resource.schema.name) !== undefined
  const own = isBuiltin ? particular[resource.plural]?.[subresource] : undefined
  if (own) return own
  if (subresource === '') return resource.strategy.status ? fields('status') : undefined
  if (subresource !== 'status') return undefined
  return !isBuiltin || keepsMetadata.has(resource.plural) ? fields('metadata', 'spec') : fields('spec')
}

/** A filter that lets through what lies at or below the paths; `*` is any step. */
function only(...texts: string[]): ResetFields {
  const patterns = texts.map((text) => text.split('.').map((step) => (step === '*' ? step : fieldElement(step))))
  return (set) => patterns.map((pattern) => matching(set, pattern)).reduce(union, emptySet)
}

function matching(set: FieldSet, [step, ...rest]: readonly string[]): FieldSet {
  if (step === undefined) return set
  const found: Record<string, FieldSet> = {}
  for (const element in set) {
    if (element === '.' || (step !== '*' && step !== element)) continue
    const child = set[element] as FieldSet
    const node = rest.length === 0 ? child : makeNode(false, matching(child, rest))
    if (node) found[element] = node
  }
  return rootOf(makeNode(false, found))
}
