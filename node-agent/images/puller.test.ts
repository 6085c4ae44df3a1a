import { beforeEach, describe, expect, it } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import type { Live } from '../../client/types.ts'
import { CriError, type Image } from '../runtime/cri.ts'
import { ImagePuller } from './puller.ts'

const image: Image = {
  id: 'sha256:abc',
  repoTags: ['docker.io/library/app:1'],
  repoDigests: ['docker.io/library/app@sha256:def'],
  size: 5,
  uid: null,
  username: '',
  spec: null,
  pinned: false,
}
const pod = {
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec: { containers: [{ name: 'app' }] },
} as unknown as Live<Pod>

describe('bringing an image', () => {
  let clock: FakeClock
  let present: boolean
  let failure: string | undefined
  let pulled: string[]
  let said: string[]
  let puller: ImagePuller
  beforeEach(() => {
    clock = new FakeClock()
    present = false
    failure = undefined
    pulled = []
    said = []
    puller = new ImagePuller({
      clock,
      events: {
        event: (about, type, reason, message) => said.push(`${about.fieldPath} ${type} ${reason}: ${message}`),
      },
      cri: {
        imageStatus: async () => ({ image: present ? image : null, info: {} }),
        pullImage: async ({ image: { image: name } }) => {
          pulled.push(name ?? '')
          if (failure !== undefined) throw new CriError('PullImage', 'unknown', failure)
          present = true
          return image.id
        },
      },
    })
  })
  const ensure = (name: string, imagePullPolicy?: string) =>
    puller.ensure(pod, { name: 'app', image: name, ...(imagePullPolicy ? { imagePullPolicy } : {}) }, [])

  it.each([
    ['app:1', 'IfNotPresent', true, 0],
    ['app:1', 'IfNotPresent', false, 1],
    ['app:1', 'Always', true, 1],
    ['app:1', 'Never', true, 0],
    ['app:1', undefined, true, 0],
    ['app', undefined, true, 1],
  ])('%s with policy %s, present %s: %d pulls', async (name, policy, here, pulls) => {
    present = here
    expect(await ensure(name, policy)).toEqual({ imageRef: image.id, imageId: image.repoDigests[0] })
    expect(pulled).toHaveLength(pulls)
  })

  it('names the tag that is meant', async () => {
    await ensure('app', 'Always')
    expect(pulled).toEqual(['app:latest'])
  })

  it('says what it does in events about the container', async () => {
    await ensure('app:1')
    expect(said).toEqual([
      'spec.containers{app} Normal Pulling: Pulling image "app:1"',
      'spec.containers{app} Normal Pulled: Successfully pulled image "app:1" in 0ms (0ms including waiting). Image size: 5 bytes.',
    ])
  })

  it('does not pull what is never to be pulled', async () => {
    await expect(ensure('app:1', 'Never')).rejects.toMatchObject({
      reason: 'ErrImageNeverPull',
      message: 'Container image "app:1" is not present with pull policy of Never',
    })
    expect(said).toEqual([
      'spec.containers{app} Warning ErrImageNeverPull: Container image "app:1" is not present with pull policy of Never',
    ])
  })

  it('refuses what is no name', async () => {
    await expect(ensure('App:1')).rejects.toMatchObject({ reason: 'InvalidImageName' })
  })

  it('backs off for longer each time, and tells why', async () => {
    failure = 'no such thing'
    await expect(ensure('app:1')).rejects.toMatchObject({ reason: 'ErrImagePull', message: 'no such thing' })
    for (const seconds of [10, 20, 40, 80, 160, 300, 300]) {
      await clock.advance(seconds * 1000 - 1)
      await expect(ensure('app:1')).rejects.toMatchObject({
        reason: 'ImagePullBackOff',
        message: 'Back-off pulling image "app:1": ErrImagePull: no such thing',
      })
      await clock.advance(1)
      await expect(ensure('app:1')).rejects.toMatchObject({ reason: 'ErrImagePull' })
    }
    failure = undefined
    await clock.advance(300_000)
    await ensure('app:1')
  })

  it('knows a registry that is out of reach by the runtime’s word', async () => {
    failure = 'RegistryUnavailable: connection refused'
    await expect(ensure('app:1')).rejects.toMatchObject({
      reason: 'RegistryUnavailable',
      message: 'image pull failed for app:1 because the registry is unavailable: connection refused',
    })
  })
})
