import {
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { CriError, criCodes } from '../cri.ts'
import { readServices } from '../grpc.ts'
import criProto from '../proto/cri.proto?raw'
import type { LocalService } from './service.ts'

/** Serves the interface at `unix:///…`, so that any agent can drive it. Resolves when it listens. */
export async function serveCri(endpoint: string, service: LocalService): Promise<{ close(): void }> {
  const services = readServices(criProto)
  const server = new Server({ 'grpc.max_receive_message_length': 16 * 1024 * 1024 })
  server.addService(...implementation(services('runtime.v1.RuntimeService'), service))
  server.addService(...implementation(services('runtime.v1.ImageService'), service))
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(endpoint, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve()))
  })
  return { close: () => server.forceShutdown() }
}

function implementation(
  definition: ServiceDefinition,
  service: LocalService,
): [ServiceDefinition, UntypedServiceImplementation] {
  const handlers: UntypedServiceImplementation = {}
  for (const name of Object.keys(definition)) {
    if (name === 'GetContainerEvents') {
      handlers[name] = (call: ServerWritableStream<object, object>) => sendEvents(service, call)
      continue
    }
    const method = service.methods[name]
    if (!method) continue
    const handler: handleUnaryCall<never, object> = (call, answer) => {
      Promise.resolve()
        .then(() => method(call.request))
        .then(
          (value) => answer(null, value),
          (error: unknown) => answer(refusal(error)),
        )
    }
    handlers[name] = handler as UntypedHandleCall
  }
  return [definition, handlers]
}

function sendEvents(service: LocalService, call: ServerWritableStream<object, object>): void {
  const gone = new AbortController()
  call.on('cancelled', () => gone.abort())
  call.on('error', () => gone.abort())
  // Headers at once: the client knows that it is being told from now on.
  call.sendMetadata(new (call.metadata.constructor as new () => typeof call.metadata)())
  const send = async () => {
    for await (const event of service.events(gone.signal)) call.write(event)
    call.end()
  }
  send().catch((error: unknown) => call.destroy(error as Error))
}

function refusal(error: unknown): { code: number; details: string } {
  const code = criCodes.indexOf(error instanceof CriError ? error.code : 'unknown')
  return { code, details: error instanceof Error ? error.message : String(error) }
}
