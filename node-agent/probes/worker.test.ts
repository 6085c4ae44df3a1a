import { expect, it } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { CheckResult } from './checks.ts'
import { type ProbeRun, runProbe } from './worker.ts'

function start(given: Partial<ProbeRun> & { answers: CheckResult['verdict'][] }) {
  const clock = new FakeClock(0)
  const abort = new AbortController()
  const log: string[] = []
  const answers = [...given.answers]
  void runProbe({
    type: 'readiness',
    probe: { exec: {}, periodSeconds: 10, failureThreshold: 2 },
    startedAt: 0,
    staggerMs: 0,
    clock,
    signal: abort.signal,
    async check() {
      const verdict = answers.shift() ?? 'success'
      log.push(`${clock.now() / 1000}s ${verdict}`)
      return { verdict, output: '' }
    },
    started: async () => undefined,
    decided: (verdict) => log.push(`-> ${verdict}`),
    complain: () => log.push('complaint'),
    ...given,
  }).catch(() => undefined)
  return { clock, log, stop: () => abort.abort() }
}

it('checks at once and then by its period, and decides at its thresholds', async () => {
  const run = start({ answers: ['success', 'failure', 'failure', 'success'] })
  await run.clock.advance(35_000)
  run.stop()
  expect(run.log).toEqual([
    '0s success',
    '-> success',
    '10s failure',
    'complaint',
    '20s failure',
    'complaint',
    '-> failure',
    '30s success',
    '-> success',
  ])
})

it('waits for its initial delay', async () => {
  const run = start({ answers: [], probe: { exec: {}, periodSeconds: 10, initialDelaySeconds: 5 } })
  await run.clock.advance(6000)
  run.stop()
  expect(run.log[0]).toBe('5s success')
})

it('tries a server that only comes up soon again, and counts only the success', async () => {
  const run = start({ answers: ['failure', 'failure', 'failure', 'success'], probe: { tcpSocket: { port: 80 } } })
  await run.clock.advance(9000)
  run.stop()
  expect(run.log).toEqual(['0s failure', 'complaint', '0.1s failure', '0.3s failure', '0.7s success', '-> success'])
})

it('ends with a failed liveness probe, and with a decided startup probe', async () => {
  const liveness = start({ type: 'liveness', answers: ['failure', 'failure', 'failure'] })
  await liveness.clock.advance(60_000)
  expect(liveness.log.filter((line) => line.includes('s ') && line.endsWith('failure')).length).toBe(2)
  expect(liveness.log.at(-1)).toBe('-> failure')
  const startup = start({ type: 'startup', answers: ['success'] })
  await startup.clock.advance(60_000)
  expect(startup.log).toEqual(['0s success', '-> success'])
})

it('learns nothing from an error', async () => {
  const run = start({ answers: ['error', 'error', 'error', 'error'] })
  await run.clock.advance(35_000)
  run.stop()
  expect(run.log.some((line) => line.startsWith('->'))).toBe(false)
})
