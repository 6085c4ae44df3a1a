import protobuf from 'protobufjs/minimal.js'
import type { Json } from './definitions.ts'

/**
 * The protobuf form of an OpenAPI v2 document, which older clients ask for instead of JSON: gnostic's openapi.v2
 * messages. Numbers are theirs; what our documents never contain is left out.
 */
export function encodeV2(document: Json): Buffer {
  const writer = protobuf.Writer.create()
  text(writer, 1, document.swagger)
  message(writer, 2, (info) => {
    const { title, version } = document.info as Json
    text(info, 1, title)
    text(info, 2, version)
  })
  message(writer, 8, (paths) => {
    for (const [path, item] of entries(document.paths)) {
      message(paths, 2, (named) => {
        text(named, 1, path)
        message(named, 2, (value) => pathItem(value, item as Json))
      })
    }
  })
  message(writer, 9, (definitions) => namedSchemas(definitions, document.definitions))
  return Buffer.from(writer.finish())
}

type Fill = (writer: protobuf.Writer) => void

function message(writer: protobuf.Writer, field: number, fill: Fill): void {
  writer.uint32((field << 3) | 2).fork()
  fill(writer)
  writer.ldelim()
}

function text(writer: protobuf.Writer, field: number, value: unknown): void {
  if (typeof value === 'string' && value !== '') writer.uint32((field << 3) | 2).string(value)
}

function flag(writer: protobuf.Writer, field: number, value: unknown): void {
  if (value === true) writer.uint32(field << 3).bool(true)
}

const entries = (value: unknown): [string, unknown][] => Object.entries((value ?? {}) as Json)

const methodFields: Record<string, number> = { get: 2, put: 3, post: 4, delete: 5, patch: 8 }

function pathItem(writer: protobuf.Writer, item: Json): void {
  for (const [method, operation] of Object.entries(item)) {
    const field = methodFields[method]
    if (field) message(writer, field, (value) => operationOf(value, operation as Json))
  }
  for (const parameter of (item.parameters ?? []) as Json[])
    message(writer, 9, (value) => parameterItem(value, parameter))
}

function operationOf(writer: protobuf.Writer, operation: Json): void {
  for (const tag of operation.tags as string[]) text(writer, 1, tag)
  text(writer, 3, operation.description)
  text(writer, 5, operation.operationId)
  for (const type of operation.produces as string[]) text(writer, 6, type)
  for (const type of operation.consumes as string[]) text(writer, 7, type)
  for (const parameter of (operation.parameters ?? []) as Json[])
    message(writer, 8, (item) => parameterItem(item, parameter))
  message(writer, 9, (responses) => {
    for (const [code, response] of entries(operation.responses)) {
      message(responses, 1, (named) => {
        text(named, 1, code)
        message(named, 2, (value) =>
          message(value, 1, (body) => {
            const { description, schema } = response as Json
            text(body, 1, description)
            if (schema) message(body, 2, (item) => message(item, 1, (inner) => schemaOf(inner, schema as Json)))
          }),
        )
      })
    }
  })
  extensions(writer, 13, operation)
}

/** In a path or query, or the body. */
function parameterItem(writer: protobuf.Writer, parameter: Json): void {
  message(writer, 1, (value) => {
    if (parameter.in === 'body') {
      message(value, 1, (body) => {
        text(body, 2, parameter.name)
        text(body, 3, 'body')
        flag(body, 4, parameter.required)
        if (parameter.schema) message(body, 5, (inner) => schemaOf(inner, parameter.schema as Json))
      })
      return
    }
    const inPath = parameter.in === 'path'
    message(value, 2, (nonBody) =>
      message(nonBody, inPath ? 4 : 3, (inner) => {
        flag(inner, 1, parameter.required)
        text(inner, 2, parameter.in)
        text(inner, 3, parameter.description)
        text(inner, 4, parameter.name)
        text(inner, inPath ? 5 : 6, parameter.type)
        flag(inner, inPath ? 19 : 20, parameter.uniqueItems)
      }),
    )
  })
}

function namedSchemas(writer: protobuf.Writer, schemas: unknown): void {
  for (const [name, schema] of entries(schemas)) {
    message(writer, 1, (named) => {
      text(named, 1, name)
      message(named, 2, (value) => schemaOf(value, schema as Json))
    })
  }
}

function schemaOf(writer: protobuf.Writer, schema: Json): void {
  text(writer, 1, schema.$ref)
  text(writer, 2, schema.format)
  text(writer, 4, schema.description)
  if (schema.default !== undefined) any(writer, 5, schema.default)
  for (const name of (schema.required ?? []) as string[]) text(writer, 19, name)
  const { additionalProperties, type, items, properties } = schema
  if (additionalProperties) {
    message(writer, 21, (item) => message(item, 1, (inner) => schemaOf(inner, additionalProperties as Json)))
  }
  if (type) message(writer, 22, (item) => text(item, 1, type))
  if (items) message(writer, 23, (item) => message(item, 1, (inner) => schemaOf(inner, items as Json)))
  if (properties) message(writer, 25, (inner) => namedSchemas(inner, properties))
  extensions(writer, 31, schema)
}

function extensions(writer: protobuf.Writer, field: number, object: Json): void {
  for (const [name, value] of Object.entries(object)) {
    if (!name.startsWith('x-')) continue
    message(writer, field, (named) => {
      text(named, 1, name)
      any(named, 2, value)
    })
  }
}

/** Any value, as YAML text; JSON is YAML. */
function any(writer: protobuf.Writer, field: number, value: unknown): void {
  message(writer, field, (inner) => text(inner, 2, `${JSON.stringify(value)}\n`))
}
