import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConfigMap, Namespace, OwnerReference } from '../../api/generated/types.ts'
import { configMaps, namespaces } from '../../client/resources.ts'
import type { DeleteOptions, Live } from '../../client/types.ts'
import { type Running, run } from '../testing/run.ts'
import { newGarbageCollector } from './controller.ts'

let running: Running
beforeEach(async () => {
  running = await run(newGarbageCollector)
})
afterEach(() => running.stop())

const settle = () => running.clock.advance(2000)
const ownedBy = ({ kind = '', metadata }: Live<ConfigMap | Namespace>, blocks = true): OwnerReference => ({
  apiVersion: 'v1',
  kind,
  name: metadata.name,
  uid: metadata.uid ?? '',
  blockOwnerDeletion: blocks,
})
const make = (name: string, owners: OwnerReference[] = [], metadata: object = {}) =>
  running.api.create<ConfigMap>(configMaps, {
    metadata: { name, namespace: 'a', ...(owners.length > 0 ? { ownerReferences: owners } : {}), ...metadata },
  })
const remove = (name: string, propagationPolicy: NonNullable<DeleteOptions['propagationPolicy']>) =>
  running.api.delete(configMaps, { namespace: 'a', name }, { propagationPolicy })
const standing = () => running.api.objects<ConfigMap>(configMaps)
const left = () =>
  standing()
    .map(({ metadata }) => metadata.name)
    .sort()
const of = (name: string) => standing().find(({ metadata }) => metadata.name === name)?.metadata

test('what has lost its owner goes, and so does what that owned', async () => {
  const top = await make('top')
  const middle = await make('middle', [ownedBy(top)])
  await make('bottom', [ownedBy(middle)])
  await make('free')
  await settle()
  await remove('top', 'Background')
  await settle()
  expect(left()).toEqual(['free'])
})

test('what is orphaned stays, and names the owner no more', async () => {
  const top = await make('top')
  await make('child', [ownedBy(top)])
  await settle()
  await remove('top', 'Orphan')
  await settle()
  expect(left()).toEqual(['child'])
  expect(of('child')?.ownerReferences ?? []).toEqual([])
})

test('an owner deleted in the foreground stays until the last that blocks it has gone', async () => {
  const top = await make('top')
  await make('held', [ownedBy(top)], { finalizers: ['example.com/hold'] })
  await make('idle', [ownedBy(top, false)], { finalizers: ['example.com/hold'] })
  await settle()
  await remove('top', 'Foreground')
  await settle()
  expect(of('top')).toMatchObject({ finalizers: ['foregroundDeletion'] })
  expect(of('held')?.deletionTimestamp).toBeDefined()
  await running.api.patch(
    configMaps,
    { namespace: 'a', name: 'held' },
    { type: 'merge', body: { metadata: { finalizers: null } } },
  )
  await settle()
  expect(left()).toEqual(['idle'])
})

test('what has another owner that stays is let go by one that waits', async () => {
  const going = await make('going')
  const staying = await make('staying')
  await make('both', [ownedBy(going), ownedBy(staying)])
  await make('own', [ownedBy(going)])
  await settle()
  await remove('going', 'Foreground')
  await settle()
  expect(left()).toEqual(['both', 'staying'])
  expect(of('both')?.deletionTimestamp).toBeUndefined()
  expect(of('both')?.ownerReferences?.map(({ name }) => name)).toEqual(['staying'])
})

test('those that own each other in a circle do not wait for each other', async () => {
  const one = await make('one')
  const two = await make('two', [ownedBy(one)])
  const three = await make('three', [ownedBy(two)])
  const body = { metadata: { ownerReferences: [ownedBy(three)] } }
  await running.api.patch(configMaps, one.metadata, { type: 'merge', body })
  await settle()
  await remove('one', 'Foreground')
  await running.clock.advance(10_000)
  expect(left()).toEqual([])
})

test('an owner in another namespace is none, is told, and still owns what is its own', async () => {
  const owner = await make('owner', [], { namespace: 'b' })
  await make('astray', [ownedBy(owner)])
  await settle()
  await make('own', [ownedBy(owner)], { namespace: 'b' })
  await settle()
  expect(left()).toEqual(['own', 'owner'])
  const uid = owner.metadata.uid
  expect(running.told).toContainEqual({
    about: 'ConfigMap/astray',
    type: 'Warning',
    reason: 'OwnerRefInvalidNamespace',
    message: `ownerRef [v1/ConfigMap, namespace: a, name: owner, uid: ${uid}] does not exist in namespace "a"`,
  })
  await running.api.delete(configMaps, { namespace: 'b', name: 'owner' })
  await settle()
  expect(left()).toEqual([])
})

test('what names an owner that was never there goes', async () => {
  await make('child', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: 'u' }])
  await settle()
  expect(left()).toEqual([])
})

test('what is in no namespace is not deleted for an owner that is in one', async () => {
  const owner = await make('owner')
  await running.api.create<Namespace>(namespaces, { metadata: { name: 'wide', ownerReferences: [ownedBy(owner)] } })
  await settle()
  expect(running.api.objects<Namespace>(namespaces).map(({ metadata }) => metadata.name)).toEqual(['wide'])
  expect(running.told.map(({ reason }) => reason)).toContain('OwnerRefInvalidNamespace')
})

test('an owner that is in no namespace may own what is in one', async () => {
  const owner = await running.api.create<Namespace>(namespaces, { metadata: { name: 'wide' } })
  await make('child', [ownedBy(owner)])
  await settle()
  expect(left()).toEqual(['child'])
  await running.api.delete(namespaces, { name: 'wide' })
  await settle()
  expect(left()).toEqual([])
})
