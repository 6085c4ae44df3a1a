import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DaemonSet, DaemonSetSpec, Node, Pod, Taint } from '../../api/generated/types.ts'
import { runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { controllerRevisions, daemonSets, nodes, pods } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { depsFor, type Told } from '../testing/build.ts'
import { playKubelet } from '../testing/kubelet.ts'
import { laggingApi } from '../testing/lagging-api.ts'
import { Backoff } from './backoff.ts'
import { newDaemonSetController } from './controller.ts'
import { targetNode } from './daemon-pod.ts'

const key = { namespace: 'default', name: 'log' }

describe('the daemon set controller', () => {
  let clock: FakeClock
  let api: MemoryApi
  let told: Told[]
  let stop: AbortController

  beforeEach(async () => {
    clock = new FakeClock()
    api = new MemoryApi({ clock })
    stop = new AbortController()
    const informers = new InformerFactory(
      laggingApi(api, clock, () => 20),
      { clock },
    )
    const machines = new InformerFactory(api, { clock })
    const made = depsFor(api, informers, clock)
    told = made.told
    const controller = newDaemonSetController(made.deps)
    playKubelet({ api, informers: machines, clock, readyAfterMs: () => 1000, nodeFor: (pod) => targetNode(pod) ?? '' })
    for (const name of ['n1', 'n2', 'n3', 'n4']) await addNode(name)
    await Promise.all([informers.start(stop.signal), machines.start(stop.signal)])
    runController(controller, { signal: stop.signal }).catch(() => {})
  })

  afterEach(() => stop.abort())

  const addNode = (name: string, taints: Taint[] = [], labels: Record<string, string> = {}) =>
    api.create<Node>(nodes, { metadata: { name, labels }, spec: { taints } })
  const taint = (name: string, effect: string, taintKey = 'team') =>
    api.edit<Node>(nodes, { name }, (node) => {
      node.spec = { taints: [{ key: taintKey, effect }] }
    })
  const make = (spec: Partial<DaemonSetSpec> = {}) =>
    api.create<DaemonSet>(daemonSets, {
      metadata: { name: 'log', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'log' } },
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        template: { metadata: { labels: { app: 'log' } }, spec: { containers: [{ name: 'c', image: 'v1' }] } },
        ...spec,
      },
      status: { currentNumberScheduled: 0, desiredNumberScheduled: 0, numberMisscheduled: 0, numberReady: 0 },
    })
  const setImage = (image: string) =>
    api.edit(daemonSets, key, ({ spec, metadata }: Live<DaemonSet>) => {
      spec!.template.spec!.containers[0]!.image = image
      metadata.generation = (metadata.generation ?? 0) + 1
    })
  const standing = () => api.objects(daemonSets)[0]!
  /** Where pods are that are not being deleted: `n1:v1`. */
  const placed = () =>
    api
      .objects<Pod>(pods)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(({ spec }) => `${spec?.nodeName}:${spec?.containers[0]?.image}`)
      .sort()
  const on = (...names: string[]) => names.map((name) => `${name}:v1`)

  test('has a pod on every node, bound to it by name', async () => {
    await make()
    await clock.advance(5000)
    expect(placed()).toEqual(on('n1', 'n2', 'n3', 'n4'))
    expect(standing().status).toEqual({
      currentNumberScheduled: 4,
      desiredNumberScheduled: 4,
      numberAvailable: 4,
      numberMisscheduled: 0,
      numberReady: 4,
      observedGeneration: 1,
      updatedNumberScheduled: 4,
    })
    expect(told.map(({ reason }) => reason)).toEqual(Array.from({ length: 4 }, () => 'SuccessfulCreate'))
    const [pod] = api.objects<Pod>(pods)
    expect(pod?.spec?.tolerations).toContainEqual({
      key: 'node.kubernetes.io/unreachable',
      operator: 'Exists',
      effect: 'NoExecute',
    })
    expect(pod?.metadata.labels?.['controller-revision-hash']).toBe(
      api.objects(controllerRevisions)[0]?.metadata.labels?.['controller-revision-hash'],
    )
  })

  test.each([
    ['NoSchedule', 'team', on('n1', 'n2', 'n3', 'n4'), 1],
    ['NoExecute', 'team', on('n2', 'n3', 'n4'), 0],
    ['NoSchedule', 'node.kubernetes.io/unschedulable', on('n1', 'n2', 'n3', 'n4'), 0],
    ['NoExecute', 'node.kubernetes.io/not-ready', on('n1', 'n2', 'n3', 'n4'), 0],
  ])('a node that gets the taint %s %s', async (effect, taintKey, where, misscheduled) => {
    await make()
    await clock.advance(5000)
    taint('n1', effect, taintKey)
    await clock.advance(5000)
    expect(placed()).toEqual(where)
    expect(standing().status?.numberMisscheduled).toBe(misscheduled)
  })

  test('follows nodes that come, go, and change their labels', async () => {
    const template = {
      metadata: { labels: { app: 'log' } },
      spec: { containers: [{ name: 'c', image: 'v1' }], nodeSelector: { disk: 'ssd' } },
    }
    await make({ template })
    await clock.advance(3000)
    expect(placed()).toEqual([])
    await addNode('n5', [], { disk: 'ssd' })
    api.edit<Node>(nodes, { name: 'n1' }, ({ metadata }) => {
      metadata.labels = { disk: 'ssd' }
    })
    await clock.advance(3000)
    expect(placed()).toEqual(on('n1', 'n5'))
    api.edit<Node>(nodes, { name: 'n1' }, ({ metadata }) => {
      metadata.labels = {}
    })
    await clock.advance(3000)
    expect(placed()).toEqual(on('n5'))
  })

  test('updates one node after the other, never two without', async () => {
    await make()
    await clock.advance(5000)
    setImage('v2')
    let fewest = 4
    for (let i = 0; i < 60; i++) {
      await clock.advance(250)
      const ready = api
        .objects<Pod>(pods)
        .filter(({ metadata, status }) => !metadata.deletionTimestamp && status?.conditions?.[0]?.status === 'True')
      fewest = Math.min(fewest, ready.length)
    }
    expect(placed()).toEqual(['n1:v2', 'n2:v2', 'n3:v2', 'n4:v2'])
    expect(fewest).toBe(3)
  })

  test('with a surge, the new pod comes before the old one goes', async () => {
    await make({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 2 } } })
    await clock.advance(5000)
    setImage('v2')
    let fewest = 4
    let most = 4
    for (let i = 0; i < 60; i++) {
      await clock.advance(250)
      const ready = api
        .objects<Pod>(pods)
        .filter(({ metadata, status }) => !metadata.deletionTimestamp && status?.conditions?.[0]?.status === 'True')
      fewest = Math.min(fewest, new Set(ready.map(({ spec }) => spec?.nodeName)).size)
      most = Math.max(most, placed().length)
    }
    expect(placed()).toEqual(['n1:v2', 'n2:v2', 'n3:v2', 'n4:v2'])
    expect([fewest, most]).toEqual([4, 6])
  })

  test('a template that never works stops at one node', async () => {
    await make()
    await clock.advance(5000)
    setImage('broken')
    await clock.advance(60_000)
    expect(placed().filter((pod) => pod.endsWith('v1'))).toHaveLength(3)
    expect(standing().status).toMatchObject({ numberUnavailable: 1, updatedNumberScheduled: 1 })
  })

  test('on delete, replaces only what somebody deletes', async () => {
    await make({ updateStrategy: { type: 'OnDelete' } })
    await clock.advance(5000)
    setImage('v2')
    await clock.advance(5000)
    const victim = api.objects<Pod>(pods).find(({ spec }) => spec?.nodeName === 'n2')
    await api.delete(pods, victim!.metadata)
    await clock.advance(5000)
    expect(placed()).toEqual(['n1:v1', 'n2:v2', 'n3:v1', 'n4:v1'])
  })

  test('replaces a failed pod, and says so', async () => {
    await make()
    await clock.advance(5000)
    const failed = api.objects<Pod>(pods).find(({ spec }) => spec?.nodeName === 'n1')!
    api.edit<Pod>(pods, failed.metadata, (pod) => {
      pod.status = { ...pod.status, phase: 'Failed' }
    })
    await clock.advance(5000)
    expect(placed()).toEqual(on('n1', 'n2', 'n3', 'n4'))
    const message = `Found failed daemon pod default/${failed.metadata.name} on node n1, will try to kill it`
    expect(told).toContainEqual({ about: 'DaemonSet/log', type: 'Warning', reason: 'FailedDaemonPod', message })
  })

  test('what fails again and again is replaced more and more slowly', () => {
    const backoff = new Backoff()
    const waits = Array.from({ length: 12 }, () => {
      backoff.next('n1', 0)
      return backoff.remainingMs('n1', 0) / 1000
    })
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900])
    expect(backoff.remainingMs('n1', 899_999)).toBe(1)
    expect(backoff.remainingMs('n1', 900_000)).toBe(0)
    expect(backoff.remainingMs('n2', 0)).toBe(0)
  })
})
