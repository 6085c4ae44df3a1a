import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { Cache } from '../cache/cache.ts'
import { CycleState } from '../framework/cycle-state.ts'
import { Framework } from '../framework/framework.ts'
import type { Plugin } from '../framework/plugin.ts'
import { PodInfo } from '../framework/pod-info.ts'
import type { Weighted } from '../framework/points.ts'
import { Placement } from '../placement.ts'
import { newInterPodAffinity } from '../plugins/inter-pod-affinity/inter-pod-affinity.ts'
import { nodePorts } from '../plugins/node-ports.ts'
import { newNodeResourcesFit } from '../plugins/node-resources-fit.ts'
import { Nominations } from '../queue/nominations.ts'
import { emptyWorld, node, type PodParts, pod } from '../testing/builders.ts'
import { trimPod } from '../trim.ts'

function scene(nodes: number, more: readonly Weighted[] = []) {
  const cache = new Cache(new FakeClock())
  const nominations = new Nominations()
  const asked: string[] = []
  const fit = newNodeResourcesFit(cache.columns)
  const watched: Plugin = {
    ...fit,
    filter(state, info, each) {
      asked.push(each.name)
      return fit.filter?.(state, info, each)
    },
  }
  const plugins = [watched, nodePorts, newInterPodAffinity(cache, emptyWorld())]
  const framework = new Framework([...plugins.map((plugin) => ({ plugin, weight: 1 })), ...more], nominations)
  const placement = new Placement(framework, cache)
  for (let i = 0; i < nodes; i++) cache.setNode(node({ name: `n${i}`, cpu: '1' }))
  let made = 0
  const make = (parts: PodParts = {}) => {
    made++
    return new PodInfo(trimPod(pod({ ...parts, name: `p${made}` })))
  }
  /** The name of the node, and how many nodes were asked about. */
  const place = (parts: PodParts = {}) => {
    asked.length = 0
    const info = make(parts)
    const placed = placement.place(new CycleState(), info)
    if (!('misfit' in placed)) cache.assume(info.on(placed.nodeName))
    return { node: 'misfit' in placed ? undefined : placed.nodeName, asked: asked.length }
  }
  return { cache, nominations, framework, placement, make, place }
}

describe('of pods that are alike', () => {
  test('only nodes that have changed are asked about', () => {
    const { cache, place } = scene(50)
    expect(place({ cpu: '100m' }).asked).toBe(50)
    place({ cpu: '100m' })
    expect(place({ cpu: '100m' }).asked).toBe(1)
    cache.setNode(node({ name: 'n7', cpu: '2' }))
    expect(place({ cpu: '100m' })).toEqual({ node: 'n7', asked: 2 })
  })

  test('all nodes are asked about where a plugin looks at more than can be kept', () => {
    const nosy: Plugin = { name: 'Nosy', filter: () => undefined }
    const { place } = scene(50, [{ plugin: nosy, weight: 1 }])
    for (let i = 0; i < 3; i++) expect(place({ cpu: '100m' }).asked).toBe(50)
  })

  test('those with other resources are not alike', () => {
    const { place } = scene(2)
    for (let i = 0; i < 4; i++) expect(place({ cpu: '400m' }).node).toBeDefined()
    expect(place({ cpu: '400m' }).node).toBeUndefined()
    for (let i = 0; i < 4; i++) expect(place({ cpu: '100m' }).node).toBeDefined()
    expect(place({ cpu: '100m' }).node).toBeUndefined()
  })

  test('one that a changed pod on a node now minds is kept off it', () => {
    const { cache, make, place } = scene(1)
    for (let i = 0; i < 3; i++) expect(place({ labels: { app: 'a' } }).node).toBe('n0')
    const shy = make(minding('a'))
    cache.setPod(shy.on('n0'))
    expect(place({ labels: { app: 'a' } }).node).toBeUndefined()
    cache.removePod(shy.uid)
    expect(place({ labels: { app: 'a' } }).node).toBe('n0')
  })

  test('those with other labels are not alike to pods that mind them', () => {
    const { cache, make, place } = scene(2)
    cache.setPod(make(minding('a')).on('n0'))
    cache.setPod(make(minding('b')).on('n1'))
    for (let i = 0; i < 3; i++) {
      expect(place({ labels: { app: 'a' } }).node).toBe('n1')
      expect(place({ labels: { app: 'b' } }).node).toBe('n0')
    }
  })
})

/** Pods that are on no host with those of an app. */
function minding(app: string): PodParts {
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } }
  return { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } }
}

test('nodes that others have been promised are chosen from as if each were asked about', () => {
  const step = fc.record({
    do: fc.constantFrom('place', 'place', 'promise', 'forget'),
    cpu: fc.constantFrom('200m', '500m'),
    port: fc.constantFrom(0, 0, 80),
    priority: fc.nat(2),
    node: fc.nat(3),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { cache, nominations, framework, placement, make } = scene(4)
      const promised: PodInfo[] = []
      for (const { do: what, cpu, port, priority, node: at } of steps) {
        if (what === 'forget') {
          const [pod] = promised.splice(at, 1)
          if (pod) nominations.delete(pod.uid)
          continue
        }
        const ports = port > 0 ? { ports: [{ containerPort: port, hostPort: port }] } : {}
        const container = { name: 'c', resources: { requests: { cpu } }, ...ports }
        const info = make({ containers: [container], priority })
        if (what === 'promise') {
          nominations.set(info, `n${at}`)
          promised.push(info)
          continue
        }
        const state = new CycleState()
        framework.preFilter(state, info, cache.nodes)
        const feasible = cache.nodes.filter((each) => !framework.filter(state, info, each))
        const totals = [...framework.score(state, info, feasible).totals]
        const placed = placement.place(new CycleState(), info)
        if ('misfit' in placed) {
          expect(feasible).toEqual([])
          const { perNode } = placed.misfit.diagnosis
          const told = [...perNode.alike()].flatMap(({ refusal, examples }) =>
            examples(9).map((name) => [name, refusal.reasons]),
          )
          expect(Object.fromEntries(told)).toEqual(
            Object.fromEntries(cache.nodes.map(({ name }) => [name, perNode.get(name)?.reasons])),
          )
          continue
        }
        expect(placed.feasible).toBe(feasible.length)
        const chosen = feasible.findIndex(({ name }) => name === placed.nodeName)
        expect(totals[chosen]).toBe(Math.max(...totals))
        cache.assume(info.on(placed.nodeName))
      }
    }),
  )
})
