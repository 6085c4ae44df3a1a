import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EndpointSlice, EndpointSubset, Endpoints, Service } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { endpointSlices, endpoints, services } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { depsFor, type Told } from '../testing/build.ts'
import { newEndpointSliceMirroringController } from './controller.ts'
import { planMirror } from './plan.ts'

const written = (subsets: EndpointSubset[], more: object = {}): Live<Endpoints> => ({
  metadata: { name: 'db', namespace: 'default', uid: 'e1', ...more },
  subsets,
})
const port = { name: 'http', port: 80, protocol: 'TCP' }
/** The slice that was made for them, as it stands. */
const stands = (slice: EndpointSlice, name = 'db-1'): Live<EndpointSlice> => {
  const { generateName: _, ...metadata } = slice.metadata ?? {}
  return { ...slice, metadata: { ...metadata, name, uid: name, resourceVersion: '1' } }
}

describe('the plan', () => {
  test('makes a slice for each family and set of ports, and leaves out what is no address', () => {
    const plan = planMirror(
      written(
        [
          { addresses: [{ ip: '10.0.0.1', nodeName: 'n1' }, { ip: 'fd00::1' }, { ip: 'x' }], ports: [port] },
          { notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [port] },
          { addresses: [{ ip: '10.0.0.3' }], ports: [{ port: 9 }] },
        ],
        {
          labels: { a: 'b' },
          annotations: { c: 'd', 'endpoints.kubernetes.io/last-change-trigger-time': 'x' },
        },
      ),
      [],
      1000,
    )
    expect(plan).toMatchObject({ invalid: 1, skipped: 1, update: [], remove: [], changes: { added: 4 } })
    expect(plan.create).toHaveLength(3)
    expect(plan.create[0]).toEqual({
      metadata: {
        generateName: 'db-',
        namespace: 'default',
        labels: {
          a: 'b',
          'kubernetes.io/service-name': 'db',
          'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
        },
        annotations: { c: 'd' },
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Endpoints', name: 'db', uid: 'e1', controller: true, blockOwnerDeletion: true },
        ],
      },
      addressType: 'IPv4',
      ports: [port],
      endpoints: [
        { addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName: 'n1' },
        { addresses: ['10.0.0.2'], conditions: { ready: false } },
      ],
    })
  })

  test('takes so many addresses of a subset and no more', () => {
    const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map((ip) => ({ ip }))
    const plan = planMirror(written([{ addresses, ports: [port] }]), [], 2)
    expect(plan.create[0]?.endpoints).toHaveLength(2)
    expect(plan.skipped).toBe(1)
  })

  test('writes nothing when nothing has changed, and one slice when something has', () => {
    const before = written([{ addresses: [{ ip: '10.0.0.1' }], ports: [port] }])
    const slice = stands(planMirror(before, [], 1000).create[0] as EndpointSlice)
    expect(planMirror(before, [slice], 1000)).toMatchObject({ create: [], update: [], remove: [] })
    const unready = written([{ notReadyAddresses: [{ ip: '10.0.0.1' }], ports: [port] }])
    expect(planMirror(unready, [slice], 1000)).toMatchObject({
      create: [],
      update: [{ metadata: { name: 'db-1' }, endpoints: [{ conditions: { ready: false } }] }],
      changes: { updated: 1 },
    })
    const anew = { ...before, metadata: { ...before.metadata, uid: 'e2' } }
    expect(planMirror(anew, [slice], 1000).update).toHaveLength(1)
  })

  test('turns a slice that is to go into one that is to come', () => {
    const slice = stands(
      planMirror(written([{ addresses: [{ ip: '10.0.0.1' }], ports: [port] }]), [], 1000).create[0] as EndpointSlice,
    )
    const plan = planMirror(written([{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 9 }] }]), [slice], 1000)
    expect(plan).toMatchObject({
      create: [],
      remove: [],
      update: [{ metadata: { name: 'db-1' }, ports: [{ port: 9 }] }],
    })
  })
})

describe('the controller', () => {
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
    const controller = newEndpointSliceMirroringController(made.deps)
    await informers.start(stop.signal)
    runController(controller, { signal: stop.signal }).catch(() => {})
  })
  afterEach(() => stop.abort())

  const key = { namespace: 'default', name: 'db' }
  const service = (selector?: Record<string, string>) =>
    api.create<Service>(services, { metadata: key, spec: { ports: [{ port: 80 }], ...(selector ? { selector } : {}) } })
  const write = (ip: string) =>
    api.create<Endpoints>(endpoints, { metadata: key, subsets: [{ addresses: [{ ip }], ports: [port] }] })
  const addresses = () =>
    api
      .objects<EndpointSlice>(endpointSlices)
      .flatMap((slice) => slice.endpoints ?? [])
      .flatMap((each) => each.addresses)

  test('follows what is written into the endpoints of a service without a selector', async () => {
    await service()
    await write('10.0.0.1')
    await clock.advance(100)
    expect(addresses()).toEqual(['10.0.0.1'])
    await api.patch(endpoints, key, {
      type: 'merge',
      body: { subsets: [{ addresses: [{ ip: '10.0.0.2' }], ports: [port] }] },
    })
    await clock.advance(100)
    expect(addresses()).toEqual(['10.0.0.2'])
    await api.delete(endpoints, key)
    await clock.advance(100)
    expect(addresses()).toEqual([])
  })

  test('mirrors nothing for a service with a selector, none at all, or endpoints that say not to', async () => {
    await write('10.0.0.1')
    await clock.advance(100)
    expect(addresses()).toEqual([])
    const made = await service()
    await clock.advance(100)
    expect(addresses()).toEqual(['10.0.0.1'])
    await api.patch(services, made.metadata, { type: 'merge', body: { spec: { selector: { a: 'b' } } } })
    await clock.advance(100)
    expect(addresses()).toEqual([])
    await api.patch(services, made.metadata, { type: 'merge', body: { spec: { selector: null } } })
    await api.patch(endpoints, key, {
      type: 'merge',
      body: { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } },
    })
    await clock.advance(100)
    expect(addresses()).toEqual([])
  })

  test('tells of addresses that are none', async () => {
    await service()
    await write('here')
    await clock.advance(100)
    expect(told).toEqual([
      {
        about: 'Endpoints/db',
        type: 'Warning',
        reason: 'InvalidIPAddress',
        message: 'Skipped 1 invalid IP addresses when mirroring to EndpointSlices',
      },
    ])
  })
})
