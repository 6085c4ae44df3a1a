import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresourceScale,
  WebhookConversion,
} from '../../../api/generated/types.ts'
import { forbiddenError } from '../../../api/machinery/errors.ts'
import { findPath } from '../../../api/machinery/json-path.ts'
import { type AnyObject, apiVersionOf, type Stored } from '../../../api/machinery/object.ts'
import {
  defineResource,
  type RequestContext,
  type Resource,
  type ServedVersion,
} from '../../../api/machinery/resource.ts'
import { compareVersions } from '../../../api/machinery/version-order.ts'
import type { WebhookCaller } from '../webhooks/call.ts'
import { columnsOf } from './columns.ts'
import { convertByWebhook } from './conversion/webhook.ts'
import { finalizerWarnings } from './finalizer-warnings.ts'
import { type Form, formOf } from './form.ts'
import { publishedSchema } from './published-schema.ts'
import { schemaType } from './schema-type.ts'
import { type CompileRules, type Rules, rulesOf } from './validation.ts'

type Definition = Stored<CustomResourceDefinition>

export interface CustomResourceOptions {
  /** Nothing new may be created: the definition is being deleted. */
  isTerminating: () => boolean
  /** How webhooks are asked. */
  caller: WebhookCaller
  /** Where a schema has rules. */
  compileRules?: CompileRules | undefined
}

/** One version of the kind, with what it makes of objects. */
interface Version {
  definition: CustomResourceDefinitionVersion
  apiVersion: string
  form: Form
  rules: Rules
  schema: Resource['schema']
  deprecation: string | undefined
}

/** The kind that a definition defines, as a value like every built-in kind. */
export function customResource(
  definition: Definition,
  { isTerminating, caller, compileRules }: CustomResourceOptions,
): Resource {
  const { spec, status } = definition
  const { group } = spec
  const names = { ...spec.names, ...status?.acceptedNames }
  const versions = spec.versions.map((version) => versionOf(definition, version, compileRules))
  const storage = versions.find((version) => version.definition.storage) as Version
  const byApiVersion = new Map(versions.map((version) => [version.apiVersion, version]))
  const { subresources } = storage.definition
  const hasStatus = subresources?.status !== undefined && subresources.status !== null

  const webhook = spec.conversion?.strategy === 'Webhook' ? spec.conversion.webhook : undefined
  /** By what a webhook made of it for the store. */
  const sentAs = new WeakMap<AnyObject, AnyObject>()
  const ask = async (objects: readonly AnyObject[], apiVersion: string, to: WebhookConversion) => {
    const version = byApiVersion.get(apiVersion) ?? storage
    const converted = await convertByWebhook({ kind: names.kind, webhook: to }, caller, objects, apiVersion)
    return converted.map((object, i) => {
      const before = objects[i] as AnyObject
      if (object === before) return object
      const made = version.form(object) as AnyObject
      if (version === storage) sentAs.set(made, before)
      return made
    })
  }

  /** The object in another version. Without a converter versions differ in nothing but their schemas. */
  const convert = (object: AnyObject, to: Version): AnyObject =>
    object.apiVersion === to.apiVersion ? object : (to.form({ ...object, apiVersion: to.apiVersion }) as AnyObject)
  const rulesFor = (ctx: RequestContext): { rules: Rules; view: (object: AnyObject) => AnyObject } => {
    const version = byApiVersion.get(ctx.apiVersion ?? '') ?? storage
    if (version === storage) return { rules: version.rules, view: (same) => same }
    // What was sent is what is judged; what stood before is not known in that version.
    if (webhook) return { rules: version.rules, view: (each) => sentAs.get(each) ?? convert(each, version) }
    return { rules: version.rules, view: (each) => convert(each, version) }
  }
  return defineResource<AnyObject>({
    group,
    version: storage.definition.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    storagePrefix: `/${group}/${names.plural}`,
    schema: storage.schema,
    isStoredOnly: !storage.definition.served,
    refusesStrategicMerge: true,
    ...(storage.deprecation ? { deprecation: storage.deprecation } : {}),
    fromStore(object) {
      const written = byApiVersion.get(object.apiVersion ?? '')
      const known = written ? (written.form(object) as AnyObject) : object
      if (written === storage || (webhook && written)) return known
      return storage.form({ ...known, apiVersion: storage.apiVersion }) as AnyObject
    },
    ...(webhook ? { convert: (objects, apiVersion) => ask(objects, apiVersion, webhook) } : {}),
    validate(object, old, ctx) {
      const { rules, view } = rulesFor(ctx)
      return rules.validate(view(object), old && view(old))
    },
    validateStatus(object, old, ctx) {
      const { rules, view } = rulesFor(ctx)
      return rules.validateStatus(view(object), old && view(old))
    },
    warnings: finalizerWarnings,
    strategy: {
      status: hasStatus,
      generation: hasStatus ? 'outsideMetadata' : 'outsideMetadataAndStatus',
      unconditionalUpdate: false,
      prepareForCreate({ metadata }) {
        if (!isTerminating()) return
        const why = 'create not allowed while custom resource definition is terminating'
        throw forbiddenError({ group, resource: names.plural }, metadata.name ?? '', why)
      },
      prepareForStatusUpdate(object, old) {
        const { managedFields } = object.metadata
        object.metadata = { ...old.metadata, ...(managedFields ? { managedFields } : {}) }
      },
    },
    columns: columnsOf(storage.definition.additionalPrinterColumns),
    selectableFields: selectableFields(versions, storage, webhook ? (object) => object : convert),
    ...(subresources?.scale ? { scale: scalePaths(subresources.scale) } : {}),
    versions: versions
      .filter((version) => version !== storage && version.definition.served)
      .map((version) => servedVersion(group, version, storage, convert)),
  })
}

function versionOf(
  definition: Definition,
  version: CustomResourceDefinitionVersion,
  compileRules: CompileRules | undefined,
): Version {
  const { group, names, preserveUnknownFields } = definition.spec
  const declared = version.schema?.openAPIV3Schema
  const open = { 'x-kubernetes-preserve-unknown-fields': true }
  const schema = preserveUnknownFields ? { ...declared, ...open } : declared
  const apiVersion = apiVersionOf(group, version.name)
  // What is kept is kept at every depth: the schema only says what is valid then.
  const form = formOf(preserveUnknownFields ? open : schema)
  const name = [...group.split('.').reverse(), version.name, names.kind].join('.')
  return {
    definition: version,
    apiVersion,
    form,
    rules: rulesOf(schema, version.subresources?.scale, compileRules),
    schema: schemaType(schema, { name, decode: form, openapi: publishedSchema(schema) }),
    deprecation: version.deprecated
      ? (version.deprecationWarning ?? `${apiVersion} ${names.kind} is deprecated${successor(definition, version)}`)
      : undefined,
  }
}

/** The version upstream recommends instead: the newest that is served and not deprecated. */
function successor({ spec }: Definition, { name }: CustomResourceDefinitionVersion): string {
  const next = spec.versions
    .filter((version) => version.served && !version.deprecated)
    .map((version) => version.name)
    .sort(compareVersions)[0]
  return next && compareVersions(next, name) < 0 ? `; use ${apiVersionOf(spec.group, next)} ${spec.names.kind}` : ''
}

function servedVersion(
  group: string,
  version: Version,
  storage: Version,
  convert: (object: AnyObject, to: Version) => AnyObject,
): ServedVersion {
  return {
    group,
    version: version.definition.name,
    schema: version.schema,
    fromStorage: (object) => convert(object, version),
    toStorage: (object) => convert(object, storage),
    columns: columnsOf(version.definition.additionalPrinterColumns),
    ...(version.deprecation ? { deprecation: version.deprecation } : {}),
    lacks: (['status', 'scale'] as const).filter((part) => !version.definition.subresources?.[part]),
  }
}

const scalePaths = ({ specReplicasPath, statusReplicasPath, labelSelectorPath }: CustomResourceSubresourceScale) => ({
  specReplicas: specReplicasPath,
  statusReplicas: statusReplicasPath,
  validates: true,
  ...(labelSelectorPath ? { selector: labelSelectorPath } : {}),
})

/** Fields that selectors may name, each read in the version that offers it. */
function selectableFields(
  versions: readonly Version[],
  storage: Version,
  convert: (object: AnyObject, to: Version) => AnyObject,
): Record<string, (object: AnyObject) => string> {
  const fields: Record<string, (object: AnyObject) => string> = {}
  for (const version of [...versions].sort((a) => (a === storage ? -1 : 1))) {
    for (const { jsonPath } of version.definition.selectableFields ?? []) {
      const find = findPath(jsonPath)
      const read = (object: AnyObject) => String(find(convert(object, version))[0] ?? '')
      fields[jsonPath.replace(/^\./, '')] ??= read
    }
  }
  return fields
}
