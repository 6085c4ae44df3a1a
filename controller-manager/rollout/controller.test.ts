import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { deployments, replicaSets, services } from '../../client/resources.ts'
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
  const make = (annotations: Record<string, string>, facts: Parameters<typeof deployment>[0] = {}) => {
    const { status: _, ...web } = deployment({ replicas: 2, deadline: 30, annotations, ...facts })
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

  test('says why it goes back, also when the status changes under its hands', async () => {
    await make({ 'gantry.dev/auto-rollback': 'true' })
    await clock.advance(5000)
    setImage('broken')
    await clock.advance(20_000)
    const update = api.update.bind(api)
    let beaten = 0
    api.update = (ref, object, options) => {
      const isTemplate = ref === deployments && !options?.subresource
      if (isTemplate && beaten++ === 0) {
        api.edit(deployments, key, ({ metadata }) => {
          metadata.labels = { a: 'b' }
        })
      }
      return update(ref, object, options)
    }
    await clock.advance(20_000)
    expect([image(), condition(), beaten]).toEqual(['v1', 'True ProgressDeadlineExceeded', 2])
  })

  test('says once that there is nothing to roll back to', async () => {
    await make({ 'gantry.dev/auto-rollback': 'true' }, { image: 'broken' })
    await clock.advance(60_000)
    expect([image(), condition()]).toEqual(['broken', 'False NoAvailableRevision'])
    expect(told.filter(({ reason }) => reason === 'NoAvailableRevision')).toHaveLength(1)
  })

  test('goes back, as soon as it is asked for, to what serves though nobody marked it', async () => {
    await make({})
    await clock.advance(5000)
    api.edit(deployments, key, ({ metadata }) => {
      metadata.annotations = { ...metadata.annotations, 'gantry.dev/auto-rollback': 'true' }
    })
    setImage('broken')
    await clock.advance(40_000)
    expect([image(), condition()]).toEqual(['v1', 'True ProgressDeadlineExceeded'])
  })

  describe('with steps', () => {
    let server: Server
    let answer = 200
    const asked: string[] = []
    beforeEach(async () => {
      answer = 200
      asked.length = 0
      server = createServer((req, res) => {
        asked.push(req.url ?? '')
        res.writeHead(answer).end()
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      await api.create(services, {
        metadata: { name: 'web', namespace: 'default' },
        spec: { clusterIP: '127.0.0.1' },
      })
    })
    afterEach(() => void server.close())

    const steps = () => {
      const probe = `http://web:${(server.address() as AddressInfo).port}/healthz`
      return JSON.stringify([
        { hold: '25%', probe, for: '10s', within: '20s' },
        { hold: '50%', probe },
      ])
    }
    const sizes = () =>
      Object.fromEntries(
        api.objects(replicaSets).map(({ spec }) => [spec?.template?.spec?.containers[0]?.image, spec?.replicas]),
      )
    /** The probe is a real request: time of the clock must not run away from it. */
    const pass = async (seconds: number) => {
      for (let i = 0; i < seconds * 2; i++) {
        await clock.advance(500)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }

    test('holds at each until the answer is yes for long enough', async () => {
      await make({ 'gantry.dev/rollout-steps': steps() }, { replicas: 4, deadline: 60 })
      await pass(5)
      expect(asked).toEqual([])
      setImage('v2')
      await pass(8)
      expect(sizes()).toEqual({ v1: 3, v2: 1 })
      expect(asked).toContain('/healthz')
      expect(standing().status?.conditions).toContainEqual(
        expect.objectContaining({ type: 'Progressing', status: 'True', reason: 'RolloutHeld' }),
      )
      await pass(20)
      expect(sizes()).toEqual({ v1: 0, v2: 4 })
      expect(told.filter(({ reason }) => reason === 'RolloutStepPassed').map(({ message }) => message)).toEqual([
        expect.stringMatching(/^web-\w+ has passed step 1 \(hold 25%\): http:\/\/web:\d+\/healthz answered 200$/),
        expect.stringContaining('has passed step 2 (hold 50%)'),
      ])
      expect(states()).toEqual({ v1: 'available', v2: 'available' })
    })

    test('goes back when it is not', async () => {
      await make({ 'gantry.dev/rollout-steps': steps() }, { replicas: 4, deadline: 60 })
      await pass(5)
      answer = 503
      setImage('v2')
      await pass(15)
      expect(sizes()).toEqual({ v1: 3, v2: 1 })
      await pass(15)
      expect([image(), condition(), sizes()]).toEqual(['v1', 'True StepFailed', { v1: 4, v2: 0 }])
      expect(rollbacks()[0]).toMatch(/: step 1 \(hold 25%\): http:\/\/web:\d+\/healthz answered 503$/)
    })
  })

  test('leaves others alone', async () => {
    await make({})
    await clock.advance(5000)
    setImage('broken')
    await clock.advance(60_000)
    expect([image(), condition(), states()]).toEqual(['broken', undefined, { v1: undefined, broken: undefined }])
  })
})
