import { Connection, request } from './connection.ts'
import { type Target, usageOf } from './target.ts'

export interface Result {
  name: string
  count: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  errors: number
  /** Of the answers' bodies. */
  megabytes: number
  /** Processor time of the server. */
  cpuSeconds: number
  /** Resident memory of the server afterwards. */
  memoryMb: number
}

export interface Load {
  name: string
  clients: number
  count: number
  make: (i: number) => Request
  /** Called before each request, with the time from {@link performance.now}. */
  onSend?: (i: number, atMs: number) => void
}

export interface Request {
  method: string
  path: string
  headers?: Record<string, string>
  body?: string
}

/** A load ends after this long, whatever it has done by then. */
const longestMs = 120_000

/** Sends `count` requests through `clients` connections, each as fast as its answers come. */
export async function run(target: Target, { name, clients, count, make, onSend }: Load): Promise<Result> {
  const requests = Array.from({ length: count }, (_, i) => bytesOf(target, make(i)))
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(target.tls)))
  const durations = new Float64Array(count)
  let next = 0
  let errors = 0
  let bytes = 0
  const before = usageOf(target.pids)
  const startedAt = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      while (next < count && performance.now() - startedAt < longestMs) {
        const i = next++
        const sentAt = performance.now()
        onSend?.(i, sentAt)
        const answer = await connection.send(requests[i] as Buffer)
        durations[i] = performance.now() - sentAt
        bytes += answer.bytes
        if (answer.code >= 300 && errors++ === 0) {
          process.stderr.write(`${name}: HTTP ${answer.code} ${answer.start.toString()}\n`)
        }
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  for (const connection of connections) connection.close()
  const after = usageOf(target.pids)
  const done = durations.subarray(0, next).sort()
  return {
    name,
    count: next,
    perSecond: next / seconds,
    p50Ms: quantile(done, 0.5),
    p99Ms: quantile(done, 0.99),
    errors,
    megabytes: bytes / 1e6,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    memoryMb: after.memoryMb,
  }
}

/** One request, whose answer must be good or one of `codes`. */
export async function once(target: Target, what: Request, codes: readonly number[] = []): Promise<void> {
  const connection = await Connection.open(target.tls)
  try {
    const { code, start } = await connection.send(bytesOf(target, what))
    if (code >= 300 && !codes.includes(code)) {
      throw new Error(`${what.method} ${what.path}: HTTP ${code} ${start.toString()}`)
    }
  } finally {
    connection.close()
  }
}

/** The value that the share `q` of the sorted values does not exceed. */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0
}

function bytesOf(target: Target, { method, path, headers, body }: Request): Buffer {
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
  return request(method, path, target.host, { ...target.headers, ...type, ...headers }, body)
}
