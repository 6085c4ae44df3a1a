import { get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'

export interface Load {
  /** Requests answered with 200 so far. */
  readonly served: number
  /** What went wrong, one line a request. */
  readonly failures: readonly string[]
  /** The answers' bodies since the last call. */
  take(): string[]
  stop(): Promise<void>
}

/** Calls `url` without pause, a new connection each time, until told to stop. */
export function constantLoad(url: string, { clients = 4, pauseMs = 5, timeoutMs = 5000 } = {}): Load {
  let stopped = false
  let served = 0
  let bodies: string[] = []
  const failures: string[] = []
  const client = async () => {
    while (!stopped) {
      try {
        bodies.push(await call(url, timeoutMs))
        served++
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${(error as Error).message}`)
      }
      await delay(pauseMs)
    }
  }
  const running = Array.from({ length: clients }, client)
  return {
    get served() {
      return served
    },
    failures,
    take() {
      const taken = bodies
      bodies = []
      return taken
    },
    async stop() {
      stopped = true
      await Promise.all(running)
    },
  }
}

/** One request; resolves to the body of a 200. */
export function call(url: string, timeoutMs = 2000): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
      })
      response.once('error', reject)
      response.once('end', () => {
        if (response.statusCode === 200) resolve(text)
        else reject(new Error(`${response.statusCode}: ${text}`))
      })
    })
    request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)))
    request.once('error', reject)
  })
}
