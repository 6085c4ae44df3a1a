import { describe, expect, test } from 'vitest'
import type { Cache } from '../cache/cache.ts'
import { Nominations } from '../queue/nominations.ts'
import { type PodParts, podInfo } from '../testing/builders.ts'
import { nodeEvent, podEvent, type Scene, tryPlugin } from '../testing/try-plugin.ts'
import { newNodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { newNodeResourcesFit } from './node-resources-fit.ts'

const makeFit = (cache: Cache) => newNodeResourcesFit(cache.columns)
const makeBalanced = (cache: Cache) => newNodeResourcesBalancedAllocation(cache.columns)
const gpu = 'example.com/gpu'

describe('NodeResourcesFit', () => {
  const scene: Scene = {
    nodes: [{ name: 'a', cpu: '2', memory: '2Gi', pods: '2', allocatable: { [gpu]: '1', 'ephemeral-storage': '1Gi' } }],
    pods: [{ name: 'there', node: 'a', cpu: '1', memory: '1Gi' }],
  }

  test.each<[string, PodParts, string, string | undefined]>([
    ['what is left', { cpu: '1', memory: '1Gi' }, 'fits', undefined],
    ['more cpu than is left', { cpu: '1001m' }, 'Insufficient cpu', 'Unschedulable'],
    ['more cpu than there is', { cpu: '3' }, 'Insufficient cpu', 'UnschedulableAndUnresolvable'],
    ['too much of two', { cpu: '1500m', memory: '1500Mi' }, 'Insufficient cpu, Insufficient memory', 'Unschedulable'],
    [
      'too much storage',
      { requests: { 'ephemeral-storage': '2Gi' } },
      'Insufficient ephemeral-storage',
      'UnschedulableAndUnresolvable',
    ],
    ['an extended resource that is there', { requests: { [gpu]: '1' } }, 'fits', undefined],
    ['more of it than there is', { requests: { [gpu]: '2' } }, `Insufficient ${gpu}`, 'UnschedulableAndUnresolvable'],
    [
      'a resource that is not there',
      { requests: { 'example.com/fpga': '1' } },
      'Insufficient example.com/fpga',
      'UnschedulableAndUnresolvable',
    ],
    ['none of a resource that is not there', { requests: { 'example.com/fpga': '0' } }, 'fits', undefined],
    ['nothing', {}, 'fits', undefined],
  ])('a pod that asks for %s', (_what, parts, verdict, code) => {
    const fit = tryPlugin(makeFit, scene)
    expect(fit.verdicts(parts)).toEqual({ a: verdict })
    expect(fit.code(parts)).toBe(code)
  })

  test('a node takes no more pods than it says', () => {
    const full: Scene = { nodes: [{ name: 'a', pods: '1' }], pods: [{ name: 'there', node: 'a' }] }
    expect(tryPlugin(makeFit, full).verdicts({})).toEqual({ a: 'Too many pods' })
    expect(tryPlugin(makeFit, full).verdicts({ cpu: '64' })).toEqual({ a: 'Too many pods, Insufficient cpu' })
  })

  test('the node with the most left scores best, cpu and memory alike', () => {
    const { scores } = tryPlugin(makeFit, {
      nodes: [
        { name: 'empty', cpu: '4', memory: '1000' },
        { name: 'half', cpu: '4', memory: '1000' },
        { name: 'full', cpu: '4', memory: '1000' },
      ],
      pods: [
        { name: 'x', node: 'half', cpu: '1', memory: '500' },
        { name: 'y', node: 'full', cpu: '4', memory: '1000' },
      ],
    })
    // (75 + 75) / 2, (50 + 25) / 2 and nothing.
    expect(scores({ cpu: '1', memory: '250' })).toEqual({ empty: 75, half: 37, full: 0 })
  })

  test('pods that ask for nothing count as asking for a little', () => {
    const { scores } = tryPlugin(makeFit, {
      nodes: [
        { name: 'idle', cpu: '1', memory: '1000Mi' },
        { name: 'used', cpu: '1', memory: '1000Mi' },
      ],
      pods: [{ name: 'x', node: 'used' }],
    })
    expect(scores({})).toEqual({ idle: 85, used: 70 })
  })

  describe('a refused pod is worth another try', () => {
    const { isWorthATry } = tryPlugin(makeFit)
    const wants: PodParts = { uid: 'me', cpu: '2' }

    test.each<[boolean, string, ReturnType<typeof podEvent>]>([
      [true, 'a pod on a node goes', podEvent(undefined, { node: 'a' })],
      [true, 'a pod goes that was promised a node', podEvent(undefined, { status: { nominatedNodeName: 'a' } })],
      [false, 'a pod goes that had no node', podEvent(undefined, {})],
    ])('%s when %s', (expected, _what, objects) => {
      expect(isWorthATry(wants, 'Pod/Delete', objects)).toBe(expected)
    })

    test.each<[boolean, string, PodParts]>([
      [true, 'leaves room for it', { uid: 'me', cpu: '3' }],
      [false, 'leaves too little', { uid: 'me', cpu: '4' }],
      [false, 'leaves room that is promised to another', { uid: 'me', cpu: '2', priority: 5 }],
      [true, 'leaves room that is promised to a lesser one', { uid: 'me', cpu: '2', priority: 6 }],
      [true, 'leaves room that is promised to it', { uid: 'first', cpu: '3', priority: 5 }],
      [true, 'leaves others that may have to go, too', { uid: 'me', cpu: '4', priority: 7 }],
      [
        false,
        'leaves others that it may not send away',
        { uid: 'me', cpu: '4', priority: 7, preemptionPolicy: 'Never' },
      ],
    ])('%s when a pod that goes %s', (expected, _what, parts) => {
      const nominations = new Nominations()
      const { isWorthATry: isWorth } = tryPlugin(
        (cache) => newNodeResourcesFit(cache.columns, undefined, { cache, nominations }),
        {
          nodes: [{ name: 'a', cpu: '4' }],
          pods: [{ name: 'low', node: 'a', cpu: '1' }],
        },
      )
      if (parts.priority) nominations.set(podInfo({ name: 'first', uid: 'first', cpu: '3', priority: 5 }), 'a')
      expect(isWorth(parts, 'Pod/Delete', podEvent(undefined, { name: 'gone', node: 'a' }))).toBe(expected)
    })

    test.each<[boolean, string, ReturnType<typeof podEvent>]>([
      [true, 'less of what it wants', podEvent({ node: 'a', cpu: '1' }, { node: 'a', cpu: '2' })],
      [false, 'less of something else', podEvent({ node: 'a', memory: '1' }, { node: 'a', memory: '2' })],
      [true, 'less itself', podEvent({ uid: 'me', cpu: '1' }, { uid: 'me', cpu: '2' })],
      [false, 'less, without a node', podEvent({ cpu: '1' }, { cpu: '2' })],
    ])('%s when a pod asks for %s', (expected, _what, objects) => {
      expect(isWorthATry(wants, 'Pod/UpdateScaleDown', objects)).toBe(expected)
    })

    test.each<[boolean, string, ReturnType<typeof nodeEvent>]>([
      [true, 'a node comes that is large enough', nodeEvent({ cpu: '2' })],
      [false, 'a node comes that is too small', nodeEvent({ cpu: '1' })],
      [true, 'a node grows large enough', nodeEvent({ cpu: '2' }, { cpu: '1' })],
      [false, 'a node grows that stays too small', nodeEvent({ cpu: '1500m' }, { cpu: '1' })],
      [false, 'a large node gets more of what it does not want', nodeEvent({ memory: '9Gi' }, { memory: '8Gi' })],
      [true, 'a large node may have more pods', nodeEvent({ pods: '111' }, { pods: '110' })],
    ])('%s when %s', (expected, _what, objects) => {
      expect(isWorthATry(wants, 'Node/UpdateAllocatable', objects)).toBe(expected)
    })
  })
})

describe('NodeResourcesBalancedAllocation', () => {
  const nodes = ['a', 'b'].map((name) => ({ name, cpu: '10', memory: '1000' }))

  test('prefers the node that a pod brings into balance', () => {
    const { scores } = tryPlugin(makeBalanced, {
      nodes,
      pods: [
        { name: 'x', node: 'a', cpu: '5' },
        { name: 'y', node: 'b', memory: '500' },
      ],
    })
    // Much memory: a gets from 75 to 95, b from 75 to 55.
    expect(scores({ memory: '400' })).toEqual({ a: 85, b: 65 })
  })

  test('is about 75 where the balance stays', () => {
    expect(tryPlugin(makeBalanced, { nodes }).scores({ cpu: '1', memory: '100' })).toEqual({ a: 75, b: 75 })
  })

  test('says nothing about a pod that asks for nothing', () => {
    expect(tryPlugin(makeBalanced, { nodes }).scores({})).toEqual({ a: 0, b: 0 })
  })
})
