import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { configMaps, deployments } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { at, deployment, depsFor, type Told } from '../testing/build.ts'
import { newRestartOnChangeController } from './controller.ts'

describe('the controller that restarts on changes', () => {
  let clock: FakeClock
  let api: MemoryApi
  let told: Told[]
  let stop: AbortController

  beforeEach(async () => {
    clock = new FakeClock()
    api = new MemoryApi({ clock })
    stop = new AbortController()
    const informers = new InformerFactory(api, { clock })
    const made = depsFor(api, informers, clock)
    told = made.told
    const controller = newRestartOnChangeController(made.deps)
    await informers.start(stop.signal)
    runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const make = async (annotations: Record<string, string>) => {
    const { status: _, ...web } = deployment({ annotations })
    web.spec!.template.spec!.containers[0]!.envFrom = [
      { configMapRef: { name: 'one' } },
      { configMapRef: { name: 'two' } },
    ]
    await api.create<Deployment>(deployments, web)
  }
  const put = (name: string, value: string) => {
    const key = { namespace: 'default', name }
    if (!api.objects(configMaps).some(({ metadata }) => metadata.name === name)) {
      return api.create(configMaps, { metadata: key, data: { value } })
    }
    return api.edit(configMaps, key, (map) => {
      map.data = { value }
    })
  }
  const restarted = () =>
    api.objects(deployments)[0]?.spec?.template.metadata?.annotations?.['kubectl.kubernetes.io/restartedAt']

  test('restarts once for what changes together, and says what it was', async () => {
    await put('one', '1')
    await make({ 'gantry.dev/restart-on-change': 'true' })
    await put('two', '1')
    await clock.advance(3000)
    expect(restarted()).toBeUndefined()
    await put('one', '2')
    await put('two', '2')
    await clock.advance(3000)
    expect(restarted()).toBe(at(4))
    expect(told).toEqual([
      {
        about: 'Deployment/web',
        type: 'Normal',
        reason: 'ConfigurationChanged',
        message: 'Restarted because configmap/one, configmap/two have changed',
      },
    ])
    await clock.advance(3000)
    expect(restarted()).toBe(at(4))
  })

  test('reads no config map and no secret as long as nobody asks for it', async () => {
    await put('one', '1')
    await make({})
    await clock.advance(3000)
    await put('one', '2')
    await clock.advance(3000)
    expect(restarted()).toBeUndefined()
    expect(
      api.calls.filter(({ resource }) => ['configmaps', 'secrets'].includes(resource)).map(({ verb }) => verb),
    ).toEqual(['create'])
  })
})
