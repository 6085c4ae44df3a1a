import { Connection, request } from './connection.ts'
import { type Target, usageOf } from './target.ts'

export interface Result {
  name: string
  count: number
  perSecond: number
  p50Ms: number
  p99Ms: number
  errors: number
  cpuSeconds: number
  memoryMb: number
}

export interface Load {
  name: string
  clients: number
  count: number
  make: (i: number) => { method: string; path: string; headers?: Record<string, string>; body?: string }
}

/** Sends `count` requests through `clients` connections, each as fast as its answers come. */
export async function run(target: Target, { name, clients, count, make }: Load): Promise<Result> {
  const requests = Array.from({ length: count }, (_, i) => {
    const { method, path, headers, body } = make(i)
    const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
    return request(method, path, target.host, { ...target.headers, ...type, ...headers }, body)
  })
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(target.tls)))
  const durations = new Float64Array(count)
  let next = 0
  let errors = 0
  const before = usageOf(target.pids)
  const startedAt = performance.now()
  await Promise.all(
    connections.map(async (connection) => {
      while (next < count) {
        const i = next++
        const sentAt = performance.now()
        const { code, body } = await connection.send(requests[i] as Buffer)
        durations[i] = performance.now() - sentAt
        if (code >= 300 && errors++ === 0)
          process.stderr.write(`${name}: HTTP ${code} ${body.toString().slice(0, 300)}\n`)
      }
    }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  for (const connection of connections) connection.close()
  const after = usageOf(target.pids)
  durations.sort()
  return {
    name,
    count,
    perSecond: count / seconds,
    p50Ms: durations[Math.floor(count * 0.5)] ?? 0,
    p99Ms: durations[Math.floor(count * 0.99)] ?? 0,
    errors,
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    memoryMb: after.memoryMb,
  }
}
