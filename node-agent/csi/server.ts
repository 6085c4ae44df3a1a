import { rm } from 'node:fs/promises'
import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { readServices } from '../runtime/grpc.ts'
import { CsiError, grpcCodes } from './errors.ts'
import csiProto from './proto/csi.proto?raw'
import registrationProto from './proto/plugin-registration.proto?raw'

/** The rpcs that somebody answers, by their bare names; all others are refused as unimplemented. */
export type Methods = Readonly<Record<string, (request: never) => object | Promise<object>>>

/** Serves a driver's rpcs on a socket. Resolves when it listens. */
export const serveCsi = (socket: string, methods: Methods): Promise<{ close(): void }> =>
  servePlugin(socket, csiProto, ['csi.v1.Identity', 'csi.v1.Controller', 'csi.v1.Node'], methods)

/** Serves a plugin's registration on a socket of the agent's plugins_registry. */
export const serveRegistrar = (socket: string, methods: Methods): Promise<{ close(): void }> =>
  servePlugin(socket, registrationProto, ['pluginregistration.Registration'], methods)

/** Serves some services of a .proto text on a socket. */
export async function servePlugin(socket: string, proto: string, services: readonly string[], methods: Methods) {
  // One that an earlier process has left answers nobody.
  await rm(socket, { force: true })
  const read = readServices(proto, String)
  const server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 })
  for (const service of services) {
    const definition = read(service)
    const handlers: UntypedServiceImplementation = {}
    for (const name of Object.keys(definition)) {
      const method = methods[name]
      if (method) handlers[name] = handlerOf(method)
    }
    server.addService(definition, handlers)
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    )
  })
  return { close: () => server.forceShutdown() }
}

function handlerOf(method: Methods[string]): UntypedHandleCall {
  const handler: handleUnaryCall<never, object> = (call, answer) => {
    Promise.resolve()
      .then(() => method(call.request))
      .then(
        (value) => answer(null, value),
        (error: unknown) => answer(refusal(error)),
      )
  }
  return handler as UntypedHandleCall
}

function refusal(error: unknown): { code: number; details: string } {
  if (error instanceof CsiError) return { code: grpcCodes.indexOf(error.code), details: error.why }
  return { code: grpcCodes.indexOf('INTERNAL'), details: error instanceof Error ? error.message : String(error) }
}
