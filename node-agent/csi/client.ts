import { Client, credentials, type MethodDefinition, type ServiceError } from '@grpc/grpc-js'
import { readServices } from '../runtime/grpc.ts'
import { CsiError, grpcCodes } from './errors.ts'
import csiProto from './proto/csi.proto?raw'
import registrationProto from './proto/plugin-registration.proto?raw'

export interface CallOptions {
  /** No call waits longer for its driver, which may hang. */
  timeoutMs: number
  signal?: AbortSignal
}

/** A connection to a driver, or to its registrar. */
export interface CsiConnection {
  /** Calls an rpc by its bare name. Every refusal, and a driver that does not answer, is a CsiError. */
  call<T>(method: string, request: object, options: CallOptions): Promise<T>
  close(): void
}

const channelOptions = {
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // A driver that restarts is on this machine: look again soon.
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 1000,
}

/** Connects to a driver's socket. Connecting goes on behind; a call fails while nobody listens there. */
export const connectCsi = (socket: string): CsiConnection =>
  connectPlugin(socket, csiProto, ['csi.v1.Identity', 'csi.v1.Controller', 'csi.v1.Node'])

/** Connects to a socket on which a plugin registers itself. */
export const connectRegistrar = (socket: string): CsiConnection =>
  connectPlugin(socket, registrationProto, ['pluginregistration.Registration'])

/** Connects to a socket of a plugin that serves some services of a .proto text. */
export function connectPlugin(socket: string, proto: string, services: readonly string[]): CsiConnection {
  const read = readServices(proto, String)
  const methods = new Map(services.flatMap((service) => Object.entries(read(service))))
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), channelOptions)
  return {
    call<T>(name: string, request: object, { timeoutMs, signal }: CallOptions): Promise<T> {
      const method = methods.get(name) as MethodDefinition<object, object> | undefined
      if (!method) return Promise.reject(new CsiError('UNIMPLEMENTED', `the interface has no ${name}`))
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(new CsiError('CANCELLED', String(signal.reason)))
        const { path, requestSerialize, responseDeserialize } = method
        const deadline = Date.now() + timeoutMs
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          request,
          { deadline },
          (error, answer) => {
            signal?.removeEventListener('abort', cancel)
            if (error) reject(asCsiError(error))
            else resolve(answer as T)
          },
        )
        const cancel = () => call.cancel()
        signal?.addEventListener('abort', cancel, { once: true })
      })
    },
    close: () => client.close(),
  }
}

const asCsiError = ({ code, details, message }: ServiceError): CsiError =>
  new CsiError(grpcCodes[code] ?? 'UNKNOWN', details || message)
