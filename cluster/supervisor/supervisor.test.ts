import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { until } from '../../test/support/until.ts'
import { endProcess } from './end.ts'
import {
  claimRecord,
  isRunning,
  type ProcessRecord,
  readRecord,
  readRecords,
  removeRecord,
  startTimeOf,
  writeRecord,
} from './records.ts'
import { CannotStart, type ChildSpec, fingerprintOf, Supervisor } from './supervisor.ts'

let directory: string
let said: string[]
const running: Supervisor[] = []

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-supervisor-'))
  said = []
})
afterEach(async () => {
  for (const supervisor of running.splice(0)) await supervisor.stop()
  for (const record of readRecords(runDir())) await endProcess(record, { signal: 'SIGKILL' })
  rmSync(directory, { recursive: true, force: true })
})

const runDir = () => join(directory, 'run')
const record = (name: string) => readRecord(runDir(), name) as ProcessRecord
const log = (name: string) => readFileSync(join(directory, 'logs', `${name}.log`), 'utf8')

/** A child that says so, is ready and waits. */
const script = (text: string): [string, ...string[]] => ['/bin/sh', '-c', text]
const idle = 'echo up; echo {} >&3; exec 3>&-; exec sleep 600'
const child = (name: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
  name,
  command: script(idle),
  after: [],
  ready: 'announce',
  stopMs: 2000,
  version: '1',
  ...more,
})

function supervise(specs: readonly ChildSpec[], onReady?: (name: string) => void): Supervisor {
  const supervisor = new Supervisor({
    specs,
    runDir: runDir(),
    logDir: join(directory, 'logs'),
    say: (line) => said.push(line),
    ...(onReady ? { onReady } : {}),
  })
  running.push(supervisor)
  return supervisor
}

test('starts at once what waits for others itself', async () => {
  const order: string[] = []
  const supervisor = supervise(
    [
      // Ready only once the other runs: which it never would if that had to wait for this one.
      child('api', { command: script(`while ! test -e ${directory}/run/agent.json; do sleep 0.01; done; ${idle}`) }),
      child('agent', { after: ['api'], waits: true }),
    ],
    (name) => order.push(name),
  )
  await supervisor.start()
  expect(order.toSorted()).toEqual(['agent', 'api'])
  const pids = readRecords(runDir())
  await supervisor.stop()
  expect(pids.filter(isRunning)).toEqual([])
})

test('starts each after those it needs are ready, and ends them the other way round', async () => {
  const order: string[] = []
  const gone = (needs: string) =>
    script(
      `trap 'test -e ${directory}/run/${needs}.json && echo first; exit' TERM; echo {} >&3; while :; do sleep 0.01; done`,
    )
  const supervisor = supervise(
    [child('agent', { after: ['api'], command: gone('api') }), child('api', { after: ['store'] }), child('store')],
    (name) => order.push(name),
  )
  await supervisor.start()
  expect(order).toEqual(['store', 'api', 'agent'])
  const pids = readRecords(runDir())
  expect(pids.map(({ name }) => name)).toEqual(['agent', 'api', 'store'])
  await supervisor.stop()
  expect(log('agent')).toContain('first')
  expect(pids.filter(isRunning)).toEqual([])
  expect(readRecords(runDir())).toEqual([])
})

test('brings back a child that was killed, and says so', async () => {
  await supervise([child('api')]).start()
  const before = record('api')
  process.kill(before.pid, 'SIGKILL')
  await until(() => said.includes('api is back'), { message: 'api comes back' })
  expect(said).toEqual(['api ended (SIGKILL); it comes back in 0.1 s', 'api is back'])
  expect(record('api').pid).not.toBe(before.pid)
  expect(record('api').restarts).toBe(1)
})

test('gives up a child that never comes up, and keeps what it said', async () => {
  const broken = child('api', { command: script('echo the port is taken >&2; exit 3') })
  const failure = supervise([broken]).start()
  await expect(failure).rejects.toThrow(new CannotStart('api', 'exit 3'))
  expect(log('api')).toContain('the port is taken')
})

test('a program that is not there is told by name', async () => {
  const missing = child('etcd', { command: ['/nowhere/etcd'] })
  await expect(supervise([missing]).start()).rejects.toThrow(/etcd does not come up.*ENOENT/)
})

test('a child that does not listen is ended by force', async () => {
  const deaf = child('deaf', { command: script("trap '' TERM; echo {} >&3; while :; do sleep 0.01; done"), stopMs: 50 })
  const supervisor = supervise([deaf])
  await supervisor.start()
  const before = record('deaf')
  await supervisor.stop()
  expect(isRunning(before)).toBe(false)
})

/** What a supervisor that was killed leaves behind: running processes and their records. */
function leftBehind(specs: readonly ChildSpec[]): ProcessRecord[] {
  return specs.map((spec) => {
    const pid = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).pid as number
    const left = { name: spec.name, pid, startTime: startTimeOf(pid) as string, startedAtMs: 0, restarts: 0 }
    const whole = { ...left, fingerprint: fingerprintOf(spec) }
    writeRecord(runDir(), whole)
    return whole
  })
}

test('children of a supervisor that was killed are adopted, brought back, and ended with the others', async () => {
  const specs = [child('api'), child('agent', { after: ['api'] })]
  const [api, agent] = leftBehind(specs) as [ProcessRecord, ProcessRecord]
  const supervisor = supervise(specs)
  await supervisor.start()
  expect([record('api').pid, record('agent').pid]).toEqual([api.pid, agent.pid])
  expect(said).toEqual(['api still runs; it goes on', 'agent still runs; it goes on'])
  process.kill(api.pid, 'SIGKILL')
  await until(() => said.includes('api is back'), { message: 'the adopted child is brought back' })
  await supervisor.stop()
  expect(isRunning(agent)).toBe(false)
})

test('what runs of an older version is replaced', async () => {
  const [before] = leftBehind([child('api')]) as [ProcessRecord]
  await supervise([child('api', { version: '2' })]).start()
  expect(isRunning(before)).toBe(false)
  expect(record('api').pid).not.toBe(before.pid)
})

test('only one process at a time may claim a name, and a dead one holds nothing', () => {
  const mine = {
    name: 'supervisor',
    pid: process.pid,
    startTime: startTimeOf(process.pid) as string,
    startedAtMs: 0,
    fingerprint: '',
    restarts: 0,
  }
  expect(claimRecord(runDir(), { ...mine, startTime: 'of a process long gone' })).toBeUndefined()
  expect(claimRecord(runDir(), mine)).toBeUndefined()
  expect(claimRecord(runDir(), mine)).toEqual(mine)
  removeRecord(runDir(), 'supervisor')
})
