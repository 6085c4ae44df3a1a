import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { endpointSlices, jobs, pods, services } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { depsFor, pod, type Told } from '../testing/build.ts'
import { newDependenciesController } from './controller.ts'

describe('the controller of dependencies', () => {
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
    const controller = newDependenciesController(made.deps)
    await informers.start(stop.signal)
    runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const settle = () => clock.advance(100)
  const metadata = { name: 'db', namespace: 'default' }
  const make = async (dependsOn: string, gates = ['gantry.dev/dependencies']) => {
    const made = pod({ name: 'web', annotations: { 'gantry.dev/depends-on': dependsOn }, phase: 'Pending' })
    const spec = { ...made.spec!, schedulingGates: gates.map((name) => ({ name })) }
    await api.create(pods, { ...made, spec })
    // A status comes later, as from a server.
    api.edit(pods, { namespace: 'default', name: 'web' }, (live) => {
      live.status = made.status!
    })
  }
  const standing = () => {
    const { spec, status } = api.objects(pods)[0]!
    const { status: is, message } = status?.conditions?.find(({ type }) => type.startsWith('gantry.dev/')) ?? {}
    return { gates: spec?.schedulingGates?.map(({ name }) => name) ?? [], is, message }
  }

  test('opens the gate when the last dependency is ready, and says what is waited for until then', async () => {
    await make('service/db, job/migrate', ['mine', 'gantry.dev/dependencies'])
    await settle()
    const gates = ['mine', 'gantry.dev/dependencies']
    expect(standing()).toEqual({
      gates,
      is: 'False',
      message: 'waiting for service/db (not found), job/migrate (not found)',
    })
    await api.create(services, { metadata })
    const labels = { 'kubernetes.io/service-name': 'db' }
    const endpoints = [{ addresses: ['10.0.0.1'], conditions: { ready: true } }]
    await api.create(endpointSlices, {
      metadata: { ...metadata, name: 'db-1', labels },
      addressType: 'IPv4',
      endpoints,
    })
    await settle()
    expect(standing()).toEqual({ gates, is: 'False', message: 'waiting for job/migrate (not found)' })
    await api.create(jobs, { metadata: { ...metadata, name: 'migrate' } })
    api.edit(jobs, { ...metadata, name: 'migrate' }, (job) => {
      job.status = { conditions: [{ type: 'Complete', status: 'True' }] }
    })
    await settle()
    expect(standing()).toEqual({ gates: ['mine'], is: 'True', message: '' })
    expect(told.map(({ about, type, reason, message }) => `${about} ${type} ${reason}: ${message}`)).toEqual([
      'Pod/web Normal WaitingForDependencies: waiting for service/db (not found), job/migrate (not found)',
      'Pod/web Normal WaitingForDependencies: waiting for service/db (no ready endpoint), job/migrate (not found)',
      'Pod/web Normal WaitingForDependencies: waiting for job/migrate (not found)',
      'Pod/web Normal WaitingForDependencies: waiting for job/migrate (not complete)',
      'Pod/web Normal DependenciesReady: all it depends on is ready',
    ])
  })

  test('leaves pods alone that have no such gate', async () => {
    await make('service/db', ['mine'])
    await settle()
    expect(standing()).toEqual({ gates: ['mine'], is: undefined, message: undefined })
  })
})
