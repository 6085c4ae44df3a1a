import { defaultWebhookClient } from '../admissionregistration/webhook-client.ts'
import type { CustomResourceDefinition, JSONSchemaProps } from '../generated/types.ts'
import type { Stored } from '../machinery/object.ts'
import { defineResource } from '../machinery/resource.ts'
import { plainColumns } from '../machinery/standard-columns.ts'
import { builtinSchema } from '../schema/builtin.ts'
import { validateDefinition, validateDefinitionStatus } from './crd-validation.ts'
import { someSchema } from './schema-walk.ts'

type Definition = Stored<CustomResourceDefinition>

/** Put on a definition when its deletion begins, and removed once its objects are gone. */
export const customResourceCleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

export const customResourceDefinitions = defineResource<Definition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  storagePrefix: '/apiextensions.k8s.io/customresourcedefinitions',
  schema: builtinSchema('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition'),
  defaults,
  validate: validateDefinition,
  validateStatus: validateDefinitionStatus,
  warnings: (definition, old) => {
    const before = new Set(old ? unrecognizedFormats(old) : [])
    return unrecognizedFormats(definition)
      .filter((format) => !before.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`)
  },
  strategy: {
    status: true,
    generation: 'spec',
    unconditionalUpdate: false,
    prepareForCreate: addStorageVersion,
    prepareForUpdate: addStorageVersion,
  },
  columns: plainColumns,
})

function defaults(definition: Definition): void {
  const { spec } = definition
  if (!spec) return
  const { names } = spec
  if (names) {
    if (!names.singular && names.kind) names.singular = names.kind.toLowerCase()
    if (!names.listKind && names.kind) names.listKind = `${names.kind}List`
  }
  spec.conversion ??= { strategy: 'None' }
  defaultWebhookClient(spec.conversion.webhook?.clientConfig)
  if (!definition.status?.storedVersions?.length) addStorageVersion(definition)
}

/** The version objects are written in joins those that objects may be stored in. */
function addStorageVersion(definition: Definition): void {
  const storage = definition.spec?.versions?.find((version) => version.storage)?.name
  const stored = definition.status?.storedVersions ?? []
  if (!storage || stored.includes(storage)) return
  // The status may be the old object's own: never change it in place.
  definition.status = { ...definition.status, storedVersions: [...stored, storage] }
}

const stringFormats = new Set(
  'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname'.split(
    ' ',
  ),
)

function unrecognizedFormats({ spec }: Definition): string[] {
  const found: string[] = []
  for (const { schema } of spec?.versions ?? []) {
    someSchema(schema?.openAPIV3Schema, (inner) => {
      if (inner.format && !isRecognized(inner)) found.push(inner.format)
      return false
    })
  }
  return [...new Set(found)]
}

function isRecognized({ type = '', format = '' }: JSONSchemaProps): boolean {
  switch (type) {
    case '':
    case 'string':
      return stringFormats.has(format.replaceAll('-', ''))
    case 'integer':
      return format === 'int32' || format === 'int64'
    case 'number':
      return format === 'float' || format === 'double'
    default:
      return false
  }
}
