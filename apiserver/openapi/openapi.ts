import { createHash } from 'node:crypto'
import type { Resource } from '../../api/machinery/resource.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { builtinDefinitions, builtinSchema } from '../../api/schema/builtin.ts'
import { Definitions, type Descriptions, type Json, v2Dialect, v3Dialect } from './definitions.ts'
import { camel, type Operation, operationsOf, type Parameter } from './operations.ts'

/** The OpenAPI documents. Made when first asked for, prose included; none of it is loaded at the start. */
export interface OpenApi {
  v2(): Promise<Buffer>
  v2Protobuf(): Promise<Buffer>
  v3Index(): Promise<Buffer>
  /** `apis/apps/v1`, `api/v1`. */
  v3(groupVersionPath: string): Promise<Buffer | undefined>
  /** What is served has changed. */
  invalidate(): void
}

/** One group and version, with the kinds served in it. */
interface GroupVersion {
  path: string
  group: string
  version: string
  kinds: { resource: Resource; schema: Schema }[]
}

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const mediaTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const info = { title: 'Kubernetes', version: 'v1.36.1' }

/** `others`: where documents are that other servers have, by the path of what they describe. */
export function createOpenApi(
  resources: () => readonly Resource[],
  others: () => ReadonlyMap<string, string> = () => new Map(),
): OpenApi {
  const kept = new Map<string, Promise<Buffer | undefined>>()
  const once = (name: string, make: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> => {
    let document = kept.get(name)
    if (!document) {
      document = make()
      kept.set(name, document)
    }
    return document
  }
  const encode = (document: object) => Buffer.from(JSON.stringify(document))
  const v2Document = async () => makeV2(groupVersions(resources()), await loadDescriptions())
  const v3 = (path: string) =>
    once(`v3 ${path}`, async () => {
      const found = groupVersions(resources()).find((candidate) => candidate.path === path)
      return found && encode(makeV3(found, await loadDescriptions()))
    })
  return {
    v2: () => once('v2', async () => encode(await v2Document())) as Promise<Buffer>,
    v2Protobuf: () =>
      once('v2 protobuf', async () => {
        const { encodeV2 } = await import('./v2-protobuf.ts')
        return encodeV2(await v2Document())
      }) as Promise<Buffer>,
    v3Index: () =>
      once('v3', async () => {
        const paths: Json = {}
        for (const { path } of groupVersions(resources())) {
          const document = (await v3(path)) as Buffer
          const hash = createHash('sha512').update(document).digest('hex').toUpperCase()
          paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` }
        }
        for (const [path, serverRelativeURL] of others()) paths[path] ??= { serverRelativeURL }
        return encode({ paths })
      }) as Promise<Buffer>,
    v3,
    invalidate: () => kept.clear(),
  }
}

async function loadDescriptions(): Promise<Descriptions> {
  const { default: descriptions } = await import('../../api/generated/descriptions.json', { with: { type: 'json' } })
  return descriptions as unknown as Descriptions
}

function groupVersions(resources: readonly Resource[]): GroupVersion[] {
  const found = new Map<string, GroupVersion>()
  for (const resource of resources) {
    for (const { group, version, schema } of servedVersions(resource)) {
      const path = group === '' ? `api/${version}` : `apis/${group}/${version}`
      let entry = found.get(path)
      if (!entry) {
        entry = { path, group, version, kinds: [] }
        found.set(path, entry)
      }
      entry.kinds.push({ resource, schema })
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The versions in which clients meet a kind. */
export const servedVersions = (resource: Resource): readonly Pick<Resource, 'group' | 'version' | 'schema'>[] =>
  resource.isStoredOnly ? resource.versions : [resource, ...resource.versions]

/** The kinds of each definition, for x-kubernetes-group-version-kind. */
function kindsByDefinition(groups: readonly GroupVersion[]): Map<string, Json[]> {
  const kinds = new Map<string, Json[]>()
  for (const { group, version, kinds: served } of groups) {
    for (const { resource, schema } of served) {
      if (!schema.name) continue
      kinds.set(schema.name, [{ group, kind: resource.kind, version }])
      kinds.set(listName(schema, resource), [{ group, kind: resource.listKind, version }])
    }
  }
  const everywhere = groups.map(({ group, version }) => ({ group, version }))
  kinds.set(
    `${meta}.DeleteOptions`,
    everywhere.map((gv) => ({ ...gv, kind: 'DeleteOptions' })),
  )
  kinds.set(`${meta}.Status`, [{ group: '', kind: 'Status', version: 'v1' }])
  kinds.set('io.k8s.api.autoscaling.v1.Scale', [{ group: 'autoscaling', kind: 'Scale', version: 'v1' }])
  kinds.set('io.k8s.api.policy.v1.Eviction', [{ group: 'policy', kind: 'Eviction', version: 'v1' }])
  kinds.set('io.k8s.api.authentication.v1.TokenRequest', [
    { group: 'authentication.k8s.io', kind: 'TokenRequest', version: 'v1' },
  ])
  return kinds
}

const listName = (schema: Schema, { kind, listKind }: Resource): string =>
  `${schema.name?.slice(0, -kind.length)}${listKind}`

/** Schemas of what requests carry and answers bring, as references into one document. */
class Bodies {
  readonly definitions: Definitions
  readonly patchTypes: readonly string[]
  readonly #schema: Schema
  readonly #resource: Resource

  constructor(definitions: Definitions, resource: Resource, schema: Schema) {
    this.definitions = definitions
    this.patchTypes = resource.refusesStrategicMerge
      ? patchTypes.filter((type) => type !== 'application/strategic-merge-patch+json')
      : patchTypes
    this.#schema = schema
    this.#resource = resource
  }

  of(body: NonNullable<Operation['body']> | Operation['answer']): Json {
    const { definitions } = this
    switch (body) {
      case 'object':
        return definitions.reference(this.#schema)
      case 'list':
        return this.#list()
      case 'patch':
        return definitions.named(`${meta}.Patch`, () => ({
          description: 'A patch, in the form that its content type names.',
          type: 'object',
        }))
      case 'deleteOptions':
        return definitions.reference(builtinSchema(`${meta}.DeleteOptions`))
      case 'status':
        return definitions.reference(builtinSchema(`${meta}.Status`))
      default: {
        const known = definitionOf(body)
        return known ? definitions.reference(builtinSchema(known)) : { type: 'object' }
      }
    }
  }

  #list(): Json {
    const { kind } = this.#resource
    const item = this.definitions.reference(this.#schema)
    return this.definitions.named(listName(this.#schema, this.#resource), () => ({
      description: `A list of objects of kind ${kind}.`,
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: { type: 'string', description: 'The version of this form of the list.' },
        items: { type: 'array', items: item, description: 'The objects.' },
        kind: { type: 'string', description: 'What this is.' },
        metadata: this.definitions.reference(builtinSchema(`${meta}.ListMeta`)),
      },
    }))
  }
}

const groupPackages: Record<string, string> = {
  '': 'core',
  'authentication.k8s.io': 'authentication',
  policy: 'policy',
  autoscaling: 'autoscaling',
}
const known = new Set(builtinDefinitions())

function definitionOf({ group, version, kind }: { group: string; version: string; kind: string }): string | undefined {
  const name = `io.k8s.api.${groupPackages[group] ?? group.replace(/\.k8s\.io$/, '')}.${version}.${kind}`
  return known.has(name) ? name : undefined
}

function makeV3({ group, version, kinds, path }: GroupVersion, descriptions: Descriptions): Json {
  const groups = [{ group, version, kinds, path }]
  const definitions = new Definitions(v3Dialect, descriptions, kindsByDefinition(groups))
  const paths: Record<string, Json> = {}
  for (const { resource, schema } of kinds) {
    const bodies = new Bodies(definitions, resource, schema)
    for (const operation of operationsOf(resource, group, version)) {
      paths[operation.path] ??= {}
      const item = paths[operation.path] as Json
      item[operation.method] = v3Operation(operation, bodies, group, version)
      if (operation.pathParameters.length > 0) item.parameters = operation.pathParameters.map(v3PathParameter)
    }
  }
  return { openapi: '3.0.0', info, paths, components: { schemas: definitions.all } }
}

function v3Operation(operation: Operation, bodies: Bodies, group: string, version: string): Json {
  const { body, answer } = operation
  const content = (types: readonly string[], schema: Json) =>
    Object.fromEntries(types.map((type) => [type, { schema }]))
  return {
    ...common(operation, group, version),
    ...(operation.parameters.length > 0
      ? {
          parameters: operation.parameters.map(({ name, type, description }) => ({
            name,
            in: 'query',
            description,
            schema: { type, uniqueItems: true },
          })),
        }
      : {}),
    ...(body
      ? {
          requestBody: {
            content: content(body === 'patch' ? bodies.patchTypes : ['*/*'], bodies.of(body)),
            ...(body === 'deleteOptions' ? {} : { required: true }),
          },
        }
      : {}),
    responses: {
      [operation.method === 'post' ? '201' : '200']: {
        description: operation.method === 'post' ? 'Created' : 'OK',
        content: content(mediaTypes.slice(0, 2), bodies.of(answer)),
      },
      401: { description: 'Unauthorized' },
    },
  }
}

const v3PathParameter = ({ name, description }: Parameter): Json => ({
  name,
  in: 'path',
  required: true,
  description,
  schema: { type: 'string', uniqueItems: true },
})

function makeV2(groups: readonly GroupVersion[], descriptions: Descriptions): Json {
  const definitions = new Definitions(v2Dialect, descriptions, kindsByDefinition(groups))
  const paths: Record<string, Json> = {}
  for (const { group, version, kinds } of groups) {
    for (const { resource, schema } of kinds) {
      const bodies = new Bodies(definitions, resource, schema)
      for (const operation of operationsOf(resource, group, version)) {
        paths[operation.path] ??= {}
        const item = paths[operation.path] as Json
        item[operation.method] = v2Operation(operation, bodies, group, version)
        if (operation.pathParameters.length > 0) item.parameters = operation.pathParameters.map(v2PathParameter)
      }
    }
  }
  return { swagger: '2.0', info, paths, definitions: definitions.all }
}

function v2Operation(operation: Operation, bodies: Bodies, group: string, version: string): Json {
  const { body, answer, parameters } = operation
  return {
    ...common(operation, group, version),
    consumes: body === 'patch' ? bodies.patchTypes : ['*/*'],
    produces: mediaTypes.slice(0, 2),
    schemes: ['https'],
    parameters: [
      ...(body
        ? [
            {
              name: 'body',
              in: 'body',
              ...(body === 'deleteOptions' ? {} : { required: true }),
              schema: bodies.of(body),
            },
          ]
        : []),
      ...parameters.map(({ name, type, description }) => ({ name, in: 'query', description, type, uniqueItems: true })),
    ],
    responses: {
      [operation.method === 'post' ? '201' : '200']: {
        description: operation.method === 'post' ? 'Created' : 'OK',
        schema: bodies.of(answer),
      },
      401: { description: 'Unauthorized' },
    },
  }
}

const v2PathParameter = ({ name, description }: Parameter): Json => ({
  name,
  in: 'path',
  required: true,
  description,
  type: 'string',
  uniqueItems: true,
})

function common(operation: Operation, group: string, version: string): Json {
  const tag = camel(group, version)
  return {
    tags: [`${tag[0]?.toLowerCase()}${tag.slice(1)}`.replace(/V(\d\w*)$/, '_v$1')],
    description: operation.description,
    operationId: operation.operationId,
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  }
}
