import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import protobuf from 'protobufjs'

/**
 * The services of a .proto text as @grpc/grpc-js wants them, by full name. Messages are plain objects with camelCase
 * fields, enums as strings, 64-bit integers as numbers or, if asked for, as strings; every field is there, a message that
 * was not sent as null.
 */
export function readServices(text: string, longs: Longs = Number): (service: string) => ServiceDefinition {
  const root = rootOf(text)
  return (name) => {
    const service = root.lookupService(name)
    return Object.fromEntries(
      service.methodsArray.map((method) => {
        method.resolve()
        return [method.name, definition(service, method, longs)]
      }),
    )
  }
}

type Longs = NumberConstructor | StringConstructor

/** Reads one message of a .proto text from its bytes. */
export function messageReader<T>(text: string, name: string): (bytes: Uint8Array) => T {
  return reader(rootOf(text).lookupType(name), Number) as (bytes: Uint8Array) => T
}

const roots = new Map<string, protobuf.Root>()

function rootOf(text: string): protobuf.Root {
  let root = roots.get(text)
  if (!root) {
    root = new protobuf.Root()
    protobuf.parse(text, root)
    root.resolveAll()
    roots.set(text, root)
  }
  return root
}

function definition(
  service: protobuf.Service,
  method: protobuf.Method,
  longs: Longs,
): MethodDefinition<object, object> {
  const { resolvedRequestType: request, resolvedResponseType: response } = method
  if (!request || !response) throw new Error(`${service.fullName}.${method.name} names a message that is not there`)
  return {
    path: `/${service.fullName.slice(1)}/${method.name}`,
    originalName: method.name,
    requestStream: method.requestStream ?? false,
    responseStream: method.responseStream ?? false,
    requestSerialize: writer(request),
    requestDeserialize: reader(request, longs),
    responseSerialize: writer(response),
    responseDeserialize: reader(response, longs),
  }
}

const writer = (type: protobuf.Type) => (message: object) => {
  const { buffer, byteOffset, byteLength } = type.encode(type.fromObject(message as Record<string, unknown>)).finish()
  return Buffer.from(buffer, byteOffset, byteLength)
}

const reader = (type: protobuf.Type, longs: Longs) => (bytes: Uint8Array) =>
  type.toObject(type.decode(bytes), { defaults: true, enums: String, longs })
