import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Io } from '../../cli/io.ts'
import { run } from '../../cli/run.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { namespaceWithAccount } from './namespace.ts'

// gantry watch, with a terminal that the test looks at and types on.

let server: TestServer
beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'seen')
})
afterAll(() => server?.stop())

function terminal() {
  const stdin = new PassThrough()
  let written = ''
  let isRaw = false
  const show = (text: string) => {
    written += text
  }
  const io: Io = {
    out: show,
    err: show,
    write: () => undefined,
    stdin,
    terminal: {
      setRaw(raw) {
        isRaw = raw
      },
      size: () => ({ columns: 100, rows: 20 }),
      onResize: () => () => {},
    },
    isTerminal: { stdin: true, stdout: true },
    env: {},
    signal: new AbortController().signal,
  }
  return {
    io,
    type: (keys: string) => stdin.write(keys),
    /** What is on it since it was last drawn from its first line. */
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken away
    screen: () => (written.split('\u001b[H').at(-1) ?? '').replace(/\u001b\[[0-9;?]*[A-Za-z]/g, ''),
    isRaw: () => isRaw,
  }
}

test('shows what is there, what comes and what goes, and describes it', async () => {
  const { io, type, screen, isRaw } = terminal()
  const over = run('watch', ['--kubeconfig', server.kubeconfig], io)
  await until(() => screen().includes('pods 0/0'))
  expect(isRaw()).toBe(true)
  type('3')
  await server.kubectl('run -n seen here --image=app:1 --restart=Never')
  await until(() => screen().includes('seen/pod/here'))
  type('\r')
  await until(() => /Name: +here/.test(screen()))
  type('q')
  await until(() => screen().includes('enter describe'))
  await server.kubectl('delete pod -n seen here --now')
  await until(() => !screen().includes('seen/pod/here'))
  type('q')
  expect(await over).toBe(0)
  expect(isRaw()).toBe(false)
})

test('says what it needs where there is no terminal', async () => {
  const { io, screen } = terminal()
  const { terminal: _, ...piped } = io
  expect(await run('watch', ['--kubeconfig', server.kubeconfig], piped)).toBe(1)
  expect(screen()).toContain('gantry watch needs a terminal: `gantry status` shows the same once')
})
