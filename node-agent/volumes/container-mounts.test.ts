import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { VolumeMount } from '../../api/generated/types.ts'
import { container } from '../testing/builders.ts'
import { volumeDevices, volumeMounts } from './container-mounts.ts'

let home: string
let data: string

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'mounts-'))
  data = join(home, 'data')
  mkdirSync(data)
})

afterAll(() => rmSync(home, { recursive: true, force: true }))

const mountsOf = (mount: Partial<VolumeMount>, more: { recursiveReadOnly?: boolean; readOnly?: boolean } = {}) =>
  volumeMounts({
    container: container('main', { volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }] }),
    volumes: new Map([['data', { hostPath: data, readOnly: more.readOnly ?? false, ownedByPod: false }]]),
    environment: new Map([['POD', 'web-0']]),
    podDirectory: join(home, 'pod'),
    mayMount: false,
    recursiveReadOnly: more.recursiveReadOnly ?? false,
  })

it('mounts a volume as the container and the volume want it', async () => {
  const [plain] = await mountsOf({})
  expect(plain).toMatchObject({ hostPath: data, containerPath: '/data', readonly: false, recursiveReadOnly: false })
  expect(await mountsOf({ readOnly: true })).toMatchObject([{ readonly: true }])
  expect(await mountsOf({}, { readOnly: true })).toMatchObject([{ readonly: true }])
  const propagation = 'PROPAGATION_HOST_TO_CONTAINER'
  expect(await mountsOf({ mountPropagation: 'HostToContainer' })).toMatchObject([{ propagation }])
})

describe('part of a volume', () => {
  it('is made when it is not there, by a name that the environment completes', async () => {
    const [mount] = await mountsOf({ subPathExpr: 'logs/$(POD)' })
    expect(mount?.hostPath).toMatch(/data\/logs\/web-0$/)
    expect(statSync(mount?.hostPath ?? '').isDirectory()).toBe(true)
  })

  it.each([
    [{ subPathExpr: '$(NOPE)' }, 'missing value for "NOPE"'],
    [{ subPath: '/etc' }, 'error SubPath `/etc` must not be an absolute path'],
    [{ subPath: 'a/../../etc' }, "unable to provision SubPath `a/../../etc`: must not contain '..'"],
  ])('is refused for %j', async (mount, why) => {
    await expect(mountsOf(mount)).rejects.toThrow(why)
  })

  it('that leads out is refused without a word about the machine', async () => {
    mkdirSync(join(home, 'outside'))
    symlinkSync(join(home, 'outside'), join(data, 'link'))
    await expect(mountsOf({ subPath: 'link' })).rejects.toThrow(
      /^failed to prepare subPath for volumeMount "data" of container "main"$/,
    )
    await expect(mountsOf({ subPath: 'link/new' })).rejects.toThrow(
      /^failed to create subPath directory for volumeMount "data" of container "main"$/,
    )
    expect(readdirSync(join(home, 'outside'))).toEqual([])
  })
})

describe('a mount that is to be read-only all the way down', () => {
  it('is so where the runtime can, and only asked for where it must', async () => {
    const mount = { readOnly: true, recursiveReadOnly: 'IfPossible' }
    expect(await mountsOf(mount, { recursiveReadOnly: true })).toMatchObject([{ recursiveReadOnly: true }])
    expect(await mountsOf(mount)).toMatchObject([{ recursiveReadOnly: false }])
  })

  it.each([
    [{ readOnly: true, recursiveReadOnly: 'Enabled' }, 'but it is not supported by the runtime'],
    [{ recursiveReadOnly: 'Enabled' }, 'but it is not read-only'],
    [
      { readOnly: true, recursiveReadOnly: 'Enabled', mountPropagation: 'HostToContainer' },
      'but it is not compatible with propagation "HostToContainer"',
    ],
  ])('is refused for %j', async (mount, why) => {
    await expect(mountsOf(mount)).rejects.toThrow(
      `failed to resolve recursive read-only mode: volume "data" requested recursive read-only mode, ${why}`,
    )
  })
})

it('gives devices as they are', () => {
  const main = container('main', { volumeDevices: [{ name: 'disk', devicePath: '/dev/xvda' }] })
  const disk = (readOnly: boolean) => new Map([['disk', { hostPath: '/dev/loop7', readOnly, ownedByPod: false }]])
  const found = { hostPath: '/dev/loop7', containerPath: '/dev/xvda' }
  expect(volumeDevices(main, disk(false))).toEqual([{ ...found, permissions: 'mrw' }])
  expect(volumeDevices(main, disk(true))).toEqual([{ ...found, permissions: 'r' }])
  expect(() => volumeDevices(main, new Map())).toThrow('cannot find volume "disk" to pass into container "main"')
})
