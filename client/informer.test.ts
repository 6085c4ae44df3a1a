import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConfigMap } from '../api/generated/types.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { Informer } from './informer.ts'
import { configMaps } from './resources.ts'
import { FakeClock } from './testing/fake-clock.ts'
import { MemoryApi } from './testing/memory-api.ts'
import type { Live } from './types.ts'

const map = (name: string, data: Record<string, string> = {}, namespace = 'default'): ConfigMap => ({
  metadata: { name, namespace },
  data,
})

function follow(options: ConstructorParameters<typeof Informer<ConfigMap>>[2] = {}) {
  const clock = new FakeClock()
  const api = new MemoryApi({ clock })
  const informer = new Informer(api, configMaps, { clock, ...options })
  const stop = new AbortController()
  const told: string[] = []
  informer.on({
    add: (object) => told.push(`+${object.metadata.name}`),
    update: (before, after) => told.push(`~${after.metadata.name} ${before.data?.v}→${after.data?.v}`),
    delete: (object) => told.push(`-${object.metadata.name}`),
  })
  const start = async () => {
    informer.start(stop.signal).catch(() => {})
    await clock.advance(0)
  }
  return { clock, api, informer, stop: () => stop.abort(), told, start }
}

describe('an informer', () => {
  it('lists, then follows what is added, changed and deleted', async () => {
    const { api, clock, informer, start, stop, told } = follow()
    await api.create(configMaps, map('a', { v: '1' }))
    await start()
    expect(informer.synced).toBe(true)
    await api.create(configMaps, map('b', { v: '1' }))
    await api.update(configMaps, map('a', { v: '2' }))
    await api.delete(configMaps, { namespace: 'default', name: 'b' })
    await clock.advance(0)
    expect(told).toEqual(['+a', '+b', '~a 1→2', '-b'])
    expect(informer.lister.get('default', 'a')?.data).toEqual({ v: '2' })
    stop()
  })

  it('of a kind that not every server has waits for nobody, and sees it when it comes', async () => {
    const { api, clock, stop } = follow()
    const errors: unknown[] = []
    let isServed = false
    api.fault = () => {
      if (!isServed) throw new StatusError(404, 'NotFound', 'the server could not find the requested resource')
    }
    const signal = new AbortController()
    const make = (optional: boolean) =>
      new Informer(api, { ...configMaps, optional }, { clock, onError: (error) => errors.push(error) })
    const [must, may] = [make(false), make(true)]
    for (const informer of [must, may]) informer.start(signal.signal).catch(() => {})
    await clock.advance(0)
    expect([must.synced, may.synced]).toEqual([false, true])
    expect(errors.length).toBe(1)
    isServed = true
    await api.create(configMaps, map('a'))
    await clock.advance(30_000)
    expect(may.lister.list().map(({ metadata }) => metadata.name)).toEqual(['a'])
    isServed = false
    api.endWatches()
    await clock.advance(1000)
    expect(may.lister.list()).toEqual([])
    signal.abort()
    stop()
  })

  it('reads a long list in pages', async () => {
    const { api, informer, start, stop } = follow()
    for (let i = 0; i < 1201; i++) await api.create(configMaps, map(`m${i}`))
    await start()
    expect(informer.lister.list().length).toBe(1201)
    expect(api.calls.filter(({ verb }) => verb === 'list').length).toBe(3)
    stop()
  })

  it('goes on where a watch ended, without listing again', async () => {
    const { api, clock, start, stop, told } = follow()
    await start()
    api.endWatches()
    await api.create(configMaps, map('a'))
    await clock.advance(5000)
    expect(told).toEqual(['+a'])
    expect(api.calls.filter(({ verb }) => verb === 'list').length).toBe(1)
    stop()
  })

  it('lists again when its version is gone, and tells what happened between', async () => {
    const { api, clock, start, stop, told } = follow()
    await api.create(configMaps, map('a', { v: '1' }))
    await api.create(configMaps, map('b', { v: '1' }))
    await start()
    api.fault = ({ verb }) => {
      if (verb === 'watch') throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
    }
    api.endWatches()
    await clock.advance(500)
    await api.update(configMaps, map('a', { v: '2' }))
    await api.delete(configMaps, { namespace: 'default', name: 'b' })
    api.compact()
    api.fault = undefined
    await clock.advance(120_000)
    expect(told).toEqual(['+a', '+b', '-b', '~a 1→2'])
    stop()
  })

  it('an object made anew under an old name is another one', async () => {
    const { api, clock, start, stop, told } = follow()
    await api.create(configMaps, map('a', { v: '1' }))
    await start()
    let down = true
    api.fault = ({ verb }) => {
      if (down && verb === 'watch') throw new StatusError(410, 'Expired', 'gone')
    }
    api.endWatches()
    await api.delete(configMaps, { namespace: 'default', name: 'a' })
    await api.create(configMaps, map('a', { v: '2' }))
    down = false
    await clock.advance(10_000)
    await clock.advance(10_000)
    expect(told.join(' ')).toMatch(/^\+a -a \+a$/)
    stop()
  })

  it('finds objects by namespace and by index, and keeps what its transform leaves', async () => {
    const { api, clock, informer, start, stop } = follow({
      indexers: { byValue: (object) => Object.values(object.data ?? {}) },
      transform: (object) => {
        delete object.metadata.labels
        return object
      },
    })
    await api.create(configMaps, {
      ...map('a', { v: 'x' }),
      metadata: { name: 'a', namespace: 'one', labels: { l: 'm' } },
    })
    await api.create(configMaps, map('b', { v: 'x', w: 'y' }, 'two'))
    await start()
    const names = (objects: Live<ConfigMap>[]) => objects.map(({ metadata }) => metadata.name).sort()
    expect(names(informer.lister.byIndex('byValue', 'x'))).toEqual(['a', 'b'])
    expect(names(informer.lister.list('two'))).toEqual(['b'])
    await api.update(configMaps, map('b', { w: 'y' }, 'two'))
    await clock.advance(0)
    expect(names(informer.lister.byIndex('byValue', 'x'))).toEqual(['a'])
    expect(informer.lister.get('one', 'a')?.metadata.labels).toBeUndefined()
    stop()
  })

  it('shows what the server has, whatever happened on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            fc.record({ do: fc.constantFrom('set', 'remove'), name: fc.constantFrom('a', 'b', 'c', 'd') }),
            fc.record({ do: fc.constantFrom('cut', 'compact', 'break', 'mend', 'wait'), name: fc.constant('') }),
          ),
          { maxLength: 40 },
        ),
        async (steps) => {
          const { api, clock, informer, start, stop } = follow()
          const shadow = new Map<string, string>()
          informer.on({
            add: ({ metadata }) => shadow.set(metadata.name, metadata.resourceVersion ?? ''),
            update: (_, { metadata }) => shadow.set(metadata.name, metadata.resourceVersion ?? ''),
            delete: ({ metadata }) => shadow.delete(metadata.name),
          })
          await start()
          let n = 0
          for (const step of steps) {
            const key = { namespace: 'default', name: step.name }
            if (step.do === 'set') {
              const write = api.objects(configMaps).some(({ metadata }) => metadata.name === step.name)
                ? api.update(configMaps, map(step.name, { v: String(++n) }))
                : api.create(configMaps, map(step.name, { v: String(++n) }))
              await write
            } else if (step.do === 'remove') await api.delete(configMaps, key).catch(() => {})
            else if (step.do === 'cut') api.endWatches()
            else if (step.do === 'compact') api.compact()
            else if (step.do === 'break') {
              api.fault = ({ verb }) => {
                if (verb === 'watch' || verb === 'list') throw new StatusError(503, 'ServiceUnavailable', 'down')
              }
              api.endWatches()
            } else if (step.do === 'mend') api.fault = undefined
            else await clock.advance(1000)
          }
          api.fault = undefined
          await clock.advance(120_000)
          const there = api.objects(configMaps).map(({ metadata }) => [metadata.name, metadata.resourceVersion])
          const cached = informer.lister.list().map(({ metadata }) => [metadata.name, metadata.resourceVersion])
          expect(cached.sort()).toEqual(there.sort())
          expect([...shadow].sort()).toEqual(there.sort())
          stop()
        },
      ),
      { numRuns: 50 },
    )
  })
})
