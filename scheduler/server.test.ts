import { afterEach, expect, test } from 'vitest'
import { SchedulerMetrics } from './metrics.ts'
import { startServer } from './server.ts'

let stop = async () => {}
afterEach(() => stop())

async function serve(fault?: string) {
  const metrics = new SchedulerMetrics()
  const ready = { 'informer-sync': () => fault }
  const why = (namespace: string, name: string, uid?: string) =>
    name === 'known' ? { namespace, name, ...(uid ? { uid } : {}) } : undefined
  const server = await startServer({ address: '127.0.0.1', port: 0, metrics, ready, why })
  stop = server.stop
  return async (path: string, init?: RequestInit) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, init)
    return [answer.status, await answer.text()]
  }
}

test('a scheduler that can answer is alive, and ready once its caches are filled', async () => {
  const get = await serve('the first lists are not in yet')
  expect(await get('/healthz')).toEqual([200, 'ok'])
  expect(await get('/livez')).toEqual([200, 'ok'])
  expect(await get('/readyz')).toEqual([
    500,
    '[-]informer-sync failed: the first lists are not in yet\nreadyz check failed\n',
  ])
})

test('a ready one says so, at length when asked', async () => {
  const get = await serve()
  expect(await get('/readyz')).toEqual([200, 'ok'])
  expect(await get('/readyz?verbose')).toEqual([200, '[+]informer-sync ok\nreadyz check passed\n'])
})

test('metrics are there for reading only', async () => {
  const get = await serve()
  expect(await get('/metrics')).toEqual([200, expect.stringContaining('scheduler_preemption_attempts_total 0')])
  expect(await get('/metrics', { method: 'POST' })).toEqual([405, 'GET only\n'])
  expect(await get('/elsewhere')).toEqual([404, '404 page not found\n'])
})

test('what was decided about a pod is told, of that very pod if it is asked for', async () => {
  const get = await serve()
  expect(await get('/why/default/known?uid=1')).toEqual([200, '{"namespace":"default","name":"known","uid":"1"}\n'])
  expect(await get('/why/default/other')).toEqual([404, 'nothing has been decided about pod default/other here\n'])
  expect(await get('/why/default')).toEqual([404, '404 page not found\n'])
})
