import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Deployment } from '../../api/generated/types.ts'
import { forbiddenError } from '../../api/machinery/errors.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { deployments, pods, replicaSets } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { templateHash } from '../pods/template-hash.ts'
import { newReplicaSetController } from '../replicaset/controller.ts'
import { deployment, depsFor, replicaSet, type Told } from '../testing/build.ts'
import { playKubelet } from '../testing/kubelet.ts'
import { newDeploymentController } from './controller.ts'

describe('the deployment controller', () => {
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
    const controllers = [newDeploymentController(made.deps), newReplicaSetController(made.deps)]
    playKubelet({ api, informers, clock, readyAfterMs: () => 1000 })
    await informers.start(stop.signal)
    for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const key = { namespace: 'default', name: 'web' }
  const make = (facts: Parameters<typeof deployment>[0]) => {
    const { status: _, ...web } = deployment(facts)
    return api.create<Deployment>(deployments, web)
  }
  const change = (edit: (web: Live<Deployment>) => void) =>
    api.edit(deployments, key, (web: Live<Deployment>) => {
      edit(web)
      web.metadata.generation = (web.metadata.generation ?? 0) + 1
    })
  const setImage = (image: string) =>
    change(({ spec }) => {
      spec!.template.spec!.containers[0]!.image = image
    })
  const standing = () => api.objects(deployments)[0]!
  const sizes = () =>
    Object.fromEntries(
      api.objects(replicaSets).map(({ spec }) => [spec?.template?.spec?.containers[0]?.image, spec?.replicas]),
    )
  const scalings = () => told.filter(({ reason }) => reason === 'ScalingReplicaSet').map(({ message }) => message)

  test('rolls out, one pod at a time, and tells each step', async () => {
    await make({ replicas: 2 })
    await clock.advance(3000)
    setImage('v2')
    await clock.advance(10_000)
    expect(sizes()).toEqual({ v1: 0, v2: 2 })
    const [v1, v2] = ['v1', 'v2'].map(
      (image) =>
        api.objects(replicaSets).find(({ spec }) => spec?.template?.spec?.containers[0]?.image === image)?.metadata
          .name,
    )
    expect(scalings()).toEqual([
      `Scaled up replica set ${v1} from 0 to 2`,
      `Scaled up replica set ${v2} from 0 to 1`,
      `Scaled down replica set ${v1} from 2 to 1`,
      `Scaled up replica set ${v2} from 1 to 2`,
      `Scaled down replica set ${v1} from 1 to 0`,
    ])
    expect(standing().metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '2' })
    expect(standing().status).toMatchObject({
      observedGeneration: 2,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 2,
      availableReplicas: 2,
    })
    expect(
      standing()
        .status?.conditions?.map(({ reason }) => reason)
        .sort(),
    ).toEqual(['MinimumReplicasAvailable', 'NewReplicaSetAvailable'])
  })

  test('a template that never works stalls, is told after its deadline, and costs no old pod', async () => {
    await make({ replicas: 3, deadline: 30 })
    await clock.advance(5000)
    setImage('broken')
    await clock.advance(60_000)
    expect(sizes()).toEqual({ v1: 3, broken: 1 })
    const progress = standing().status?.conditions?.find(({ type }) => type === 'Progressing')
    expect(progress).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
    setImage('v1')
    await clock.advance(10_000)
    expect(sizes()).toEqual({ v1: 3, broken: 0 })
    expect(standing().metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3')
  })

  test('recreating, no new pod starts before the last old one is gone', async () => {
    await make({ replicas: 3, recreate: true })
    await clock.advance(5000)
    setImage('v2')
    let together = 0
    for (let i = 0; i < 40; i++) {
      await clock.advance(250)
      const images = new Set(api.objects(pods).map(({ spec }) => spec?.containers[0]?.image))
      if (images.size > 1) together++
    }
    expect(together).toBe(0)
    expect(sizes()).toEqual({ v1: 0, v2: 3 })
  })

  test('another set of the same name leads to another name', async () => {
    const hash = templateHash(deployment().spec!.template, undefined)
    await api.create(replicaSets, { ...replicaSet({ name: `web-${hash}`, image: 'other', replicas: 0 }) })
    api.edit(replicaSets, { namespace: 'default', name: `web-${hash}` }, ({ metadata }) => {
      delete metadata.ownerReferences
      metadata.labels = {}
    })
    await make({ replicas: 1 })
    await clock.advance(5000)
    expect(standing().status).toMatchObject({ collisionCount: 1, availableReplicas: 1 })
    const second = templateHash(deployment().spec!.template, 1)
    expect(api.objects(replicaSets).map(({ metadata }) => metadata.name)).toContain(`web-${second}`)
  })

  test('an earlier try’s set is taken for what it is', async () => {
    let lost = true
    api.fault = async ({ verb, resource }) => {
      if (verb !== 'create' || resource !== 'replicasets' || !lost) return
      lost = false
      api.fault = undefined
      // The server does it, but its answer gets lost.
      const set = { ...replicaSet({ name: `web-${templateHash(deployment().spec!.template, undefined)}` }) }
      set.metadata.ownerReferences![0]!.uid = standing().metadata.uid ?? ''
      await api.create(replicaSets, set)
    }
    await make({ replicas: 1 })
    await clock.advance(5000)
    expect(api.objects(replicaSets)).toHaveLength(1)
    expect(standing().status?.collisionCount).toBeUndefined()
  })

  test('a set that may not be created is told of in a condition and an event', async () => {
    api.fault = ({ verb, resource }) => {
      if (verb === 'create' && resource === 'replicasets') {
        throw forbiddenError({ group: 'apps', resource: 'replicasets' }, 'web-x', 'exceeded quota: q')
      }
    }
    await make({ replicas: 1 })
    await clock.advance(10)
    const message = expect.stringMatching(
      /^Failed to create new replica set "web-\w+": replicasets.apps "web-x" is forb/,
    )
    expect(told[0]).toMatchObject({ type: 'Warning', reason: 'ReplicaSetCreateError', message })
    expect(standing().status?.conditions).toMatchObject([
      { type: 'Progressing', status: 'False', reason: 'ReplicaSetCreateError', message },
    ])
    api.fault = undefined
    await clock.advance(60_000)
    expect(standing().status).toMatchObject({ availableReplicas: 1 })
  })

  test('a set without owner that fits is adopted', async () => {
    const set = replicaSet({ name: 'web-orphan', replicas: 1 })
    delete set.metadata.ownerReferences
    await api.create(replicaSets, set)
    await make({ replicas: 1 })
    await clock.advance(5000)
    expect(
      api.objects(replicaSets).map(({ metadata }) => [metadata.name, metadata.ownerReferences?.[0]?.name]),
    ).toEqual([['web-orphan', 'web']])
  })

  test('at rest it writes nothing', async () => {
    await make({ replicas: 2 })
    await clock.advance(5000)
    const before = api.calls.length
    change(() => {})
    await clock.advance(5000)
    const writes = api.calls.slice(before).filter(({ verb }) => verb !== 'watch' && verb !== 'list')
    // The generation has changed: once for the status that says so.
    expect(writes).toMatchObject([{ verb: 'update', resource: 'deployments', subresource: 'status' }])
  })
})
