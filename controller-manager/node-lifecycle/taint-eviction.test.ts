import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Node, Pod, Taint, Toleration } from '../../api/generated/types.ts'
import { nodes, pods } from '../../client/resources.ts'
import { type Running, run } from '../testing/run.ts'
import { mayStaySeconds, newTaintEvictionController, tolerates } from './taint-eviction.ts'

const taint: Taint = { key: 'evict', value: 'yes', effect: 'NoExecute' }

describe('a toleration', () => {
  test.each<[Toleration, boolean]>([
    [{ key: 'evict', value: 'yes', effect: 'NoExecute' }, true],
    [{ key: 'evict', value: 'yes' }, true],
    [{ key: 'evict', operator: 'Exists' }, true],
    [{ operator: 'Exists' }, true],
    [{ key: 'evict', value: 'no' }, false],
    [{ key: 'other', operator: 'Exists' }, false],
    [{ key: 'evict', operator: 'Exists', effect: 'NoSchedule' }, false],
    [{}, false],
  ])('%j', (toleration, fits) => {
    expect(tolerates(toleration, taint)).toBe(fits)
  })

  test('of several for a time, the shortest counts, and every taint needs one', () => {
    const forSeconds = (tolerationSeconds: number) => ({ ...taint, operator: 'Equal', tolerationSeconds })
    expect(mayStaySeconds([forSeconds(60), forSeconds(30)], [taint])).toBe(30)
    expect(mayStaySeconds([{ operator: 'Exists' }], [taint])).toBe(Number.POSITIVE_INFINITY)
    expect(mayStaySeconds([forSeconds(60)], [taint, { key: 'other', effect: 'NoExecute' }])).toBe(0)
  })
})

describe('pods on a tainted node', () => {
  let running: Running
  beforeEach(async () => {
    running = await run(newTaintEvictionController)
    await running.api.create<Node>(nodes, { metadata: { name: 'n' }, spec: {} })
  })
  afterEach(() => running.stop())

  const pod = (name: string, tolerationSeconds?: number) =>
    running.api.create<Pod>(pods, {
      metadata: { name, namespace: 'default' },
      spec: {
        nodeName: 'n',
        containers: [],
        ...(tolerationSeconds === undefined ? {} : { tolerations: [{ ...taint, tolerationSeconds }] }),
      },
    })
  const taints = (list: Taint[]) =>
    running.api.patch(nodes, { name: 'n' }, { type: 'merge', body: { spec: { taints: list } } })
  const going = () =>
    running.api
      .objects<Pod>(pods)
      .filter(({ metadata }) => metadata.deletionTimestamp)
      .map(({ metadata }) => metadata.name)

  test('go at once without a toleration, and later when theirs ends, each with the reason noted', async () => {
    await pod('none')
    await pod('short', 5)
    await pod('long', 60)
    await taints([taint])
    await running.clock.advance(1000)
    expect(going()).toEqual(['none'])
    expect(running.api.objects<Pod>(pods)[0]?.status?.conditions).toMatchObject([
      { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' },
    ])
    expect(running.told).toContainEqual({
      about: 'Pod/none',
      type: 'Normal',
      reason: 'TaintManagerEviction',
      message: 'Marking for deletion Pod default/none',
    })
    await running.clock.advance(5000)
    expect(going().sort()).toEqual(['none', 'short'])
  })

  test('stay when the taint is removed before their time ends', async () => {
    await pod('patient', 30)
    await taints([taint])
    await running.clock.advance(20_000)
    await taints([])
    await running.clock.advance(60_000)
    expect(going()).toEqual([])
    expect(running.told.map(({ message }) => message)).toContain('Cancelling deletion of Pod default/patient')
  })
})
