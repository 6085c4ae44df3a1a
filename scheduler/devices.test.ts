import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { claimFinalizer } from '../api/resource/pod-claims.ts'
import { EventRecorder } from '../client/events.ts'
import { InformerFactory } from '../client/informer.ts'
import { silentLogger } from '../client/logger.ts'
import { deviceClasses, events as eventRef, nodes, pods, resourceClaims, resourceSlices } from '../client/resources.ts'
import { FakeClock } from '../client/testing/fake-clock.ts'
import { type Call, MemoryApi } from '../client/testing/memory-api.ts'
import type { Claim } from './dra/device-world.ts'
import { SchedulerMetrics } from './metrics.ts'
import { Scheduler } from './scheduler.ts'
import { node, pod } from './testing/builders.ts'
import { allocated, claim, deviceClass, devices, slice } from './testing/devices.ts'

let clock: FakeClock
let api: MemoryApi
let events: EventRecorder
let stop: AbortController
let running: Promise<void>
let fault: (call: Call) => void

beforeEach(async () => {
  clock = new FakeClock()
  fault = () => {}
  api = new MemoryApi({ clock, fault: (call) => fault(call) })
  events = new EventRecorder(api, { component: 'default-scheduler' }, { clock })
  stop = new AbortController()
  await api.create(nodes, node({ name: 'a' }))
  await api.create(nodes, node({ name: 'b' }))
  await api.create(deviceClasses, deviceClass())
})

afterEach(async () => {
  stop.abort(new Error('the test is over'))
  await running
})

async function start(): Promise<void> {
  const informers = new InformerFactory(api, { clock })
  const metrics = new SchedulerMetrics()
  const scheduler = new Scheduler({ api, informers, eventsOf: () => events, clock, log: silentLogger, metrics })
  await informers.start(stop.signal)
  running = scheduler.run(stop.signal)
}

const addClaim = (name: string, status?: Claim['status']) => {
  const { metadata, ...rest } = claim(name, undefined, status)
  const { resourceVersion: _resourceVersion, ...its } = metadata
  return api.create(resourceClaims, { metadata: its, ...rest })
}
const addPod = (name: string, ...claims: string[]) =>
  api.create(pods, pod({ name, resourceClaims: claims.map((each) => ({ name: each, resourceClaimName: each })) }))
const nodeOf = (name: string) => api.objects(pods).find(({ metadata }) => metadata.name === name)?.spec?.nodeName
const claimOf = (name: string) => api.objects(resourceClaims).find(({ metadata }) => metadata.name === name)
const deviceOf = (name: string) => claimOf(name)?.status?.allocation?.devices?.results?.[0]?.device
const settle = async () => {
  for (let i = 0; i < 4; i++) await clock.advance(0)
  await events.flush()
  await clock.advance(0)
}
const failures = () =>
  api.objects(eventRef).flatMap(({ reason, message = '' }) => (reason === 'FailedScheduling' ? [message] : []))

describe('a pod with a claim', () => {
  test('is bound when its claim has a device and knows of the pod', async () => {
    await api.create(resourceSlices, slice('b', devices('g', 1)))
    await addClaim('gpu')
    await start()
    await addPod('trainer', 'gpu')
    await settle()
    expect(nodeOf('trainer')).toBe('b')
    expect(claimOf('gpu')?.metadata.finalizers).toEqual([claimFinalizer])
    expect(claimOf('gpu')?.status).toMatchObject({
      allocation: allocated('g-0', 'b'),
      reservedFor: [{ resource: 'pods', name: 'trainer', uid: api.objects(pods)[0]?.metadata.uid }],
    })
  })

  test('waits until the claim is there', async () => {
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await start()
    await addPod('trainer', 'gpu')
    await settle()
    expect(nodeOf('trainer')).toBeUndefined()
    await addClaim('gpu')
    await settle()
    expect(nodeOf('trainer')).toBe('a')
  })

  test('gets the device that another has given back', async () => {
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await addClaim('one')
    await addClaim('two')
    await start()
    await addPod('first', 'one')
    await addPod('second', 'two')
    await settle()
    expect([nodeOf('first'), nodeOf('second')]).toEqual(['a', undefined])
    expect(failures()).toEqual([expect.stringContaining('0/2 nodes are available: 2 cannot allocate all claims.')])
    api.edit(resourceClaims, { namespace: 'default', name: 'one' }, (given) => {
      given.status = {}
    })
    await clock.advance(10_000)
    await settle()
    expect([nodeOf('second'), deviceOf('two')]).toEqual(['a', 'g-0'])
  })

  test('goes where it gets what it wants most', async () => {
    const only = (driver: string) => [{ cel: { expression: `device.driver == "${driver}"` } }]
    const { metadata, spec } = slice('b', devices('b', 1))
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await api.create(resourceSlices, { metadata, spec: { ...spec, driver: 'big.example.com' } })
    await api.create(deviceClasses, deviceClass('big', { selectors: only('big.example.com') }))
    const firstAvailable = ['big', 'gpus'].map((name) => ({ name, deviceClassName: name, count: 1 }))
    for (const name of ['one', 'two']) {
      await api.create(resourceClaims, {
        metadata: { name, namespace: 'default' },
        spec: { devices: { requests: [{ name: 'gpu', firstAvailable }] } },
      })
    }
    await start()
    await addPod('first', 'one')
    await settle()
    await addPod('second', 'two')
    await settle()
    expect([nodeOf('first'), nodeOf('second')]).toEqual(['b', 'a'])
    expect(claimOf('one')?.status?.allocation?.devices?.results?.[0]?.request).toBe('gpu/big')
  })

  test('shares the devices of a claim with others', async () => {
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await addClaim('gpu')
    await start()
    await addPod('first', 'gpu')
    await addPod('second', 'gpu')
    await settle()
    await clock.advance(10_000)
    await settle()
    expect([nodeOf('first'), nodeOf('second')]).toEqual(['a', 'a'])
    expect(claimOf('gpu')?.status?.reservedFor?.map(({ name }) => name)).toEqual(['first', 'second'])
  })

  test('has devices chosen anew that are where it cannot go', async () => {
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await api.create(resourceSlices, slice('b', devices('g', 1)))
    await addClaim('gpu', { allocation: allocated('g-0', 'a') })
    await start()
    const only = pod({ name: 'trainer', nodeSelector: { 'kubernetes.io/hostname': 'b' } })
    await api.create(pods, {
      ...only,
      spec: { ...only.spec!, resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] },
    })
    await settle()
    await clock.advance(10_000)
    await settle()
    expect([nodeOf('trainer'), claimOf('gpu')?.status?.allocation]).toEqual(['b', allocated('g-0', 'b')])
  })

  test('that could not be told of its device leaves it to others, and is tried again', async () => {
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await addClaim('one')
    await start()
    let failed = 0
    fault = ({ verb, resource, subresource }) => {
      if (verb === 'update' && resource === 'resourceclaims' && subresource === 'status' && failed++ === 0) {
        throw new Error('out of order')
      }
    }
    await addPod('first', 'one')
    await settle()
    expect([failed, nodeOf('first')]).toEqual([1, undefined])
    await clock.advance(20_000)
    await settle()
    expect([nodeOf('first'), deviceOf('one')]).toEqual(['a', 'g-0'])
  })

  test('whose answer was lost finds out what became of it', async () => {
    await api.create(resourceSlices, slice('a', devices('g', 1)))
    await addClaim('one')
    await start()
    let lost = 0
    const update = api.update.bind(api)
    api.update = async (ref, object, options) => {
      const answer = await update(ref, object, options)
      if (options?.subresource === 'status' && ref.plural === 'resourceclaims' && lost++ === 0) {
        throw Object.assign(new Error('reset'), { code: 'ECONNRESET' })
      }
      return answer
    }
    await addPod('first', 'one')
    await settle()
    expect([lost, nodeOf('first'), deviceOf('one')]).toEqual([1, 'a', 'g-0'])
    expect(claimOf('one')?.status?.reservedFor).toHaveLength(1)
  })
})
