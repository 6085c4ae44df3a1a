import { describe, expect, test } from 'vitest'
import type { TopologySpreadConstraint } from '../../../api/generated/types.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import type { NodeParts, PodParts } from '../../testing/builders.ts'
import { podInfo } from '../../testing/builders.ts'
import { nodeEvent, podEvent, type Scene, tryPlugin } from '../../testing/try-plugin.ts'
import { newPodTopologySpread } from './pod-topology-spread.ts'

const zone = 'topology.kubernetes.io/zone'
const host = 'kubernetes.io/hostname'
const uneven = "node(s) didn't match pod topology spread constraints"
const noLabel = `${uneven} (missing required label)`
const web = { app: 'web' }

const inZone = (name: string, inside: string, more: NodeParts = {}): NodeParts => ({
  name,
  ...more,
  labels: { [zone]: inside, ...more.labels },
})
const webOn = (...nodes: string[]): PodParts[] => nodes.map((node, i) => ({ name: `web-${i}`, node, labels: web }))
const spread = (more: Partial<TopologySpreadConstraint> = {}): PodParts => ({
  labels: web,
  topologySpreadConstraints: [
    {
      maxSkew: 1,
      topologyKey: zone,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: web },
      ...more,
    },
  ],
})

describe('a hard constraint', () => {
  const nodes = [inZone('a', 'x'), inZone('b', 'x'), inZone('c', 'y'), { name: 'd' }]

  test.each<[string, PodParts[], PodParts, object]>([
    ['lets the first pod go anywhere with the label', [], spread(), { a: 'fits', b: 'fits', c: 'fits', d: noLabel }],
    ['keeps a zone from getting ahead', webOn('a'), spread(), { a: uneven, b: uneven, c: 'fits', d: noLabel }],
    [
      'lets a zone get ahead by as much as it allows',
      webOn('a'),
      spread({ maxSkew: 2 }),
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
    [
      'counts no pods of other namespaces',
      [{ name: 'x', namespace: 'other', node: 'a', labels: web }],
      spread(),
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
    [
      'counts no pods that are going',
      [{ name: 'x', node: 'a', labels: web, deletionTimestamp: 'now' }],
      spread(),
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
    [
      'counts no pods that its selector does not choose',
      [{ name: 'x', node: 'a', labels: { app: 'db' } }],
      spread(),
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
    [
      'counts the pod itself only where it is chosen',
      webOn('a'),
      { ...spread(), labels: {} },
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
    [
      'takes too few domains for one that is empty',
      webOn('a', 'c'),
      spread({ minDomains: 3 }),
      { a: uneven, b: uneven, c: uneven, d: noLabel },
    ],
    [
      'looks only at zones that the pod may go to',
      webOn('a'),
      { ...spread(), nodeSelector: { [zone]: 'x' } },
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
    [
      'looks at all zones where it is told so',
      webOn('a'),
      { ...spread({ nodeAffinityPolicy: 'Ignore' }), nodeSelector: { [zone]: 'x' } },
      { a: uneven, b: uneven, c: 'fits', d: noLabel },
    ],
    [
      'tells pods of two versions apart by a label key',
      [{ name: 'x', node: 'a', labels: { ...web, v: '1' } }],
      { ...spread({ matchLabelKeys: ['v'] }), labels: { ...web, v: '2' } },
      { a: 'fits', b: 'fits', c: 'fits', d: noLabel },
    ],
  ])('%s', (_what, pods, parts, expected) => {
    expect(tryPlugin(newPodTopologySpread, { nodes, pods }).verdicts(parts)).toEqual(expected)
  })

  test('with taints honoured leaves out zones that the pod cannot go to', () => {
    const taints = [{ key: 'gone', effect: 'NoSchedule' }]
    const scene: Scene = { nodes: [inZone('a', 'x'), inZone('b', 'y', { taints })], pods: webOn('a') }
    expect(tryPlugin(newPodTopologySpread, scene).verdicts(spread())).toEqual({ a: uneven, b: 'fits' })
    expect(tryPlugin(newPodTopologySpread, scene).verdicts(spread({ nodeTaintsPolicy: 'Honor' }))).toEqual({
      a: 'fits',
      b: 'fits',
    })
  })

  test('sees what would be if a pod went', () => {
    const { framework, cache } = tryPlugin(newPodTopologySpread, { nodes, pods: webOn('a') })
    const pod = podInfo(spread())
    const state = new CycleState()
    framework.preFilter(state, pod, cache.nodes)
    const [a] = cache.nodes.filter(({ name }) => name === 'a')
    const [victim] = a?.pods ?? []
    if (!a || !victim) throw new Error('the scene lacks its pod')
    const copy = state.copy()
    framework.removePod(copy, pod, victim, a)
    expect(framework.filter(copy, pod, a)).toBeUndefined()
    framework.addPod(copy, pod, victim, a)
    expect(framework.filter(copy, pod, a)?.reasons).toEqual([uneven])
    expect(framework.filter(state, pod, a)?.reasons).toEqual([uneven])
  })
})

describe('soft constraints', () => {
  const nodes = [inZone('a', 'x'), inZone('b', 'x'), inZone('c', 'y')]

  test('prefer the emptier zone', () => {
    const { scores } = tryPlugin(newPodTopologySpread, { nodes, pods: webOn('a', 'a') })
    expect(scores(spread({ whenUnsatisfiable: 'ScheduleAnyway' }))).toEqual({ a: 0, b: 0, c: 100 })
  })

  test('score nothing for nodes without the label', () => {
    const { scores } = tryPlugin(newPodTopologySpread, { nodes: [...nodes, { name: 'd' }], pods: webOn('a') })
    const { d, c } = scores(spread({ whenUnsatisfiable: 'ScheduleAnyway' }))
    expect([d, c]).toEqual([0, 100])
  })

  const owned: PodParts = {
    labels: { ...web, hash: '1' },
    metadata: {
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
    },
  }

  test('are there by default for pods of one controller: over hosts and zones', () => {
    const { scores } = tryPlugin(newPodTopologySpread, {
      nodes,
      pods: webOn('a'),
      world: { controllerSelector: () => ({ matchLabels: web }) },
    })
    const { a, b, c } = scores(owned) as { a: number; b: number; c: number }
    expect(c).toBe(100)
    expect(a).toBeLessThan(b)
    expect(b).toBeLessThan(c)
  })

  test('are there by default for pods of one service', () => {
    const { scores } = tryPlugin(newPodTopologySpread, {
      nodes,
      pods: webOn('a'),
      world: { serviceSelectors: () => [{ app: 'other' }, web] },
    })
    const { a, c } = scores({ labels: web }) as { a: number; c: number }
    expect(a).toBeLessThan(c)
  })

  test('count nobody where a service selects the pod, and its controller no longer does', () => {
    const world = { serviceSelectors: () => [web], controllerSelector: () => ({ matchLabels: { app: 'moved' } }) }
    const { scores } = tryPlugin(newPodTopologySpread, { nodes, pods: webOn('a', 'b'), world })
    expect(scores(owned)).toEqual({ a: 100, b: 100, c: 100 })
  })

  test('are those that an operator lists, hard ones among them', () => {
    const defaultConstraints = [{ topologyKey: zone, maxSkew: 1, whenUnsatisfiable: 'DoNotSchedule' }]
    const { verdicts, scores } = tryPlugin(
      (cache, world) => newPodTopologySpread(cache, world, { defaultConstraints, defaultingType: 'List' }),
      { nodes, pods: webOn('a'), world: { controllerSelector: () => ({ matchLabels: web }) } },
    )
    expect(verdicts(owned)).toEqual({ a: uneven, b: uneven, c: 'fits' })
    expect(scores(owned)).toEqual({ a: 0, b: 0, c: 0 })
  })

  test('are not there for a pod of its own', () => {
    const { scores } = tryPlugin(newPodTopologySpread, { nodes, pods: webOn('a') })
    expect(scores({ labels: web })).toEqual({ a: 0, b: 0, c: 0 })
  })
})

describe('a refused pod is worth another try', () => {
  const { isWorthATry } = tryPlugin(newPodTopologySpread)
  const me: PodParts = { uid: 'me', ...spread() }
  const there: PodParts = { name: 'there', uid: 'there', node: 'a', labels: web }

  test.each<[boolean, string, ReturnType<typeof podEvent>]>([
    [true, 'a pod that counts goes', podEvent(undefined, there)],
    [false, 'a pod of another namespace goes', podEvent(undefined, { ...there, namespace: 'other' })],
    [false, 'a pod that does not count goes', podEvent(undefined, { ...there, labels: {} })],
    [true, 'a pod no longer counts', podEvent({ ...there, labels: {} }, there)],
    [false, 'a pod counts as before', podEvent({ ...there, labels: { ...web, x: 'y' } }, there)],
  ])('%s when %s', (expected, _what, objects) => {
    expect(isWorthATry(me, 'Pod/Delete', objects)).toBe(expected)
  })

  test.each<[boolean, string, ReturnType<typeof nodeEvent>]>([
    [true, 'a node of a zone comes', nodeEvent(inZone('n', 'x'))],
    [false, 'a node of no zone comes', nodeEvent({})],
    [true, 'a node moves', nodeEvent(inZone('n', 'y'), inZone('n', 'x'))],
    [false, 'a node stays where it is', nodeEvent(inZone('n', 'x', { labels: { k: 'v' } }), inZone('n', 'x'))],
    [true, 'a node of a zone goes', nodeEvent(undefined, inZone('n', 'x'))],
  ])('%s when %s', (expected, _what, objects) => {
    expect(isWorthATry(me, 'Node/UpdateLabel', objects)).toBe(expected)
  })
})

test('hosts are domains of their own', () => {
  const scene: Scene = { nodes: [{ name: 'a' }, { name: 'b' }], pods: webOn('a') }
  expect(tryPlugin(newPodTopologySpread, scene).verdicts(spread({ topologyKey: host }))).toEqual({
    a: uneven,
    b: 'fits',
  })
})
