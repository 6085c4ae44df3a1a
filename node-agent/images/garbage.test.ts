import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../client/logger.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { Container, Image } from '../runtime/cri.ts'
import { ImageGarbage, imagesToRemove } from './garbage.ts'

const image = (id: string, size = 100, more: Partial<Image> = {}) =>
  ({ id, size, repoTags: [], repoDigests: [], pinned: false, ...more }) as unknown as Image
const usedBy = (imageId: string) => ({ imageId, imageRef: '', image: { image: '' } }) as unknown as Container

describe('which images go', () => {
  const candidate = (id: string, lastUsedMs: number, firstSeenMs = 0) => ({ id, size: 100, lastUsedMs, firstSeenMs })
  it.each([
    [
      'as many as are needed, the longest unused first',
      [candidate('a', 30), candidate('b', 10), candidate('c', 20)],
      150,
      ['b', 'c'],
    ],
    ['none when nothing is needed', [candidate('a', 30)], 0, []],
    ['none that is too young', [candidate('a', 10, 9_500), candidate('b', 20)], 100, ['b']],
    ['of those never used, the oldest', [candidate('a', 0, 20), candidate('b', 0, 10)], 50, ['b']],
  ])('%s', (_what, images, wanted, expected) => {
    expect(imagesToRemove(images, wanted, 10_000, 1000).map(({ id }) => id)).toEqual(expected)
  })
})

describe('a full disk', () => {
  const set = (percent: number) => {
    const clock = new FakeClock()
    const disk = { percent }
    const images = [
      image('old'),
      image('used'),
      image('kept', 100, { repoTags: ['keep:1'] }),
      image('sandbox', 100, { repoTags: ['localhost/gantry/pause:1'] }),
      image('pinned', 100, { pinned: true }),
    ]
    const removed: string[] = []
    const garbage = new ImageGarbage({
      clock,
      log: silentLogger,
      keep: ['keep:1'],
      cri: {
        listImages: async () => images,
        listContainers: async () => [usedBy('used')],
        removeImage: async ({ image: id }) => {
          removed.push(id ?? '')
        },
        imageFsInfo: async () => ({
          imageFilesystems: [{ timestamp: 0, fsId: { mountpoint: '/' }, usedBytes: null, inodesUsed: null }],
          containerFilesystems: [],
        }),
      },
      diskUsage: async () => ({ usedBytes: disk.percent * 10, totalBytes: 1000 }),
    })
    return { clock, removed, garbage, disk }
  }

  it('loses the images that nothing uses, and no others', async () => {
    const { clock, removed, garbage, disk } = set(50)
    expect(await garbage.run()).toBe(0)
    await clock.advance(200_000)
    disk.percent = 86
    expect(await garbage.run()).toBe(100)
    expect(removed).toEqual(['old'])
  })

  it('may lose them at any fullness, when the node needs room', async () => {
    const { clock, removed, garbage } = set(50)
    expect(await garbage.removeUnused()).toBe(0)
    await clock.advance(200_000)
    expect(await garbage.removeUnused()).toBe(100)
    expect(removed).toEqual(['old'])
  })

  it('says so when that is not enough', async () => {
    const { clock, garbage, disk } = set(50)
    await garbage.run()
    await clock.advance(200_000)
    disk.percent = 99
    await expect(garbage.run()).rejects.toThrow(
      'Attempted to free 190 bytes, but only found 100 bytes eligible to free',
    )
  })
})
