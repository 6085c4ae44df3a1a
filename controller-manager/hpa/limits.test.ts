import { describe, expect, test } from 'vitest'
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/generated/types.ts'
import { limit, limitByBehavior, stabilize, stabilizeByBehavior } from './limits.ts'
import { firstMemory, type Memory, recommended, scaled } from './memory.ts'

const now = 1_000_000_000
const ago = (seconds: number) => now - seconds * 1000
const asked = (...pairs: [replicas: number, secondsAgo: number][]): Memory => ({
  recommendations: pairs.map(([replicas, seconds]) => ({ replicas, atMs: ago(seconds) })),
  ups: [],
  downs: [],
})
const bounds = (currentReplicas: number, minReplicas = 1, maxReplicas = 100) => ({
  currentReplicas,
  minReplicas,
  maxReplicas,
})

describe('without a behavior', () => {
  test.each([
    ['nothing is remembered', asked(), 3, 3, 'ReadyForNewScale'],
    ['more was asked for a minute ago', asked([7, 60], [5, 30]), 3, 7, 'ScaleDownStabilized'],
    ['more was asked for before the window', asked([7, 301]), 3, 3, 'ReadyForNewScale'],
    ['more was asked for as the window began', asked([7, 300]), 3, 7, 'ScaleDownStabilized'],
    ['less was asked for', asked([1, 10]), 3, 3, 'ReadyForNewScale'],
  ])('%s', (_, memory, wanted, replicas, reason) => {
    expect(stabilize(memory, wanted, 300_000, now)).toMatchObject({ replicas, reason })
  })

  // current, minimum, maximum, wanted → allowed
  test.each([
    [3, 1, 10, 5, 5, 'DesiredWithinRange'],
    [1, 1, 10, 9, 4, 'ScaleUpLimit'],
    [3, 1, 10, 9, 6, 'ScaleUpLimit'],
    [5, 1, 10, 12, 10, 'TooManyReplicas'],
    [5, 1, 8, 9, 8, 'TooManyReplicas'],
    [5, 2, 8, 1, 2, 'TooFewReplicas'],
    [5, 2, 8, 2, 2, 'DesiredWithinRange'],
  ])('of %i within %i and %i, %i become %i: %s', (current, min, max, wanted, replicas, reason) => {
    expect(limit(bounds(current, min, max), wanted)).toMatchObject({ replicas, reason })
  })
})

describe('with a behavior', () => {
  const windows = (up: number, down: number | undefined): HorizontalPodAutoscalerBehavior => ({
    scaleUp: { stabilizationWindowSeconds: up },
    scaleDown: down === undefined ? {} : { stabilizationWindowSeconds: down },
  })
  test.each([
    ['no windows', windows(0, 0), asked([9, 1], [1, 1]), 5, 7, 7, 'ReadyForNewScale'],
    ['a dip within the window holds growth back', windows(60, 0), asked([6, 30]), 5, 8, 6, 'ScaleUpStabilized'],
    ['a dip below the size leaves it', windows(60, 0), asked([3, 30]), 5, 8, 5, 'ScaleUpStabilized'],
    ['a dip before the window', windows(60, 0), asked([6, 60]), 5, 8, 8, 'ReadyForNewScale'],
    ['a peak within the window keeps replicas', windows(0, 60), asked([4, 30]), 5, 2, 4, 'ScaleDownStabilized'],
    ['a peak before the window', windows(0, 60), asked([4, 61]), 5, 2, 2, 'ReadyForNewScale'],
    ['the usual window where none is named', windows(0, undefined), asked([4, 200]), 5, 2, 4, 'ScaleDownStabilized'],
  ])('%s', (_, behavior, memory, current, wanted, replicas, reason) => {
    expect(stabilizeByBehavior(memory, behavior, bounds(current), wanted, 300_000, now)).toMatchObject({
      replicas,
      reason,
    })
  })

  const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds })
  const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds })
  const grown = (change: number, seconds: number): Memory => ({ ...asked(), ups: [{ change, atMs: ago(seconds) }] })
  const shrunk = (change: number, seconds: number): Memory => ({ ...asked(), downs: [{ change, atMs: ago(seconds) }] })

  test.each<[string, HPAScalingRules, Memory, number, number, number, string]>([
    ['pods', { policies: [pods(2)] }, asked(), 5, 20, 7, 'ScaleUpLimit'],
    ['a part, rounded up', { policies: [percent(10)] }, asked(), 5, 20, 6, 'ScaleUpLimit'],
    ['the larger of two', { policies: [pods(2), percent(100)] }, asked(), 5, 20, 10, 'ScaleUpLimit'],
    [
      'the smaller of two',
      { selectPolicy: 'Min', policies: [pods(2), percent(100)] },
      asked(),
      5,
      20,
      7,
      'ScaleUpLimit',
    ],
    ['not at all', { selectPolicy: 'Disabled', policies: [pods(9)] }, asked(), 5, 20, 5, 'ScaleUpLimit'],
    ['what the period has left', { policies: [pods(3)] }, grown(2, 30), 5, 20, 6, 'ScaleUpLimit'],
    ['nothing when the period is spent', { policies: [pods(3)] }, grown(4, 30), 5, 20, 5, 'ScaleUpLimit'],
    ['again after the period', { policies: [pods(3)] }, grown(3, 60), 5, 20, 8, 'ScaleUpLimit'],
    ['and back to where it came from', { policies: [pods(3)] }, shrunk(4, 30), 5, 20, 12, 'ScaleUpLimit'],
    ['up to the maximum', { policies: [pods(50)] }, asked(), 5, 20, 15, 'TooManyReplicas'],
    ['what is wanted', { policies: [pods(50)] }, asked(), 5, 8, 8, 'DesiredWithinRange'],
  ])('grows by %s', (_, scaleUp, memory, current, wanted, replicas, reason) => {
    const got = limitByBehavior(memory, { scaleUp }, bounds(current, 1, 15), wanted, now)
    expect(got).toMatchObject({ replicas, reason })
  })

  test.each<[string, HPAScalingRules, Memory, number, number, number, string]>([
    ['pods', { policies: [pods(2)] }, asked(), 10, 1, 8, 'ScaleDownLimit'],
    ['a part, rounded down', { policies: [percent(15)] }, asked(), 10, 1, 8, 'ScaleDownLimit'],
    ['the larger of two', { policies: [pods(2), percent(50)] }, asked(), 10, 1, 5, 'ScaleDownLimit'],
    [
      'the smaller of two',
      { selectPolicy: 'Min', policies: [pods(2), percent(50)] },
      asked(),
      10,
      1,
      8,
      'ScaleDownLimit',
    ],
    ['not at all', { selectPolicy: 'Disabled', policies: [pods(9)] }, asked(), 10, 1, 10, 'ScaleDownLimit'],
    ['what the period has left', { policies: [pods(3)] }, shrunk(2, 30), 10, 1, 9, 'ScaleDownLimit'],
    ['nothing when the period is spent', { policies: [pods(3)] }, shrunk(5, 30), 10, 1, 10, 'ScaleDownLimit'],
    ['down to the minimum', { policies: [percent(100)] }, asked(), 10, 1, 2, 'TooFewReplicas'],
    ['what is wanted', { policies: [percent(100)] }, asked(), 10, 4, 4, 'DesiredWithinRange'],
  ])('shrinks by %s', (_, scaleDown, memory, current, wanted, replicas, reason) => {
    expect(limitByBehavior(memory, { scaleDown }, bounds(current, 2), wanted, now)).toMatchObject({ replicas, reason })
  })
})

describe('what is remembered', () => {
  const behavior: HorizontalPodAutoscalerBehavior = {
    scaleUp: { policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }] },
    scaleDown: { policies: [{ type: 'Percent', value: 100, periodSeconds: 60 }] },
  }

  test('begins with the size that was found', () => {
    expect(firstMemory(4, now)).toEqual({ recommendations: [{ replicas: 4, atMs: now }], ups: [], downs: [] })
  })

  test('is what was asked for, as long as a window may reach back', () => {
    const old = asked([1, 3601], [2, 3600])
    expect(recommended(old, 3, now, 300_000).recommendations.map(({ replicas }) => replicas)).toEqual([2, 3])
  })

  test('is what was done, as long as a policy looks back at it', () => {
    const before: Memory = { ...asked(), ups: [{ change: 1, atMs: ago(16) }], downs: [{ change: 1, atMs: ago(59) }] }
    expect(scaled(before, 2, 5, behavior, now).ups).toEqual([{ change: 3, atMs: now }])
    expect(scaled(before, 5, 3, behavior, now).downs).toHaveLength(2)
    expect(scaled(before, 5, 3, undefined, now)).toBe(before)
  })
})
