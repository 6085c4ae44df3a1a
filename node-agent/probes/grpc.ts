import { Client, credentials, status } from '@grpc/grpc-js'
import type { CheckResult } from './checks.ts'

const method = '/grpc.health.v1.Health/Check'
const serving = 1
const statusNames = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** Asks the standard health service of a gRPC server. */
export function grpcCheck(host: string, port: number, service: string, timeoutSeconds: number): Promise<CheckResult> {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const client = new Client(address, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 })
  return new Promise((resolve) => {
    const deadline = Date.now() + timeoutSeconds * 1000
    const answered = (error: { code: number; details: string } | null, answer?: number): void => {
      client.close()
      if (!error) {
        resolve(
          answer === serving
            ? { verdict: 'success', output: 'service healthy' }
            : { verdict: 'failure', output: `service unhealthy (responded with "${statusNames[answer ?? 0]}")` },
        )
        return
      }
      resolve({ verdict: 'failure', output: describe(error, address, timeoutSeconds) })
    }
    client.makeUnaryRequest<string, number>(method, encode, decode, service, { deadline }, answered)
  })
}

function describe({ code, details }: { code: number; details: string }, address: string, seconds: number): string {
  switch (code) {
    case status.UNIMPLEMENTED:
      return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${details}`
    case status.DEADLINE_EXCEEDED:
    case status.UNAVAILABLE:
      return `timeout: failed to connect service "${address}" within ${seconds}s: ${details}`
    default:
      return `error: health rpc failed: ${details}`
  }
}

/** One field, the name of the service. */
function encode(service: string): Buffer {
  const text = Buffer.from(service)
  return text.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, text.length]), text])
}

/** One field, a small number; 0 is left out. */
const decode = (bytes: Buffer): number => (bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0)
