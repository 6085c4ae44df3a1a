import { beforeEach, expect, test } from 'vitest'
import { conflictError, StatusError } from '../../../api/machinery/errors.ts'
import { claimFinalizer } from '../../../api/resource/pod-claims.ts'
import { resourceClaims } from '../../../client/resources.ts'
import { FakeClock } from '../../../client/testing/fake-clock.ts'
import { type Call, MemoryApi } from '../../../client/testing/memory-api.ts'
import type { Claim } from '../../dra/device-world.ts'
import { podInfo } from '../../testing/builders.ts'
import { allocated, claim } from '../../testing/devices.ts'
import { bindClaim, deallocate, unbindClaim } from './bind-claim.ts'

const key = { namespace: 'default', name: 'c' }
const trainer = podInfo({ name: 'trainer' })
const its = { resource: 'pods', name: 'trainer', uid: trainer.uid }
const another = { resource: 'pods', name: 'another', uid: 'uid-of-another' }
const down = () => new StatusError(503, 'ServiceUnavailable', 'the server is not there')

let clock: FakeClock
let api: MemoryApi
const writer = () => ({ api, clock, stopping: new AbortController().signal })
const bind = (from: Claim, ...chosen: [] | [ReturnType<typeof allocated> | undefined]) =>
  bindClaim(writer(), from, trainer, chosen.length > 0 ? chosen[0] : allocated('g-0'))
const standing = () => api.objects(resourceClaims)[0]
const writes = () => api.calls.filter(({ verb }) => verb === 'update')

beforeEach(() => {
  clock = new FakeClock()
  api = new MemoryApi({ clock })
})

/** A claim that is there, as it was before `change`. */
async function there(status?: Claim['status'], change?: (object: Claim) => void, finalizers?: string[]) {
  const { metadata, ...rest } = claim('c', undefined, status)
  const { resourceVersion: _, ...named } = metadata
  const made = await api.create(resourceClaims, {
    metadata: { ...named, ...(finalizers ? { finalizers } : {}) },
    ...rest,
  })
  if (change) api.edit(resourceClaims, key, change)
  api.calls.length = 0
  return made as Claim
}

test('a claim is guarded and told of its devices and its pod, and keeps what others wrote', async () => {
  const bound = await bind(await there({ reservedFor: [another] }, undefined, ['example.com/theirs']))
  expect(bound).toEqual(standing())
  expect(bound.metadata.finalizers).toEqual(['example.com/theirs', claimFinalizer])
  expect(bound.status).toEqual({ allocation: allocated('g-0'), reservedFor: [another, its] })
})

test('a claim that is guarded, or has its devices, is written once', async () => {
  await bind(await there(undefined, undefined, [claimFinalizer]))
  expect(writes()).toMatchObject([{ subresource: 'status' }])
  api = new MemoryApi({ clock })
  const bound = await bind(await there({ allocation: allocated('g-0') }), undefined)
  expect(writes()).toMatchObject([{ subresource: 'status' }])
  expect(bound.metadata.finalizers).toBeUndefined()
  expect(bound.status?.reservedFor).toEqual([its])
})

test('a claim that knows of the pod is not written', async () => {
  const known = await there({ allocation: allocated('g-0'), reservedFor: [its] })
  expect(await bind(known)).toBe(known)
  expect(api.calls).toEqual([])
})

test('who was overtaken goes on from what the other wrote', async () => {
  const stale = await there({ allocation: allocated('g-0') }, ({ status }) => {
    if (status) status.reservedFor = [another]
  })
  expect((await bind(stale, undefined)).status?.reservedFor).toEqual([another, its])
})

test.each<[string, Claim['status'], (object: Claim) => void, ReturnType<typeof allocated> | undefined]>([
  [
    'got allocated elsewhere',
    undefined,
    (object) => {
      object.status = { allocation: allocated('g-1') }
    },
    allocated('g-0'),
  ],
  [
    'got deallocated elsewhere',
    { allocation: allocated('g-0') },
    (object) => {
      object.status = {}
    },
    undefined,
  ],
  [
    'got deleted',
    undefined,
    (object) => {
      object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
    },
    allocated('g-0'),
  ],
  [
    'got deleted',
    undefined,
    (object) => {
      object.metadata.uid = 'of its successor'
    },
    allocated('g-0'),
  ],
])('who was overtaken by one that %s gives up', async (what, status, change, allocation) => {
  const stale = await there(status, change)
  await expect(bind(stale, allocation)).rejects.toThrow(`claim default/c ${what} in the meantime`)
  expect(standing()?.status?.reservedFor).toBeUndefined()
})

test('who is overtaken five times gives up', async () => {
  const made = await there(undefined, undefined, [claimFinalizer])
  api.fault = ({ verb }) => {
    if (verb === 'update') throw conflictError({ group: 'resource.k8s.io', resource: 'resourceclaims' }, 'c', 'again')
  }
  await expect(bind(made)).rejects.toThrow('again')
  expect(writes()).toHaveLength(5)
})

test('a refusal is no reason to try again', async () => {
  const made = await there()
  api.fault = ({ verb }) => {
    if (verb === 'update') throw new StatusError(403, 'Forbidden', 'not for you')
  }
  await expect(bind(made)).rejects.toThrow('not for you')
  expect(writes()).toHaveLength(1)
})

test('an answer that was lost is looked for until the server is back, and nothing is written twice', async () => {
  const made = await there(undefined, undefined, [claimFinalizer])
  let isDown = false
  api.fault = ({ verb }: Call) => {
    if (isDown) throw down()
    if (verb !== 'update') return
    isDown = true
    api.edit(resourceClaims, key, (object) => {
      object.status = { allocation: allocated('g-0'), reservedFor: [its] }
    })
    throw down()
  }
  const binding = bind(made)
  const gets = () => api.calls.filter(({ verb }) => verb === 'get').length
  await clock.advance(0)
  expect(gets()).toBe(1)
  await clock.advance(999)
  expect(gets()).toBe(1)
  await clock.advance(1)
  expect(gets()).toBe(2)
  isDown = false
  api.fault = undefined
  await clock.advance(1000)
  expect(await binding).toEqual(standing())
  expect(writes()).toHaveLength(1)
})

test('a claim that cannot be looked at is given up', async () => {
  const made = await there(undefined, undefined, [claimFinalizer])
  api.fault = ({ verb }) => {
    throw verb === 'get' ? new StatusError(403, 'Forbidden', 'not to be seen') : down()
  }
  await expect(bind(made)).rejects.toThrow('not to be seen')
})

test('what a pod does not use is given back, others keep theirs', async () => {
  const made = await there({ allocation: allocated('g-0'), reservedFor: [another, its] })
  await unbindClaim(writer(), made, trainer)
  expect(standing()?.status).toEqual({ allocation: allocated('g-0'), reservedFor: [another] })
})

test('a claim without its devices keeps the rest of its status', async () => {
  const conditions = [{ driver: 'd', pool: 'p', device: 'g-0' }]
  const made = await there({ allocation: allocated('g-0'), reservedFor: [its], devices: conditions })
  await deallocate(writer(), { ...made, status: { ...made.status, more: 1 } as NonNullable<Claim['status']> })
  expect(standing()?.status).toEqual({ more: 1 })
})
