import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CSINodeDriver } from '../../api/generated/types.ts'
import { systemClock } from '../../client/clock.ts'
import { silentLogger } from '../../client/logger.ts'
import { csiNodes, nodes } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { CsiNodePublisher, csiNodeSteps } from './csi-node.ts'
import { CsiDrivers } from './drivers.ts'

const driver = (name: string, more: Partial<CSINodeDriver> = {}): CSINodeDriver => ({ name, nodeID: 'n1', ...more })

describe('the drivers that a node names', () => {
  it.each<[string, CSINodeDriver[], CSINodeDriver[], boolean, string[][]]>([
    ['stay as they are', [driver('a')], [driver('a')], true, []],
    ['stay as they are in another order', [driver('b'), driver('a')], [driver('a'), driver('b')], true, []],
    ['are added to', [driver('a')], [driver('a'), driver('b')], true, [['a', 'b']]],
    ['are fewer when one has gone', [driver('a'), driver('b')], [driver('a')], true, [['a']]],
    ['keep one that may yet come back', [driver('a'), driver('b')], [driver('a')], false, []],
    ['let one go that comes back as another', [driver('a')], [driver('a', { nodeID: 'x' })], true, [[], ['a']]],
    ['can take more than before', [driver('a')], [driver('a', { allocatable: { count: 3 } })], true, [['a']]],
  ])('%s', (_, before, wanted, settled, steps) => {
    expect(csiNodeSteps(before, wanted, settled).map((step) => step.map(({ name }) => name))).toEqual(steps)
  })
})

describe('the CSINode object', () => {
  let api: MemoryApi
  let drivers: CsiDrivers
  let publisher: CsiNodePublisher
  let abort: AbortController
  let running: Promise<void>

  beforeEach(async () => {
    api = new MemoryApi()
    await api.create(nodes, { metadata: { name: 'n1' } })
    start()
  })

  afterEach(async () => {
    abort.abort()
    await running
  })

  function start(): void {
    abort = new AbortController()
    drivers = new CsiDrivers()
    const known = (): Live<object> => ({ metadata: { name: 'n1', uid: 'node-uid' } })
    publisher = new CsiNodePublisher({
      api,
      clock: systemClock,
      log: silentLogger,
      drivers,
      nodeName: 'n1',
      node: known,
      signal: abort.signal,
    })
    running = publisher.run()
  }

  const add = (name: string, topology?: Record<string, string>) =>
    drivers.add({
      name,
      socket: `/${name}`,
      info: {
        nodeId: 'n1',
        maxVolumesPerNode: name === 'few.example' ? '5' : '0',
        accessibleTopology: topology ? { segments: topology } : null,
      },
    })
  const named = async () => (await api.get(csiNodes, { name: 'n1' })).spec.drivers.map(({ name }) => name)

  it('names drivers with what they say, and belongs to the node', async () => {
    add('few.example', { 'example.com/zone': 'a' })
    await vi.waitFor(async () => expect(await named()).toEqual(['few.example']))
    const object = await api.get(csiNodes, { name: 'n1' })
    expect(object.metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: 'n1', uid: 'node-uid' }])
    expect(object.spec.drivers).toEqual([
      { name: 'few.example', nodeID: 'n1', topologyKeys: ['example.com/zone'], allocatable: { count: 5 } },
    ])
    expect((await api.get(nodes, { name: 'n1' })).metadata.labels).toEqual({ 'example.com/zone': 'a' })
  })

  it('may say null where there is no driver yet', async () => {
    await vi.waitFor(async () => expect(await named()).toEqual([]))
    await api.update(csiNodes, { metadata: { name: 'n1' }, spec: { drivers: null } } as never)
    add('a.example')
    await vi.waitFor(async () => expect(await named()).toEqual(['a.example']))
  })

  it('forgets a driver that goes', async () => {
    add('a.example')
    add('b.example')
    await vi.waitFor(async () => expect(await named()).toEqual(['a.example', 'b.example']))
    drivers.settle()
    drivers.remove('a.example', '/a.example')
    await vi.waitFor(async () => expect(await named()).toEqual(['b.example']))
  })

  it('keeps a driver over a restart of the agent until it is clear that it does not come back', async () => {
    add('a.example')
    await vi.waitFor(async () => expect(await named()).toEqual(['a.example']))
    abort.abort()
    await running
    start()
    add('b.example')
    await vi.waitFor(async () => expect(await named()).toEqual(['a.example', 'b.example']))
    drivers.settle()
    await vi.waitFor(async () => expect(await named()).toEqual(['b.example']))
  })

  it('is written again when it could not be', async () => {
    let refusals = 2
    api.fault = () => {
      if (refusals-- > 0) throw new Error('the API is not there')
    }
    add('a.example')
    await vi.waitFor(async () => expect(await named()).toEqual(['a.example']), { timeout: 5000 })
  })
})
