import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { mayMount, VolumeRig } from '../testing/volumes.ts'
import { Gauge, treeUsage, walkedUsage } from './usage.ts'

const Mi = 2 ** 20

describe('what lies in a directory', () => {
  let rig: VolumeRig
  let tree: string

  beforeEach(() => {
    rig = new VolumeRig()
    tree = join(rig.directory, 'tree')
    mkdirSync(join(tree, 'inner'), { recursive: true })
    writeFileSync(join(tree, 'inner/file'), Buffer.alloc(Mi, 1))
  })
  afterEach(() => rig.close())

  it('is counted, a file of two names once and what links lead to not at all', async () => {
    const before = await treeUsage(tree)
    expect(before.inodesUsed).toBe(3)
    expect(before.usedBytes).toBeGreaterThanOrEqual(Mi)
    expect(before.usedBytes).toBeLessThan(1.5 * Mi)
    writeFileSync(join(rig.directory, 'outside'), Buffer.alloc(Mi, 1))
    symlinkSync(join(rig.directory, 'outside'), join(tree, 'link'))
    linkSync(join(tree, 'inner/file'), join(tree, 'again'))
    const after = await treeUsage(tree)
    expect(after.inodesUsed).toBe(4)
    expect(after.usedBytes).toBeLessThan(1.5 * Mi)
    expect(await treeUsage(join(tree, 'no/such'))).toEqual({ usedBytes: 0, inodesUsed: 0 })
  })

  it.runIf(mayMount)('is counted without what is mounted there', async () => {
    mkdirSync(join(tree, 'mounted'))
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(tree, 'mounted')])
    writeFileSync(join(tree, 'mounted/file'), Buffer.alloc(4 * Mi, 1))
    expect((await treeUsage(tree)).usedBytes).toBeLessThan(2 * Mi)
  })

  it('has the room of its file system', async () => {
    const { usedBytes = 0, capacityBytes = 0, availableBytes } = await walkedUsage(tree)
    expect(usedBytes).toBeLessThan(1.5 * Mi)
    expect(capacityBytes).toBeGreaterThan(usedBytes)
    expect(availableBytes).toBeGreaterThan(0)
  })
})

describe('a gauge', () => {
  it('measures again only when its last answer is old', async () => {
    const clock = new FakeClock()
    let measured = 0
    const gauge = new Gauge(async () => ({ timeMs: 0, usedBytes: ++measured }), clock)
    expect((await gauge.read())?.usedBytes).toBe(1)
    expect((await gauge.read())?.usedBytes).toBe(1)
    await clock.advance(10_001)
    expect((await gauge.read())?.usedBytes).toBe(2)
  })

  it('lets nobody wait for a volume that does not answer', async () => {
    const clock = new FakeClock()
    let asked = 0
    const gauge = new Gauge(() => {
      asked++
      return asked === 1 ? Promise.resolve({ timeMs: 0, usedBytes: 7 }) : new Promise(() => undefined)
    }, clock)
    await gauge.read()
    await clock.advance(10_001)
    for (let i = 0; i < 2; i++) {
      const reading = gauge.read()
      await clock.advance(2000)
      expect((await reading)?.usedBytes).toBe(7)
    }
    expect(asked).toBe(2)
  })

  it('measures what takes long less often', async () => {
    const clock = new FakeClock()
    let measured = 0
    const gauge = new Gauge(async () => {
      measured++
      await clock.sleep(1000)
      return { timeMs: 0 }
    }, clock)
    const first = gauge.read()
    await clock.advance(1000)
    await first
    await clock.advance(30_000)
    await gauge.read()
    expect(measured).toBe(1)
    await clock.advance(21_000)
    const again = gauge.read()
    await clock.advance(1000)
    await again
    expect(measured).toBe(2)
  })
})
