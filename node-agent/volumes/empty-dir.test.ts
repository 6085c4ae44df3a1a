import { chmodSync, existsSync, mkdirSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EmptyDirVolumeSource } from '../../api/generated/types.ts'
import { boundPod, container } from '../testing/builders.ts'
import { mayMount, VolumeRig } from '../testing/volumes.ts'
import { emptyDir } from './empty-dir.ts'
import type { VolumeSpec } from './types.ts'

let rig: VolumeRig

beforeEach(() => {
  rig = new VolumeRig()
})

afterEach(() => rig.close())

const volume = (source: EmptyDirVolumeSource = {}): VolumeSpec => ({
  name: 'data',
  volume: { name: 'data', emptyDir: source },
  mode: 'Filesystem',
  readOnly: false,
})

const make = (source?: EmptyDirVolumeSource, pod = boundPod()) => {
  const spec = volume(source)
  return emptyDir.mount(spec, rig.contextFor(emptyDir, spec, pod))
}

const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8)

it('is open to everybody, and found again as it is', async () => {
  const { hostPath } = await make()
  expect(modeOf(hostPath)).toBe('777')
  writeFileSync(join(hostPath, 'file'), '')
  chmodSync(hostPath, 0o700)
  await make()
  expect(existsSync(join(hostPath, 'file'))).toBe(true)
  expect(modeOf(hostPath)).toBe('700')
})

it('is made anew where an agent ended half way', async () => {
  const { directory } = rig.contextFor(emptyDir, volume())
  mkdirSync(`${directory}.new/rest`, { recursive: true })
  const { hostPath } = await make()
  expect(modeOf(hostPath)).toBe('777')
  expect(existsSync(join(hostPath, 'rest'))).toBe(false)
})

it('of huge pages is refused', async () => {
  await expect(make({ medium: 'HugePages-2Mi' })).rejects.toThrow(
    'medium HugePages-2Mi is not supported: this node has no huge pages',
  )
})

describe.runIf(mayMount)('with a group', () => {
  it.each(['', 'Memory'])('belongs to it, with medium %j', async (medium) => {
    const { hostPath } = await make({ medium }, boundPod({ spec: { securityContext: { fsGroup: 2000 } } }))
    expect([modeOf(hostPath), statSync(hostPath).gid]).toEqual(['2777', 2000])
  })
})

describe.runIf(mayMount)('in memory', () => {
  const sizeOf = (path: string) => {
    const { blocks, bsize } = statfsSync(path)
    return blocks * bsize
  }
  const limited = (memory: string) =>
    boundPod({ spec: { containers: [container('main', { resources: { limits: { memory } } })] } })

  it('is as large as it was asked to be, and open to everybody', async () => {
    const { hostPath } = await make({ medium: 'Memory', sizeLimit: '1Mi' })
    expect([sizeOf(hostPath), modeOf(hostPath)]).toEqual([2 ** 20, '777'])
    expect(() => writeFileSync(join(hostPath, 'file'), Buffer.alloc(2 ** 21))).toThrow('ENOSPC')
  })

  it('is no larger than the memory of the pod', async () => {
    expect(sizeOf((await make({ medium: 'Memory' }, limited('2Mi'))).hostPath)).toBe(2 ** 21)
  })

  it('is no larger than was asked for where the pod has more memory', async () => {
    expect(sizeOf((await make({ medium: 'Memory', sizeLimit: '1Mi' }, limited('64Mi'))).hostPath)).toBe(2 ** 20)
  })
})
