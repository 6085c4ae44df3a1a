import { describe, expect, it } from 'vitest'
import type { Node, PodStatus } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { boundPod, container } from '../testing/builders.ts'
import { byTurn, judgeResize, type Waiting } from './judge.ts'

const node: Live<Node> = { metadata: { name: 'n1' }, status: { allocatable: { cpu: '2', memory: '2Gi', pods: '10' } } }
const asking = (name: string, cpu: string, { priority = 0, status }: { priority?: number; status?: PodStatus } = {}) =>
  boundPod({
    name,
    spec: { priority, containers: [container('main', { resources: { requests: { cpu, memory: '1Gi' } } })] },
    ...(status ? { status } : {}),
  })

describe('another size', () => {
  it('is granted while the node has room', () => {
    expect(judgeResize(asking('a', '1500m'), [asking('b', '500m')], node)).toEqual({ fits: true })
  })

  it('waits while others take the room', () => {
    expect(judgeResize(asking('a', '1501m'), [asking('b', '500m')], node)).toEqual({
      fits: false,
      reason: 'Deferred',
      message: "Node didn't have enough resource: cpu, requested: 1501, used: 500, capacity: 2000",
    })
  })

  it('is out of the question when it is more than the node has', () => {
    expect(judgeResize(asking('a', '3'), [], node)).toEqual({
      fits: false,
      reason: 'Infeasible',
      message: "Node didn't have enough capacity: cpu, requested: 3000, capacity: 2000",
    })
  })

  it('waits for what another is to give back and has not yet', () => {
    const holds = { requests: { cpu: '1', memory: '1Gi' } }
    const status: PodStatus = { containerStatuses: [{ name: 'main', resources: holds } as never] }
    expect(judgeResize(asking('a', '1500m'), [asking('b', '100m', { status })], node)).toMatchObject({ fits: false })
  })
})

describe('of several, the first is', () => {
  const waiting = (
    name: string,
    cpu: string,
    had: string,
    more: { priority?: number; since?: number } = {},
  ): Waiting => ({
    pod: asking(name, cpu, more),
    granted: asking(name, had),
    since: more.since,
  })
  it.each([
    ['who asks for no more', [waiting('more', '2', '1', { priority: 9 }), waiting('less', '1', '2')], 'less'],
    ['who is more important', [waiting('a', '2', '1'), waiting('b', '2', '1', { priority: 1 })], 'b'],
    ['who waits longer', [waiting('a', '2', '1', { since: 20 }), waiting('b', '2', '1', { since: 10 })], 'b'],
    ['who waits rather than who just came', [waiting('a', '2', '1'), waiting('b', '2', '1', { since: 10 })], 'b'],
  ])('%s', (_, list, first) => {
    expect(list.toSorted(byTurn)[0]?.pod.metadata.name).toBe(first)
  })
})
