import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Volume } from '../../api/generated/types.ts'
import { silentLogger } from '../../client/logger.ts'
import { persistentVolumeClaims, persistentVolumes } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { boundPod, container } from '../testing/builders.ts'
import { Volumes } from './manager.ts'
import { MountFailure, type VolumePlace, type VolumePlugin, type VolumeSpec } from './types.ts'

let directory: string
const api = new MemoryApi()
const clock = new FakeClock()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'volumes-'))
})

afterEach(() => rm(directory, { recursive: true, force: true }))

/** A manager whose only kind of volume does what the test says. */
function volumesWith(plugin: Partial<VolumePlugin>): Volumes {
  const whole: VolumePlugin = {
    name: 'test~kind',
    handles: () => true,
    mount: async ({ name }) => ({ hostPath: `/${name}`, readOnly: false, ownedByPod: false }),
    ...plugin,
  }
  return new Volumes({
    api,
    plugins: [whole],
    podsDirectory: join(directory, 'pods'),
    memoryDirectory: join(directory, 'memory'),
    pluginsDirectory: join(directory, 'plugins'),
    mayMount: false,
    objects: { configMap: async () => undefined, secret: async () => undefined },
    tokens: { token: async () => ({ token: '', refreshAt: 0, expiresAt: 0 }) },
    facts: () => ({ podIps: [], hostIps: [], nodeName: 'n1', allocatable: {} }),
    events: { warning: () => undefined },
    clock,
    log: silentLogger,
  })
}

const podWith = (...volumes: Volume[]) =>
  boundPod({
    spec: {
      volumes,
      containers: [container('main', { volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })) })],
    },
  })

const mounted = ({ name }: VolumeSpec) => ({ hostPath: `/${name}`, readOnly: false, ownedByPod: false })

it('mounts each volume once, and once for two names of one claim', async () => {
  const claim = await api.create(persistentVolumeClaims, {
    metadata: { name: 'disk', namespace: 'default' },
    spec: { volumeName: 'pv' },
    status: { phase: 'Bound' },
  })
  const claimRef = { namespace: 'default', name: 'disk', uid: claim.metadata.uid ?? '' }
  const annotations = { 'pv.beta.kubernetes.io/gid': '4321' }
  await api.create(persistentVolumes, { metadata: { name: 'pv', annotations }, spec: { claimRef } })
  const asked: string[] = []
  const volumes = volumesWith({
    async mount(spec) {
      asked.push(spec.name)
      return mounted(spec)
    },
  })
  const pod = podWith(
    { name: 'a', persistentVolumeClaim: { claimName: 'disk' } },
    { name: 'b', persistentVolumeClaim: { claimName: 'disk' } },
  )
  await volumes.prepare(pod)
  expect([...(await volumes.prepare(pod)).keys()]).toEqual(['a', 'b'])
  expect(asked).toEqual(['pv'])
  const calls = api.calls.length
  volumes.refresh(pod.metadata.uid)
  expect((await volumes.prepare(pod)).get('a')?.extraGroup).toBe(4321)
  // Nothing of it gets old: only the second look at the pod's two claims has asked the API server.
  expect(api.calls.length - calls).toBe(4)
})

it('tries what has failed again, and waits for what is still under way', async () => {
  const asked: string[] = []
  let finish = (): void => undefined
  const volumes = volumesWith({
    mount(spec) {
      asked.push(spec.name)
      if (spec.name === 'bad' && asked.length <= 2) throw new MountFailure('MountVolume.MountDevice', 'no such disk')
      if (spec.name !== 'slow') return Promise.resolve(mounted(spec))
      return new Promise((resolve) => {
        finish = () => resolve(mounted(spec))
      })
    },
  })
  const pod = podWith({ name: 'slow', emptyDir: {} }, { name: 'bad', emptyDir: {} })
  await expect(volumes.prepare(pod)).rejects.toThrow('MountVolume.MountDevice failed for volume "bad" : no such disk')
  const again = volumes.prepare(pod)
  finish()
  expect([...(await again).keys()]).toEqual(['slow', 'bad'])
  expect(asked).toEqual(['slow', 'bad', 'bad'])
})

it('says which volumes it waits for, and why', async () => {
  const volumes = volumesWith({})
  const pod = podWith({ name: 'here', emptyDir: {} }, { name: 'data', persistentVolumeClaim: { claimName: 'none' } })
  await expect(volumes.prepare(pod)).rejects.toMatchObject({
    reason: 'FailedMount',
    message:
      'Unable to attach or mount volumes: unmounted volumes=[data here], unattached volumes=[], ' +
      'failed to process volumes=[data]: error processing PVC default/none: ' +
      'failed to fetch PVC from API server: persistentvolumeclaims "none" not found',
  })
})

it('says so when a volume takes very long, and takes it when it comes', async () => {
  let finish = (): void => undefined
  const volumes = volumesWith({
    mount: (spec) =>
      new Promise((resolve) => {
        finish = () => resolve(mounted(spec))
      }),
  })
  const pod = podWith({ name: 'slow', emptyDir: {} })
  const waiting = volumes.prepare(pod)
  const outcome = expect(waiting).rejects.toThrow(
    'unmounted volumes=[slow], unattached volumes=[], failed to process volumes=[]: context deadline exceeded',
  )
  await clock.advance(123_000)
  await outcome
  const again = volumes.prepare(pod)
  finish()
  expect((await again).get('slow')?.hostPath).toBe('/slow')
})

it('undoes what it finds on the disk, also of an agent before it', async () => {
  const undone: VolumePlace[] = []
  const volumes = volumesWith({
    async unmount(place) {
      undone.push(place)
    },
  })
  const pod = join(directory, 'pods', 'uid-1')
  await mkdir(join(pod, 'volumes', 'test~kind', 'one'), { recursive: true })
  await mkdir(join(pod, 'volumeDevices', 'test~kind', 'two'), { recursive: true })
  await volumes.teardown('uid-1')
  expect(undone.map(({ name, mode, podUid }) => [name, mode, podUid])).toEqual([
    ['one', 'Filesystem', 'uid-1'],
    ['two', 'Block', 'uid-1'],
  ])
  expect(await readdir(join(directory, 'pods'))).toEqual([])
})

it('refreshes a volume when its time has come', async () => {
  let refreshed = 0
  const volumes = volumesWith({
    mount: async (spec) => ({ ...mounted(spec), refreshAt: clock.now() + 60_000 }),
    async refresh() {
      refreshed++
      return clock.now() + 60_000
    },
  })
  await volumes.prepare(podWith({ name: 'a', emptyDir: {} }))
  await clock.advance(59_000)
  expect(refreshed).toBe(0)
  await clock.advance(2000)
  await expect.poll(() => refreshed).toBe(1)
  await clock.advance(61_000)
  await expect.poll(() => refreshed).toBe(2)
  volumes.stop()
})

it('takes away what pods have left that nobody knows, and one that resists keeps no other', async () => {
  const asked: string[] = []
  const volumes = volumesWith({
    async unmount({ podUid }) {
      asked.push(podUid)
      if (podUid === 'hung') await new Promise(() => undefined)
    },
  })
  for (const uid of ['hung', 'known', 'left']) {
    await mkdir(join(directory, 'pods', uid, 'volumes/test~kind/v'), { recursive: true })
  }
  const isKnown = (uid: string) => uid === 'known'
  await volumes.removeOrphans(isKnown)
  await expect.poll(async () => (await readdir(join(directory, 'pods'))).sort()).toEqual(['hung', 'known'])
  await volumes.removeOrphans(isKnown)
  // Side by side, so in any order.
  expect(asked.toSorted()).toEqual(['hung', 'left'])
})
