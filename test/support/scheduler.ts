import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { TestServer } from './server.ts'

const gantry = fileURLToPath(new URL('../../bin/gantry', import.meta.url))
const readyMs = 30_000

export interface TestScheduler {
  /** All it has said so far. */
  said(): string
  stop(): Promise<void>
  kill9(): Promise<void>
  readonly ended: Promise<number | null>
}

/** Our scheduler as a process of its own, with its server's administrator's rights; resolves when it schedules, or stands by. */
export async function startScheduler(
  server: TestServer,
  args: readonly string[] = [],
  { standsBy = false } = {},
): Promise<TestScheduler> {
  const readyWord = standsBy ? 'another leads' : 'scheduling'
  const flags = [`--kubeconfig=${server.kubeconfig}`, '--leader-elect=false', '--secure-port=0', ...args]
  const child = spawn(process.execPath, [gantry, 'scheduler', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await ended
  }
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string) => reject(new Error(`the scheduler ${why}:\n${lines.join('\n')}`))
    const timer = setTimeout(() => fail(`is not ${readyWord} after ${readyMs} ms`), readyMs)
    const note = (line: string) => {
      lines.push(line)
      if (!line.includes(`"msg":"${readyWord}"`)) return
      clearTimeout(timer)
      resolve()
    }
    for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', note)
    void ended.then((code) => {
      clearTimeout(timer)
      fail(`ended with ${code}`)
    })
  })
  return { said: () => lines.join('\n'), stop: () => end('SIGTERM'), kill9: () => end('SIGKILL'), ended }
}
