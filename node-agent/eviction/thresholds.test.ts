import { describe, expect, it, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { readReserves } from '../node/machine.ts'
import { HeldPressures, pressuresOf } from './pressures.ts'
import { defaultThresholds, keptBack, parseThresholds, shortages } from './thresholds.ts'

const gib = 2 ** 30

/** A machine whose file systems, by path, have this share of a hundred GiB and of a thousand inodes left. */
const machineWith = (left: Record<string, { space: number; inodes?: number }>) =>
  readReserves({
    nodefs: '/node',
    imagefs: left['/images'] ? '/images' : undefined,
    statfs: (async (path: string) => {
      const { space, inodes = 1 } = left[path] as { space: number; inodes?: number }
      return {
        bsize: 4096,
        blocks: (100 * gib) / 4096,
        bavail: (space * 100 * gib) / 4096,
        files: 1000,
        ffree: inodes * 1000,
      }
    }) as never,
  })

const shortOf = async (left: Parameters<typeof machineWith>[0], thresholds = defaultThresholds) =>
  shortages(parseThresholds(thresholds), {
    ...(await machineWith(left)),
    memoryAvailableBytes: gib,
    pids: 0,
  })
const signalsOf = async (...args: Parameters<typeof shortOf>) => (await shortOf(...args)).map(({ signal }) => signal)

describe('a node is short', () => {
  test.each([
    ['of nothing', { space: 0.5 }, { space: 0.5 }, []],
    ['of room for pods below a tenth', { space: 0.09 }, { space: 0.5 }, ['nodefs.available']],
    ['of room for images below three twentieths', { space: 0.5 }, { space: 0.14 }, ['imagefs.available']],
    ['of inodes below a twentieth', { space: 0.5, inodes: 0.04 }, { space: 0.5 }, ['nodefs.inodesFree']],
    ['of inodes for images too', { space: 0.5 }, { space: 0.5, inodes: 0.04 }, ['imagefs.inodesFree']],
  ])('%s', async (_, node, images, expected) => {
    expect(await signalsOf({ '/node': node, '/images': images })).toEqual(expected)
  })

  it('of nothing that it cannot see', async () => {
    expect(await signalsOf({ '/node': { space: 0.5 } }, 'imagefs.available<15%')).toEqual([])
  })

  it('by amounts as well as shares', async () => {
    const [shortage] = await shortOf({ '/node': { space: 0.5 } }, 'nodefs.available<60Gi')
    expect(shortage).toEqual({ signal: 'nodefs.available', threshold: 60 * gib, available: 50 * gib })
  })

  it('of memory first', async () => {
    const reserves = { ...(await machineWith({ '/node': { space: 0.05 } })), memoryAvailableBytes: 50 * 2 ** 20 }
    const short = shortages(parseThresholds(defaultThresholds), reserves)
    expect(short.map(({ signal }) => signal)).toEqual(['memory.available', 'nodefs.available'])
    expect(pressuresOf(short)).toEqual({ memory: true, disk: true, pid: false })
  })
})

describe('thresholds', () => {
  it('are off where they are not named, or name all or nothing', () => {
    expect(parseThresholds('memory.available<0%, nodefs.available<100%, pid.available<2')).toEqual([
      { signal: 'pid.available', amount: 2 },
    ])
  })

  it.each([
    ['disk<5%', 'is not one of'],
    ['memory.available>5%', 'is not one of'],
    ['memory.available<101%', 'neither a quantity nor a percentage'],
    ['memory.available<much', 'neither a quantity nor a percentage'],
    ['memory.available<-1', 'neither a quantity nor a percentage'],
    ['memory.available<1,memory.available<2', 'is named twice'],
  ])('%s are refused', (text, why) => {
    expect(() => parseThresholds(text)).toThrow(why)
  })

  it('say what is not for pods', () => {
    const known = parseThresholds('memory.available<100Mi,nodefs.available<10%')
    expect(keptBack(known, 'memory.available', gib)).toBe(100 * 2 ** 20)
    expect(keptBack(known, 'nodefs.available', 1000)).toBe(100)
    expect(keptBack(known, 'pid.available', 1000)).toBe(0)
  })
})

it('a pressure that has passed is told until its time is over', async () => {
  const clock = new FakeClock()
  const held = new HeldPressures(clock, 300_000)
  held.note({ memory: false, disk: true, pid: false })
  await clock.advance(200_000)
  held.note({ memory: false, disk: true, pid: false })
  await clock.advance(299_000)
  expect(held.current).toEqual({ memory: false, disk: true, pid: false })
  await clock.advance(1000)
  expect(held.current.disk).toBe(false)
})
