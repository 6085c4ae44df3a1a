import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../client/clock.ts'
import { silentLogger } from '../../client/logger.ts'
import { resourceClaims } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { CsiDrivers } from '../csi/drivers.ts'
import { followRegistry } from '../csi/registration.ts'
import { testDirectory } from '../csi/testing/drivers.ts'
import type { BoundPod } from '../pods/types.ts'
import { DeviceDrivers, pluginType } from './drivers.ts'
import { PodDevices } from './pod-devices.ts'
import { PreparedClaims } from './prepared.ts'
import { TestDeviceDriver } from './testing/test-driver.ts'

let directory: ReturnType<typeof testDirectory>
let api: MemoryApi
let drivers: DeviceDrivers
let driver: TestDeviceDriver
let devices: PodDevices
let abort: AbortController
let following: Promise<void>
const registry = () => join(directory.path, 'registry')
const file = () => join(directory.path, 'state', 'dra_manager_state')

beforeEach(async () => {
  directory = testDirectory('devices')
  api = new MemoryApi()
  driver = await TestDeviceDriver.start(join(directory.path, 'driver'))
  abort = new AbortController()
  drivers = new DeviceDrivers()
  await start()
  following = followRegistry({
    directory: registry(),
    drivers: new CsiDrivers(),
    others: new Map([[pluginType, { add: (plugin) => drivers.add(plugin), remove: (...it) => drivers.remove(...it) }]]),
    clock: systemClock,
    log: silentLogger,
    signal: abort.signal,
  })
})

afterEach(async () => {
  abort.abort()
  await following
  drivers.stop()
  driver.stop()
  await directory.remove()
})

/** As an agent does that starts, perhaps anew. */
async function start(): Promise<void> {
  const prepared = new PreparedClaims(file())
  await prepared.recall()
  devices = new PodDevices({ api, drivers, prepared })
}

async function registered(): Promise<void> {
  await driver.register(registry())
  await vi.waitFor(() => expect(driver.told).toEqual([{ pluginRegistered: true, error: '' }]), { timeout: 10_000 })
}

const pod = (name: string, claim = 'c'): BoundPod =>
  ({
    metadata: { name, namespace: 'default', uid: name },
    spec: { containers: [{ name: 'c' }], resourceClaims: [{ name: 'gpu', resourceClaimName: claim }] },
    status: {},
  }) as unknown as BoundPod
async function claim(name: string, ...users: string[]): Promise<void> {
  const made = await api.create(resourceClaims, {
    metadata: { name, namespace: 'default' },
    spec: {},
  })
  const results = [{ request: 'gpu', driver: driver.name, pool: 'node', device: 'gpu-0' }]
  const reservedFor = users.map((user) => ({ resource: 'pods', name: user, uid: user }))
  await api.update(
    resourceClaims,
    { ...made, status: { allocation: { devices: { results } }, reservedFor } },
    { subresource: 'status' },
  )
}
const asking = (request?: string) => ({ resources: { claims: [{ name: 'gpu', ...(request ? { request } : {}) }] } })

describe('the devices of a pod', () => {
  it('are made ready once, given to containers that ask for them, and given back', async () => {
    await registered()
    await claim('c', 'a')
    await devices.prepare(pod('a'))
    await devices.prepare(pod('a'))
    expect(driver.calls).toEqual(['prepare c'])
    expect(devices.cdiDevices(pod('a'), asking())).toEqual(['gpu.example.com/gpu=c'])
    expect(devices.cdiDevices(pod('a'), asking('gpu'))).toEqual(['gpu.example.com/gpu=c'])
    expect(devices.cdiDevices(pod('a'), asking('other'))).toEqual([])
    expect(devices.cdiDevices(pod('a'), {})).toEqual([])
    await devices.release('a')
    expect(driver.calls).toEqual(['prepare c', 'unprepare c'])
    await devices.release('a')
    expect(driver.calls).toHaveLength(2)
  })

  it('are given back by the last of several pods', async () => {
    await registered()
    await claim('c', 'a', 'b')
    await Promise.all([devices.prepare(pod('a')), devices.prepare(pod('b'))])
    expect(driver.calls).toEqual(['prepare c'])
    await devices.release('b')
    expect(driver.calls).toEqual(['prepare c'])
    await devices.release('a')
    expect(driver.calls).toEqual(['prepare c', 'unprepare c'])
  })

  it('are given back once, however often that is asked at a time', async () => {
    await registered()
    await claim('c', 'a')
    await devices.prepare(pod('a'))
    await Promise.all([devices.release('a'), devices.release('a')])
    expect(driver.calls).toEqual(['prepare c', 'unprepare c'])
  })

  it('are ready although the server does not answer by now', async () => {
    await registered()
    await claim('c', 'a')
    await devices.prepare(pod('a'))
    api.get = () => Promise.reject(new Error('out of order'))
    await devices.prepare(pod('a'))
    expect(driver.calls).toEqual(['prepare c'])
  })

  it('are not held up by those of a pod that may not use them', async () => {
    await registered()
    await claim('c', 'b')
    const [refused, ready] = await Promise.allSettled([devices.prepare(pod('a')), devices.prepare(pod('b'))])
    expect([refused.status, ready.status]).toEqual(['rejected', 'fulfilled'])
  })

  it('are kept until the driver has taken them back', async () => {
    await registered()
    await claim('c', 'a')
    await devices.prepare(pod('a'))
    driver.refusal = 'too warm'
    await expect(devices.release('a')).rejects.toThrow(
      'unprepare dynamic resources: NodeUnprepareResources failed for ResourceClaim c: too warm',
    )
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    driver.refusal = ''
    await devices.release('a')
    expect(driver.calls).toEqual(['prepare c', 'unprepare c', 'unprepare c'])
  })

  it('are not ready when their driver says nothing of them, or is not to be reached', async () => {
    await registered()
    await claim('c', 'a')
    driver.isSilent = true
    await expect(devices.prepare(pod('a'))).rejects.toThrow('NodePrepareResources skipped 1 ResourceClaims')
    driver.stop()
    await expect(devices.prepare(pod('a'))).rejects.toThrow('prepare dynamic resources: NodePrepareResources: ')
  })

  it.each([
    ['of no request in particular', [], { other: 1, gpu: 1 }],
    ['of an alternative', ['gpu/big'], { gpu: 1, 'gpu/big': 1, 'gpu/small': 0, big: 0 }],
    ['of several requests', ['other', 'gpu'], { gpu: 1, other: 1, third: 0 }],
  ])('%s go to the containers that ask for them', async (_what, names, expected) => {
    await registered()
    await claim('c', 'a')
    driver.requestNames = names
    await devices.prepare(pod('a'))
    const found = Object.keys(expected).map((request) => [
      request,
      devices.cdiDevices(pod('a'), asking(request)).length,
    ])
    expect(Object.fromEntries(found)).toEqual(expected)
  })

  const templated = (made?: { name: string; resourceClaimName?: string }): BoundPod => ({
    ...pod('a'),
    spec: { ...pod('a').spec, resourceClaims: [{ name: 'gpu', resourceClaimTemplateName: 't' }] },
    status: { ...(made ? { resourceClaimStatuses: [made] } : {}) },
  })
  it('of a claim that is not made yet are waited for', async () => {
    await expect(devices.prepare(templated())).rejects.toThrow('ResourceClaim not created yet')
    expect(devices.cdiDevices(templated(), asking())).toEqual([])
  })

  it('are none where no claim is needed, or where a container asks for one that its pod has not', async () => {
    await devices.prepare(templated({ name: 'gpu' }))
    expect(devices.cdiDevices(templated({ name: 'gpu' }), asking())).toEqual([])
    expect(devices.cdiDevices(pod('a'), { resources: { claims: [{ name: 'other' }] } })).toEqual([])
  })

  it('that were made for a pod are for no other', async () => {
    await registered()
    await claim('c', 'a')
    const its = templated({ name: 'gpu', resourceClaimName: 'c' })
    await expect(devices.prepare(its)).rejects.toThrow(
      'prepare dynamic resources: ResourceClaim default/c was not created for Pod default/a (Pod is not owner)',
    )
    api.edit(resourceClaims, { namespace: 'default', name: 'c' }, ({ metadata }) => {
      metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'a', controller: true }]
    })
    await devices.prepare(its)
    expect(devices.cdiDevices(its, asking())).toEqual(['gpu.example.com/gpu=c'])
  })

  it('are known to an agent that starts anew, which gives back those of pods that are gone', async () => {
    await registered()
    await claim('c', 'a')
    await devices.prepare(pod('a'))
    await start()
    expect(devices.cdiDevices(pod('a'), asking())).toEqual(['gpu.example.com/gpu=c'])
    await devices.releaseUnknown((uid) => uid === 'a')
    expect(driver.calls).toEqual(['prepare c'])
    await devices.releaseUnknown(() => false)
    expect(driver.calls).toEqual(['prepare c', 'unprepare c'])
    expect(JSON.parse(readFileSync(file(), 'utf8'))).toEqual({ claims: [] })
  })

  it('are asked for again where the driver could not make them ready', async () => {
    await registered()
    await claim('c', 'a')
    driver.refusal = 'too warm'
    await expect(devices.prepare(pod('a'))).rejects.toThrow(
      'prepare dynamic resources: NodePrepareResources failed for ResourceClaim c: too warm',
    )
    // Whatever it has done by then is undone when the pod goes.
    expect(readFileSync(file(), 'utf8')).toContain('"pods":["a"]')
    driver.refusal = ''
    await devices.prepare(pod('a'))
    expect(driver.calls).toEqual(['prepare c', 'prepare c'])
  })

  it.each([
    ['whose driver is not there', ['a'], 'c', 'DRA driver gpu.example.com is not registered'],
    ["that are another pod's", ['b'], 'c', 'pod a (a) is not allowed to use ResourceClaim c ('],
    ['of a claim that is not there', ['a'], 'd', 'fetch ResourceClaim d: '],
  ])('%s are not asked for, and do not keep the pod from going', async (_what, users, name, message) => {
    await claim('c', ...users)
    await expect(devices.prepare(pod('a', name))).rejects.toThrow(`prepare dynamic resources: ${message}`)
    await devices.release('a')
    expect(existsSync(file())).toBe(false)
  })

  it('are not mistaken for those of an older claim of that name', async () => {
    await registered()
    await claim('c', 'a')
    const old = {
      namespace: 'default',
      name: 'c',
      uid: 'older',
      pods: ['x'],
      drivers: [driver.name],
      done: true,
      devices: [],
    }
    mkdirSync(dirname(file()))
    writeFileSync(file(), JSON.stringify({ claims: [old] }))
    await start()
    await expect(devices.prepare(pod('a'))).rejects.toThrow(
      'old ResourceClaim with same name c and different UID older still exists',
    )
  })
})

it('a driver of another version is told so, and one that goes is forgotten', async () => {
  driver.supportedVersions = ['v1beta1.DRAPlugin']
  await driver.register(registry())
  await vi.waitFor(() => expect(driver.told[0]?.error).toContain('v1.DRAPlugin is'), { timeout: 10_000 })
  await driver.unregister(registry())
  driver.supportedVersions = ['v1.DRAPlugin', 'v1beta1.DRAPlugin']
  driver.told.length = 0
  await registered()
  expect(() => drivers.get(driver.name)).not.toThrow()
  await driver.unregister(registry())
  await vi.waitFor(() => expect(() => drivers.get(driver.name)).toThrow('is not registered'), { timeout: 10_000 })
})

it('no driver is known any more when the agent stops', async () => {
  await registered()
  drivers.stop()
  expect(() => drivers.get(driver.name)).toThrow('is not registered')
})
