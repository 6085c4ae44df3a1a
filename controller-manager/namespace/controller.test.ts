import { afterEach, expect, test } from 'vitest'
import type { ConfigMap, Namespace, Pod } from '../../api/generated/types.ts'
import { configMaps, namespaces, pods } from '../../client/resources.ts'
import { type Running, run } from '../testing/run.ts'
import { newNamespaceController } from './controller.ts'

let running: Running
afterEach(() => running?.stop())

/** A namespace that is being deleted, and what it holds. */
async function deleted(fill: (namespace: string) => Promise<unknown>) {
  running = await run(newNamespaceController)
  const { api } = running
  await api.create<Namespace>(namespaces, {
    metadata: { name: 'team', finalizers: ['example.com/stay'] },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  await fill('team')
  await api.delete(namespaces, { name: 'team' })
}
const standing = () => running.api.objects<Namespace>(namespaces)[0]
const condition = (wanted: string) => standing()?.status?.conditions?.find(({ type }) => type === wanted)
const names = () => running.api.objects<ConfigMap>(configMaps).map(({ metadata }) => metadata.name)

test('a namespace that holds nothing any more is let go', async () => {
  await deleted((namespace) => running.api.create<ConfigMap>(configMaps, { metadata: { name: 'a', namespace } }))
  await running.clock.advance(1000)
  expect(names()).toEqual([])
  expect(standing()?.spec?.finalizers).toEqual([])
  expect(condition('NamespaceContentRemaining')).toMatchObject({ status: 'False', reason: 'ContentRemoved' })
})

test('pods end before anything that they use is taken away', async () => {
  await deleted(async (namespace) => {
    await running.api.create<Pod>(pods, {
      metadata: { name: 'p', namespace },
      spec: { containers: [], nodeName: 'n', terminationGracePeriodSeconds: 30 },
    })
    await running.api.create<ConfigMap>(configMaps, { metadata: { name: 'a', namespace } })
  })
  await running.clock.advance(1000)
  expect(names()).toEqual(['a'])
  expect(condition('NamespaceContentRemaining')).toMatchObject({
    status: 'True',
    reason: 'SomeResourcesRemain',
    message: 'Some resources are remaining: pods. has 1 resource instances',
  })
  await running.api.delete(pods, { namespace: 'team', name: 'p' }, { gracePeriodSeconds: 0 })
  await running.clock.advance(60_000)
  expect(names()).toEqual([])
})

test('what holds the namespace is named, with the finalizers by which it does', async () => {
  await deleted((namespace) =>
    running.api.create<ConfigMap>(configMaps, {
      metadata: { name: 'a', namespace, finalizers: ['example.com/one', 'example.com/two'] },
    }),
  )
  await running.clock.advance(1000)
  expect(condition('NamespaceFinalizersRemaining')).toMatchObject({
    status: 'True',
    reason: 'SomeFinalizersRemain',
    message:
      'Some content in the namespace has finalizers remaining: example.com/one in 1 resource instances, example.com/two in 1 resource instances',
  })
  expect(condition('NamespaceDeletionContentFailure')).toMatchObject({ status: 'False', reason: 'ContentDeleted' })
})

test('what cannot be deleted is told, and tried again', async () => {
  await deleted((namespace) => running.api.create<ConfigMap>(configMaps, { metadata: { name: 'a', namespace } }))
  running.api.fault = ({ verb, resource }) => {
    if (verb === 'deleteCollection' && resource === 'configmaps') throw new Error('not now')
  }
  await running.clock.advance(1000)
  expect(condition('NamespaceDeletionContentFailure')).toMatchObject({
    status: 'True',
    reason: 'ContentDeletionFailed',
    message: 'Failed to delete all resource types, 1 remaining: configmaps.: not now',
  })
  running.api.fault = undefined
  await running.clock.advance(60_000)
  expect(standing()?.spec?.finalizers).toEqual([])
})

test('what is left though nothing holds it is told', async () => {
  await deleted((namespace) => running.api.create<ConfigMap>(configMaps, { metadata: { name: 'a', namespace } }))
  // Somebody makes it anew each time.
  const { deleteCollection } = running.api
  running.api.deleteCollection = async (ref, selected, options) => {
    if (ref.plural !== 'configmaps') await deleteCollection.call(running.api, ref, selected, options)
  }
  await running.clock.advance(1000)
  expect(condition('NamespaceDeletionContentFailure')?.message).toBe(
    'Failed to delete all resource types, 1 remaining: unexpected items still remain in namespace: team for gvr: v1, Resource=configmaps',
  )
})
