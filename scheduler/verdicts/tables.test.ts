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
import { newPodTopologySpread } from '../plugins/pod-topology-spread/pod-topology-spread.ts'
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
    const placed = Array.from({ length: 3 }, () => place({ cpu: '100m' }))
    expect([placed[0]?.asked, placed[2]?.asked]).toEqual([50, 1])
    // One that is empty: it is the best then, whichever the others were put on.
    const other = ['n0', 'n1', 'n2', 'n3'].find((name) => placed.every(({ node }) => node !== name)) ?? ''
    cache.setNode(node({ name: other, cpu: '2' }))
    expect(place({ cpu: '100m' })).toEqual({ node: other, asked: 2 })
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

describe('a node that was promised to others', () => {
  const wants = { cpu: '600m', priority: 1 }
  function promisedScene(more: readonly Weighted[] = []) {
    const { cache, nominations, placement, make } = scene(2, more)
    const full = make({ cpu: '1' }).on('n1')
    cache.setPod(full)
    const placeFor = (info: PodInfo) => {
      const placed = placement.place(new CycleState(), info)
      return 'misfit' in placed ? undefined : placed.nodeName
    }
    const place = (parts: PodParts = wants) => placeFor(make(parts))
    expect([place(), place()]).toEqual(['n0', 'n0'])
    return { cache, nominations, make, place, placeFor, full }
  }

  test('is asked about again once it is promised to somebody else, or for another priority', () => {
    const { nominations, make, place } = promisedScene()
    const large = make({ cpu: '500m', priority: 5 })
    nominations.set(large, 'n0')
    expect([place(), place(), place({ ...wants, priority: 6 }), place()]).toEqual([
      undefined,
      undefined,
      'n0',
      undefined,
    ])
    nominations.delete(large.uid)
    nominations.set(make({ cpu: '200m', priority: 5 }), 'n0')
    expect([place(), place()]).toEqual(['n0', 'n0'])
    nominations.set(make({ cpu: '300m', priority: 5 }), 'n0')
    expect(place()).toBeUndefined()
  })

  test('is no hindrance to whom it was promised, and is one to others like it', () => {
    const { nominations, make, place, placeFor } = promisedScene()
    const own = make(wants)
    nominations.set(own, 'n0')
    expect([place(), placeFor(own), place()]).toEqual([undefined, 'n0', undefined])
  })

  test('is asked about again once it has changed', () => {
    const { cache, nominations, make, place } = promisedScene()
    nominations.set(make({ cpu: '500m', priority: 5 }), 'n0')
    expect(place()).toBeUndefined()
    cache.setNode(node({ name: 'n0', cpu: '2' }))
    expect(place()).toBe('n0')
  })

  test('is asked about each time where more than the node counts', () => {
    const cache = new Cache(new FakeClock())
    const nominations = new Nominations()
    const plugins = [newNodeResourcesFit(cache.columns), newPodTopologySpread(cache, emptyWorld())]
    const framework = new Framework(
      plugins.map((plugin) => ({ plugin, weight: 1 })),
      nominations,
    )
    const placement = new Placement(framework, cache)
    for (const zone of ['a', 'b']) {
      cache.setNode(node({ name: `n-${zone}`, cpu: '1', labels: { [zoneLabel]: zone } }))
    }
    const web = (name: string) =>
      new PodInfo(
        trimPod(
          pod({
            name,
            cpu: '100m',
            priority: 1,
            labels: { app: 'web' },
            topologySpreadConstraints: [
              {
                maxSkew: 1,
                topologyKey: zoneLabel,
                whenUnsatisfiable: 'DoNotSchedule',
                labelSelector: { matchLabels: { app: 'web' } },
              },
            ],
          }),
        ),
      )
    nominations.set(web('promised'), 'n-a')
    const place = (name: string) => {
      const placed = placement.place(new CycleState(), web(name))
      return 'misfit' in placed ? undefined : placed.feasible
    }
    expect([place('one'), place('two')]).toEqual([1, 1])
    cache.setPod(web('other').on('n-b'))
    // Beside the promised one there is room again: the other zone has one, too.
    expect(place('three')).toBe(1)
  })
})

const zoneLabel = 'topology.kubernetes.io/zone'

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
