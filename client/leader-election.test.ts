import { describe, expect, it } from 'vitest'
import { runLeaderElection } from './leader-election.ts'
import { leases } from './resources.ts'
import { FakeClock } from './testing/fake-clock.ts'
import { MemoryApi } from './testing/memory-api.ts'

function candidates() {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const leading = new Set<string>()
  const join = (identity: string, reach: MemoryApi = api) => {
    const stop = new AbortController()
    const ended = runLeaderElection({
      api: reach,
      clock,
      name: 'it',
      namespace: 'kube-system',
      identity,
      signal: stop.signal,
      async onStarted(signal) {
        leading.add(identity)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
        leading.delete(identity)
      },
    })
    return { stop: () => stop.abort(), ended }
  }
  const lease = () => api.objects(leases)[0]?.spec
  return { api, clock, join, leading, lease }
}

describe('leader election', () => {
  it('has one leader, who renews, and a second who waits', async () => {
    const { clock, join, leading, lease } = candidates()
    const one = join('one')
    await clock.advance(0)
    const two = join('two')
    await clock.advance(120_000)
    expect([...leading]).toEqual(['one'])
    expect(lease()).toMatchObject({ holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 0 })
    one.stop()
    two.stop()
    await clock.advance(1000)
    await Promise.all([one.ended, two.ended])
  })

  it('a leader that stops cleanly lets the next one in at once', async () => {
    const { clock, join, leading, lease } = candidates()
    const one = join('one')
    await clock.advance(0)
    const two = join('two')
    await clock.advance(5000)
    one.stop()
    await clock.advance(3000)
    expect([...leading]).toEqual(['two'])
    expect(lease()).toMatchObject({ holderIdentity: 'two', leaseTransitions: 1 })
    two.stop()
    await clock.advance(1000)
  })

  it('a leader that is cut off stops before another begins', async () => {
    const { api, clock, join, leading } = candidates()
    let cut = false
    // The first reaches the server through a line that can be cut.
    const line = new Proxy(api, {
      get(target, name) {
        const value = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (cut) return Promise.reject(Object.assign(new Error('cut'), { code: 'ECONNREFUSED' }))
          return Reflect.apply(value, target, args)
        }
      },
    })
    const one = join('one', line)
    await clock.advance(0)
    const two = join('two')
    await clock.advance(4000)
    cut = true
    for (let i = 0; i < 300; i++) {
      await clock.advance(100)
      expect(leading.size).toBeLessThan(2)
    }
    expect([...leading]).toEqual(['two'])
    await one.ended
    two.stop()
    await clock.advance(1000)
  })

  it('does not believe the time another has written, only how long it stands unchanged', async () => {
    const { api, clock, join, leading } = candidates()
    await api.create(leases, {
      metadata: { name: 'it', namespace: 'kube-system' },
      spec: { holderIdentity: 'ghost', leaseDurationSeconds: 15, renewTime: '2001-01-01T00:00:00.000000Z' },
    })
    const one = join('one')
    await clock.advance(14_000)
    expect(leading.size).toBe(0)
    await clock.advance(4000)
    expect([...leading]).toEqual(['one'])
    one.stop()
    await clock.advance(1000)
  })
})
