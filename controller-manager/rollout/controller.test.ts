import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { deployments, replicaSets } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { newDeploymentController } from '../deployment/controller.ts'
import { newReplicaSetController } from '../replicaset/controller.ts'
import { deployment, depsFor, type Told } from '../testing/build.ts'
import { playKubelet } from '../testing/kubelet.ts'
import { newRolloutController } from './controller.ts'

describe('the rollout controller', () => {
  let clock: FakeClock
  let api: MemoryApi
  let told: Told[]
  let stop: AbortController

  beforeEach(async () => {
    clock = new FakeClock()
    api = new MemoryApi({ clock })
    stop = new AbortController()
    const informers = new InformerFactory(api, { clock })
    const made = depsFor(api, informers, clock)
    told = made.told
    const controllers = [newDeploymentController, newReplicaSetController, newRolloutController].map((make) =>
      make(made.deps),
    )
    playKubelet({ api, informers, clock, readyAfterMs: () => 1000 })
    await informers.start(stop.signal)
    for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const key = { namespace: 'default', name: 'web' }
  const make = (annotations: Record<string, string>) => {
    const { status: _, ...web } = deployment({ replicas: 2, deadline: 30, annotations })
    return api.create<Deployment>(deployments, web)
  }
  const setImage = (image: string) =>
    api.edit(deployments, key, ({ metadata, spec }) => {
      spec!.template.spec!.containers[0]!.image = image
      metadata.generation = (metadata.generation ?? 0) + 1
    })
  const standing = () => api.objects(deployments)[0]!
  const image = () => standing().spec?.template.spec?.containers[0]?.image
  const condition = () => {
    const { status, reason } = standing().status?.conditions?.find(({ type }) => type === 'gantry.dev/RolledBack') ?? {}
    return status && `${status} ${reason}`
  }
  const states = () =>
    Object.fromEntries(
      api
        .objects(replicaSets)
        .map(({ metadata, spec }) => [
          spec?.template?.spec?.containers[0]?.image,
          metadata.labels?.['gantry.dev/revision'],
        ]),
    )
  const rollbacks = () => told.filter(({ reason }) => reason === 'AutoRollback').map(({ message }) => message)

  test('rolls back what misses its deadline, once, and not again', async () => {
    await make({ 'gantry.dev/auto-rollback': 'true' })
    await clock.advance(5000)
    expect(states()).toEqual({ v1: 'available' })
    setImage('broken')
    await clock.advance(20_000)
    expect(image()).toBe('broken')
    await clock.advance(20_000)
    expect(image()).toBe('v1')
    expect(condition()).toBe('True ProgressDeadlineExceeded')
    expect(rollbacks()).toEqual([
      expect.stringMatching(
        /^Rolled back from revision 2 \(web-\w+\) to revision 1 \(web-\w+\): ReplicaSet "web-\w+" has timed out progressing\.$/,
      ),
    ])
    await clock.advance(120_000)
    expect([image(), states()]).toEqual(['v1', { v1: 'settled', broken: 'failed' }])

    // The same template again is not tried again.
    setImage('broken')
    await clock.advance(5000)
    expect([image(), condition(), rollbacks().length]).toEqual(['v1', 'True FailedBefore', 2])

    setImage('v2')
    await clock.advance(10_000)
    expect([image(), condition()]).toEqual(['v2', 'False RevisionAvailable'])
  })

  test('says once that there is nothing to roll back to', async () => {
    await make({ 'gantry.dev/auto-rollback': 'true' })
    setImage('broken')
    await clock.advance(60_000)
    expect([image(), condition()]).toEqual(['broken', 'False NoAvailableRevision'])
    expect(told.filter(({ reason }) => reason === 'NoAvailableRevision')).toHaveLength(1)
  })

  test('leaves others alone', async () => {
    await make({})
    await clock.advance(5000)
    setImage('broken')
    await clock.advance(60_000)
    expect([image(), condition(), states()]).toEqual(['broken', undefined, { v1: undefined, broken: undefined }])
  })
})
