import { describe, expect, test } from 'vitest'
import { readNodeSample } from './exposition.ts'
import { usageBetween } from './rates.ts'

const told = `# HELP node_cpu_usage_seconds_total words
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total 100.5 10000
node_memory_working_set_bytes 4.2e+09 10000
container_cpu_usage_seconds_total{container="c",namespace="default",pod="web"} 3.25 9900
container_memory_working_set_bytes{container="c",namespace="default",pod="web"} 1048576 9900
container_start_time_seconds{container="c",namespace="default",pod="web"} 5
container_cpu_usage_seconds_total{container="half",namespace="default",pod="silent"} 1 9900
container_cpu_usage_seconds_total{container="c",namespace="default",pod="silent"} 1 9900
container_memory_working_set_bytes{container="c",namespace="default",pod="silent"} 1 9900
container_swap_usage_bytes{container="c",namespace="default",pod="web"} 0 9900
pod_cpu_usage_seconds_total{namespace="default",pod="web"} 3.25 9900
`

test('what a node agent tells is read; a pod of which a container is silent is unknown', () => {
  expect(readNodeSample(told, 0)).toEqual({
    node: { cpuSeconds: 100.5, memoryBytes: 4.2e9, timeMs: 10_000 },
    pods: new Map([
      ['default/web', new Map([['c', { cpuSeconds: 3.25, memoryBytes: 1048576, timeMs: 9900, startedMs: 5000 }]])],
    ]),
  })
})

test('a value without a time is of now, and an answer of something else is refused', () => {
  expect(readNodeSample('node_cpu_usage_seconds_total 1\nnode_memory_working_set_bytes 2\n', 77).node.timeMs).toBe(77)
  expect(() => readNodeSample('hello', 0)).toThrow('it does not tell what its node uses')
})

describe('the rate', () => {
  const sample = (timeMs: number, cpuSeconds: number, startedMs?: number) => ({
    timeMs,
    cpuSeconds,
    memoryBytes: 9,
    ...(startedMs === undefined ? {} : { startedMs }),
  })
  const nodeWith = (timeMs: number, container?: ReturnType<typeof sample>) => ({
    node: sample(timeMs, timeMs / 2000),
    pods: new Map(container ? [['ns/p', new Map([['c', container]])]] : []),
  })
  const of = (before: ReturnType<typeof sample> | undefined, now: ReturnType<typeof sample>) =>
    usageBetween(nodeWith(0, before), nodeWith(now.timeMs, now)).pods.get('ns/p')?.get('c')

  test.each([
    ['between two samples', sample(0, 5), sample(10_000, 8), { cpuCores: 0.3, windowMs: 10_000 }],
    ['since the start of one that is new', undefined, sample(10_000, 2, 6000), { cpuCores: 0.5, windowMs: 4000 }],
    [
      'since the start of one that started again',
      sample(0, 50),
      sample(10_000, 2, 6000),
      { cpuCores: 0.5, windowMs: 4000 },
    ],
    ['unknown for one that is new', undefined, sample(10_000, 2), undefined],
    ['unknown right after the start', undefined, sample(10_000, 2, 9500), undefined],
    ['unknown where nothing was measured since', sample(10_000, 5), sample(10_000, 5), undefined],
  ])('%s', (_, before, now, expected) => {
    const got = of(before, now)
    if (expected) expect(got).toMatchObject({ ...expected, memoryBytes: 9, timeMs: 10_000 })
    else expect(got).toBeUndefined()
  })

  test('of the node itself', () => {
    expect(usageBetween(nodeWith(0), nodeWith(4000)).node).toMatchObject({ cpuCores: 0.5, windowMs: 4000 })
  })
})
