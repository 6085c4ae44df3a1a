import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runController } from '../client/controller.ts'
import { WorkQueue } from '../client/work-queue.ts'
import { ManagerMetrics } from './metrics.ts'
import { startManagerServer } from './server.ts'

describe('the health and metrics server', () => {
  let metrics: ManagerMetrics
  let server: Awaited<ReturnType<typeof startManagerServer>>
  let fault: Error | undefined

  beforeEach(async () => {
    fault = undefined
    metrics = new ManagerMetrics()
    const checks = [
      { name: 'ping', check: () => undefined },
      { name: 'caches', check: () => fault },
    ]
    server = await startManagerServer({ address: '127.0.0.1', port: 0, metrics, checks })
  })

  afterEach(() => server.stop())

  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [response.status, await response.text()] as const
  }

  test.each([
    ['/healthz', 200, 'ok'],
    ['/livez', 200, 'ok'],
    ['/readyz?verbose', 200, '[+]ping ok\n[+]caches ok\nreadyz check passed\n'],
    ['/healthz/ping', 200, 'ok'],
    ['/healthz/other', 404, 'there is no check "other"\n'],
    ['/', 404, '404 page not found\n'],
  ])('answers %s', async (path, status, body) => {
    expect(await get(path)).toEqual([status, body])
  })

  test('says what is wrong', async () => {
    fault = new Error('too old')
    expect(await get('/healthz')).toEqual([500, '[+]ping ok\n[-]caches failed: too old\nhealthz check failed\n'])
    expect(await get('/healthz/ping')).toEqual([200, 'ok'])
  })

  test('counts the work of a controller', async () => {
    const queue = new WorkQueue({ name: 'things' })
    const stop = new AbortController()
    let failures = 0
    const controller = {
      name: 'things',
      queue,
      reconcile: async (key: string) => {
        if (key === 'bad' && failures++ === 0) throw new Error('once')
        if (failures > 0 && key === 'bad') stop.abort()
        return undefined
      },
    }
    metrics.observe(controller)
    metrics.leading('kube-controller-manager', true)
    queue.add('good')
    queue.add('good')
    queue.add('bad')
    expect((await get('/metrics'))[1]).toContain('workqueue_depth{name="things"} 2')
    await runController(controller, { signal: stop.signal })
    const [, text] = await get('/metrics')
    expect(text).toContain('workqueue_adds_total{name="things"} 3')
    expect(text).toContain('workqueue_retries_total{name="things"} 1')
    expect(text).toContain('workqueue_work_duration_seconds_count{name="things"} 3')
    expect(text).toContain('workqueue_queue_duration_seconds_count{name="things"} 3')
    expect(text).toContain('leader_election_master_status{name="kube-controller-manager"} 1')
    expect(text).toMatch(/process_resident_memory_bytes \d+/)
  })
})
