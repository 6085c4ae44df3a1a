import { describe, expect, test } from 'vitest'
import { only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('OwnerReferencesPermissionEnforcement', () => {
  const owned = (blockOwnerDeletion: boolean) =>
    pod(
      {},
      { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'rs', uid: '1', blockOwnerDeletion }] },
    )
  const check = (object: object, old?: object) =>
    refusal(
      only(world, 'OwnerReferencesPermissionEnforcement'),
      requestIn(world, old ? 'UPDATE /pods' : 'CREATE /pods', object, old ? { old: old as never } : {}),
    )

  test('who changes owners must be able to delete', async () => {
    expect(await check(owned(false))).toBeUndefined()
    expect(await check(owned(false), pod())).toBe(
      `403 pods "p" is forbidden: cannot set an ownerRef on a resource you can't delete: no, <nil>`,
    )
    world.allowed = ['delete pods p']
    expect(await check(owned(false), pod())).toBeUndefined()
  })

  test('who blocks the deletion of an owner must be able to set its finalizers', async () => {
    expect(await check(owned(true))).toMatch(
      /cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: no, <nil>$/,
    )
    world.allowed = ['update replicasets rs']
    expect(await check(owned(true))).toBeUndefined()
  })
})
