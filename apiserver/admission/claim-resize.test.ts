import { describe, expect, test } from 'vitest'
import { only, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('PersistentVolumeClaimResize', () => {
  const claim = (storage: string, phase = 'Bound', storageClassName = 'fast') => ({
    metadata: { name: 'c' },
    spec: { storageClassName, resources: { requests: { storage } } },
    status: { phase },
  })
  test.each<[string, object, object, string | undefined]>([
    ['grows', claim('2Gi'), claim('1Gi'), undefined],
    ['stays', claim('1024Mi', 'Pending'), claim('1Gi', 'Pending'), undefined],
    [
      'grows before it is bound',
      claim('2Gi'),
      claim('1Gi', 'Pending'),
      'Only bound persistent volume claims can be expanded',
    ],
    [
      'grows in a class that cannot',
      claim('2Gi', 'Bound', 'fixed'),
      claim('1Gi', 'Bound', 'fixed'),
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    ],
  ])('a claim that %s', async (_, next, old, message) => {
    world.client.put('storage.k8s.io', 'storageclasses', { metadata: { name: 'fast' }, allowVolumeExpansion: true })
    world.client.put('storage.k8s.io', 'storageclasses', { metadata: { name: 'fixed' } })
    const got = await refusal(
      only(world, 'PersistentVolumeClaimResize'),
      requestIn(world, 'UPDATE /persistentvolumeclaims', next, { old: old as never }),
    )
    expect(got).toBe(message === undefined ? undefined : `403 persistentvolumeclaims "c" is forbidden: ${message}`)
  })
})
