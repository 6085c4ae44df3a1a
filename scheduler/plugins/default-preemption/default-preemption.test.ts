import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { FakeClock } from '../../../client/testing/fake-clock.ts'
import { Cache } from '../../cache/cache.ts'
import { CycleState } from '../../framework/cycle-state.ts'
import { Framework } from '../../framework/framework.ts'
import { refusalsByName } from '../../framework/node-refusals.ts'
import type { Diagnosis } from '../../framework/plugin.ts'
import { PodInfo } from '../../framework/pod-info.ts'
import type { Refusal } from '../../framework/refusal.ts'
import { Placement } from '../../placement.ts'
import { Nominations } from '../../queue/nominations.ts'
import { emptyWorld, node, type PodParts, pod } from '../../testing/builders.ts'
import { trimPod } from '../../trim.ts'
import { newNodeResourcesFit } from '../node-resources-fit.ts'
import { newDefaultPreemption } from './default-preemption.ts'

function scene(nodes: number) {
  const cache = new Cache(new FakeClock())
  const nominations = new Nominations()
  const victims: string[] = []
  const world = emptyWorld()
  const budgets = vi.spyOn(world, 'disruptionBudgets')
  let evicted = () => {}
  const preemption = newDefaultPreemption({
    cache,
    nominations,
    world,
    framework: () => framework,
    evict(_pod, _nodeName, chosen) {
      victims.push(...chosen.map(({ name }) => name))
      return new Promise((resolve) => (evicted = resolve))
    },
    activate: () => {},
    opened: () => {},
    random: () => 0,
    onAttempt: () => {},
  })
  const plugins = [newNodeResourcesFit(cache.columns), preemption]
  const framework: Framework = new Framework(
    plugins.map((plugin) => ({ plugin, weight: 1 })),
    nominations,
  )
  for (let i = 0; i < nodes; i++) cache.setNode(node({ name: `n${i}`, cpu: '2' }))
  const placement = new Placement(framework, cache, () => 0)
  let made = 0
  const make = (parts: PodParts) => {
    made++
    return new PodInfo(trimPod(pod({ name: `p${made}`, ...parts })))
  }
  /** The node that is nominated, and the pods that have to go. */
  const preempt = (info: PodInfo, diagnosis: Diagnosis) => {
    victims.length = 0
    const outcome = framework.postFilter(new CycleState(), info, diagnosis)
    if (outcome instanceof Promise) return undefined
    return { nominate: outcome.nominate, victims: [...victims], message: outcome.message }
  }
  return { cache, nominations, framework, placement, make, preempt, preemption, budgets, evicted: () => evicted() }
}

describe('while victims are asked to go', () => {
  test('the pod is not tried again before it is known that they do', async () => {
    const { cache, framework, make, placement, preempt, preemption, evicted } = scene(1)
    const low = make({ cpu: '2', priority: 1 }).on('n0')
    cache.setPod(low)
    const high = make({ cpu: '2', priority: 5 })
    const placed = placement.place(new CycleState(), high)
    if (!('misfit' in placed)) throw new Error('the pod has found room')
    expect(preempt(high, placed.misfit.diagnosis)).toMatchObject({ nominate: 'n0', victims: ['p1'] })
    expect(preemption.preEnqueue?.(high)).toBeDefined()
    evicted()
    await Promise.resolve()
    const worthATry = () => preemption.hints?.[0]?.worthATry?.(high, { pod: { before: low } })
    expect(preemption.preEnqueue?.(high)).toBeDefined()
    expect(worthATry()).toBe(false)
    cache.removePod(low.uid)
    expect(worthATry()).toBe(true)
    expect(preemption.preEnqueue?.(high)).toBeUndefined()
    expect(framework.queuePlugins.find(({ name }) => name === 'DefaultPreemption')?.hints?.[0]?.on).toContain(
      'Pod/Update',
    )
  })
})

test('no node is tried out for a pod that is more important than none', () => {
  const { cache, make, placement, preempt, budgets } = scene(3)
  for (const name of ['n0', 'n1', 'n2']) cache.setPod(make({ cpu: '2', priority: 5 }).on(name))
  const tryWith = (priority: number) => {
    const info = make({ cpu: '1', priority })
    const placed = placement.place(new CycleState(), info)
    return 'misfit' in placed ? preempt(info, placed.misfit.diagnosis) : undefined
  }
  const message = 'preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.'
  expect(tryWith(5)).toEqual({ nominate: '', victims: [], message })
  expect(budgets).not.toHaveBeenCalled()
  expect(tryWith(6)?.victims).toHaveLength(1)
  expect(budgets).toHaveBeenCalled()
})

test('victims are chosen anew when a node is promised to others, and for whom it is promised to', () => {
  const { cache, nominations, placement, make, preempt } = scene(1)
  for (const name of ['low', 'lower']) cache.setPod(make({ name, cpu: '1', priority: 1 }).on('n0'))
  const victimsOf = (info: PodInfo) => {
    const placed = placement.place(new CycleState(), info)
    return 'misfit' in placed ? preempt(info, placed.misfit.diagnosis)?.victims.length : undefined
  }
  const alike = () => make({ cpu: '1', priority: 5 })
  expect([victimsOf(alike()), victimsOf(alike())]).toEqual([1, 1])
  const other = make({ cpu: '1', priority: 9 })
  nominations.set(other, 'n0')
  expect([victimsOf(alike()), victimsOf(alike())]).toEqual([2, 2])
  nominations.delete(other.uid)
  expect(victimsOf(alike())).toBe(1)
  const own = alike()
  nominations.set(own, 'n0')
  expect([victimsOf(alike()), victimsOf(own), victimsOf(alike())]).toEqual([2, 1, 2])
})

test('victims are the same whether nodes were tried out before or not', () => {
  const step = fc.record({
    do: fc.constantFrom('run', 'run', 'stop', 'promise', 'preempt', 'preempt'),
    node: fc.nat(3),
    cpu: fc.constantFrom('500m', '1', '2'),
    priority: fc.nat(3),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { cache, nominations, framework, placement, make, preempt } = scene(4)
      const running: PodInfo[] = []
      for (const { do: what, node: at, cpu, priority } of steps) {
        const info = make({ cpu, priority: what === 'preempt' ? priority + 2 : priority })
        if (what === 'run') {
          const placed = info.on(`n${at}`)
          cache.setPod(placed)
          running.push(placed)
        } else if (what === 'stop') {
          const [gone] = running.splice(at, 1)
          if (gone) cache.removePod(gone.uid)
        } else if (what === 'promise') nominations.set(info, `n${at}`)
        else {
          const placed = placement.place(new CycleState(), info)
          if (!('misfit' in placed)) continue
          const perNode = new Map<string, Refusal>()
          for (const each of cache.nodes) {
            const refused = framework.filter(new CycleState(), info, each)
            if (refused) perNode.set(each.name, refused)
          }
          expect(preempt(info, placed.misfit.diagnosis)).toEqual(preempt(info, { perNode: refusalsByName(perNode) }))
        }
      }
    }),
  )
})
