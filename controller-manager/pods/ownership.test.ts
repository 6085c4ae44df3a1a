import { beforeEach, describe, expect, test } from 'vitest'
import { pods, replicaSets } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { at, pod, replicaSet } from '../testing/build.ts'
import { claim, planClaims } from './ownership.ts'

const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: replicaSet({ name: 'me' }).metadata }
const leaving = { ...owner, metadata: { ...owner.metadata, deletionTimestamp: at(1) } }
const mine = { owner: { kind: 'ReplicaSet', name: 'me', uid: 'me' } }
const others = { owner: { kind: 'ReplicaSet', name: 'you', uid: 'you' } }
const fitting = { labels: { app: 'web' } }
const matches = ({ app }: Readonly<Record<string, string>>) => app === 'web'

describe('a candidate', () => {
  test.each([
    ['mine and fitting is kept', owner, pod({ ...mine, ...fitting }), 'owned'],
    ['mine and no longer fitting is released', owner, pod(mine), 'release'],
    ['mine and no longer fitting stays while I leave', leaving, pod(mine), 'none'],
    ["another's is left alone", owner, pod({ ...others, ...fitting }), 'none'],
    ['without owner and fitting is adopted', owner, pod(fitting), 'adopt'],
    ['without owner and not fitting is left alone', owner, pod(), 'none'],
    ['without owner is not adopted while I leave', leaving, pod(fitting), 'none'],
    ['without owner is not adopted while it leaves', owner, pod({ ...fitting, deleted: 1 }), 'none'],
  ] as const)('%s', (_, by, candidate, where) => {
    const claims = planClaims(by, matches, [candidate])
    expect(Object.entries(claims).flatMap(([name, list]) => (list.length > 0 ? [name] : []))).toEqual(
      where === 'none' ? [] : [where],
    )
  })
})

describe('claiming', () => {
  let api: MemoryApi
  const signal = new AbortController().signal

  beforeEach(() => {
    api = new MemoryApi()
  })

  async function world(...made: ReturnType<typeof pod>[]) {
    const set = await api.create(replicaSets, replicaSet({ name: 'me' }))
    const by = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: set.metadata }
    const candidates = await Promise.all(made.map((one) => api.create(pods, one)))
    return { api, owner: by, ownerRef: replicaSets, matches, candidates, candidateRef: pods, signal }
  }

  test('an orphan gets an owner reference that blocks its owner’s deletion', async () => {
    const options = await world(pod(fitting))
    expect(await claim(options)).toHaveLength(1)
    const [adopted] = api.objects(pods)
    expect(adopted?.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'me',
        uid: options.owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ])
  })

  test('one that no longer fits loses its reference, and no other', async () => {
    const options = await world(pod())
    api.edit(pods, { namespace: 'default', name: 'pod' }, ({ metadata }) => {
      metadata.ownerReferences = [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'me',
          uid: options.owner.metadata.uid ?? '',
          controller: true,
        },
        { apiVersion: 'v1', kind: 'ConfigMap', name: 'other', uid: 'other' },
      ]
    })
    expect(await claim({ ...options, candidates: api.objects(pods) })).toEqual([])
    expect(api.objects(pods)[0]?.metadata.ownerReferences?.map(({ uid }) => uid)).toEqual(['other'])
  })

  test('an owner that is being deleted, unknown to the cache, adopts nothing', async () => {
    const options = await world(pod(fitting))
    api.edit(replicaSets, { namespace: 'default', name: 'me' }, ({ metadata }) => {
      metadata.deletionTimestamp = at(1)
    })
    await expect(claim(options)).rejects.toThrow('has just been deleted')
    expect(api.objects(pods)[0]?.metadata.ownerReferences).toBeUndefined()
  })

  test('another owner that took the name adopts nothing for the old one', async () => {
    const options = await world(pod(fitting))
    const old = { ...options.owner, metadata: { ...options.owner.metadata, uid: 'old' } }
    await expect(claim({ ...options, owner: old })).rejects.toThrow('is gone: got uid')
  })

  test('another pod that took the name is not adopted', async () => {
    const options = await world(pod(fitting))
    const [candidate] = options.candidates
    const stale = { ...candidate!, metadata: { ...candidate!.metadata, uid: 'old' } }
    await expect(claim({ ...options, candidates: [stale] })).rejects.toThrow('Precondition failed')
  })

  test('one that is gone meanwhile is left out', async () => {
    const options = await world(pod(fitting))
    await api.delete(pods, { namespace: 'default', name: 'pod' })
    expect(await claim(options)).toEqual([])
  })
})
