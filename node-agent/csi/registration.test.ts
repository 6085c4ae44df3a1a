import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../client/clock.ts'
import { silentLogger } from '../../client/logger.ts'
import { CsiDrivers } from './drivers.ts'
import { followRegistry } from './registration.ts'
import { testDirectory } from './testing/drivers.ts'
import { TestDriver, type TestDriverOptions } from './testing/test-driver.ts'

let directory: ReturnType<typeof testDirectory>
let drivers: CsiDrivers
let abort: AbortController
let running: Promise<void>
const made: TestDriver[] = []
const registry = () => join(directory.path, 'registry')

beforeEach(() => {
  directory = testDirectory('registry')
  start()
})

afterEach(async () => {
  await stop()
  for (const driver of made.splice(0)) driver.stop()
  await directory.remove()
})

function start(): void {
  abort = new AbortController()
  drivers = new CsiDrivers()
  const { signal } = abort
  running = followRegistry({ directory: registry(), drivers, clock: systemClock, log: silentLogger, signal })
}

async function stop(): Promise<void> {
  abort.abort()
  await running
  drivers.stop()
}

async function driver(options: Partial<TestDriverOptions> = {}): Promise<TestDriver> {
  const one = await TestDriver.start({ directory: join(directory.path, `d${made.length}`), ...options })
  made.push(one)
  return one
}

const known = () => drivers.list().map(({ name }) => name)
const soon = (holds: () => void) => vi.waitFor(holds, { timeout: 10_000 })

it('registers a driver whose socket appears, and forgets it when the socket goes', async () => {
  const one = await driver({ topology: { 'example.com/zone': 'a' } })
  await one.register(registry())
  await soon(() => expect(one.told).toEqual([{ pluginRegistered: true, error: '' }]))
  expect(drivers.list()).toMatchObject([
    {
      name: one.name,
      socket: one.socket,
      info: { nodeId: `${one.name}-node`, accessibleTopology: { segments: { 'example.com/zone': 'a' } } },
    },
  ])
  await one.unregister(registry())
  await soon(() => expect(known()).toEqual([]))
})

it('finds again after a restart of the agent who is there, and says when all have been asked', async () => {
  const one = await driver()
  await one.register(registry())
  await soon(() => expect(known()).toEqual([one.name]))
  await stop()
  start()
  expect(drivers.isSettled).toBe(false)
  await drivers.settled(AbortSignal.timeout(10_000))
  expect(known()).toEqual([one.name])
})

it('tells a driver what is wrong with it', async () => {
  const old = await driver({ name: 'old.example' })
  old.supportedVersions = ['0.3.0']
  await old.register(registry())
  await soon(() => expect(old.told[0]).toEqual({ pluginRegistered: false, error: expect.stringContaining('0.3.0') }))
  const usurper = await driver({ name: 'loop.gantry.dev' })
  await usurper.register(registry())
  await soon(() => expect(usurper.told[0]?.error).toContain("a driver of this node's own"))
  expect(known()).toEqual([])
})

it('asks a driver again that could not answer', async () => {
  const one = await driver()
  one.faults.set('NodeGetInfo', { code: 'UNAVAILABLE', why: 'not yet' })
  await one.register(registry())
  await soon(() => expect(one.told[0]).toMatchObject({ pluginRegistered: false }))
  one.faults.clear()
  await soon(() => expect(known()).toEqual([one.name]))
})

it('leaves plugins of other kinds to others', async () => {
  const one = await driver()
  one.pluginType = 'DevicePlugin'
  await one.register(registry())
  await soon(() => expect(one.count('GetInfo')).toBe(1))
  const two = await driver({ name: 'two.example' })
  await two.register(registry())
  await soon(() => expect(known()).toEqual([two.name]))
  expect(one.told).toEqual([])
})

it('lets no driver wait for one that hangs', async () => {
  const slow = await driver({ name: 'slow.example' })
  slow.faults.set('GetInfo', 'hang')
  await slow.register(registry())
  await soon(() => expect(slow.count('GetInfo')).toBe(1))
  const quick = await driver({ name: 'quick.example' })
  await quick.register(registry())
  await soon(() => expect(known()).toEqual([quick.name]))
})

it('gives a name to the driver that took it last', async () => {
  const first = await driver()
  await first.register(registry())
  await soon(() => expect(known()).toEqual([first.name]))
  const second = await driver()
  await second.register(join(directory.path, 'elsewhere'))
  drivers.add({
    name: second.name,
    socket: second.socket,
    info: { nodeId: 'n', maxVolumesPerNode: '0', accessibleTopology: null },
  })
  await first.unregister(registry())
  await soon(() => expect(first.count('GetInfo')).toBe(1))
  drivers.remove(first.name, first.socket)
  expect(drivers.list()).toMatchObject([{ socket: second.socket }])
})
