import { describe, expect, it } from 'vitest'
import { boundPod, container, observedPod } from '../testing/builders.ts'
import { boundsIn } from './carry-out.ts'
import { type Bounds, type PodBounds, planResize, type ResizePlan, resizeSteps, shrinkFault } from './plan.ts'

const mi = 2 ** 20
const amounts = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } })
const runs = (bounds: Partial<Bounds>) => ({
  cpuPeriod: 100_000,
  cpuShares: 102,
  cpuQuota: 10_000,
  memoryLimitInBytes: 64 * mi,
  ...bounds,
})
const planFor = (pod: ReturnType<typeof boundPod>, observed: ReturnType<typeof observedPod>) =>
  planResize(pod, observed, boundsIn(pod, 2 ** 33))

describe('what running containers lack', () => {
  const of = (resources: object, more: object = {}) =>
    boundPod({ spec: { containers: [container('main', { resources, ...more })] } })

  it('is nothing while the runtime holds them to what was granted', () => {
    const plan = planFor(of(amounts('100m', '64Mi')), observedPod([{ name: 'main', resources: runs({}) }]))
    expect(plan).toEqual({ restart: new Set(), change: [] })
  })

  it('is told by the kernel’s numbers', () => {
    const plan = planFor(of(amounts('200m', '128Mi')), observedPod([{ name: 'main', resources: runs({}) }]))
    expect(plan.change).toEqual([
      {
        id: 'main-0',
        name: 'main',
        has: { cpuShares: 102, cpuQuota: 10_000, memoryLimitInBytes: 64 * mi },
        wants: { cpuShares: 204, cpuQuota: 20_000, memoryLimitInBytes: 128 * mi },
      },
    ])
  })

  it('is nothing for one that does not run, or of which the runtime tells nothing', () => {
    const pod = of(amounts('200m', '128Mi'))
    for (const seen of [{ state: 'exited' as const, resources: runs({}) }, {}]) {
      expect(planFor(pod, observedPod([{ name: 'main', ...seen }])).change).toEqual([])
    }
  })

  const restarts = { resizePolicy: [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }] }
  it.each([
    ['memory', amounts('100m', '128Mi'), ['main']],
    [
      'a memory request, of which the kernel knows nothing',
      { ...amounts('100m', '64Mi'), requests: { cpu: '100m', memory: '32Mi' } },
      ['main'],
    ],
    ['the processor alone', amounts('200m', '64Mi'), []],
  ])('asks for a new start by its policy after a change of %s', (_, resources, expected) => {
    const madeWith = amounts('100m', '64Mi')
    const plan = planFor(of(resources, restarts), observedPod([{ name: 'main', resources: runs({}), madeWith }]))
    expect([...plan.restart]).toEqual(expected)
    expect(plan.change).toHaveLength(expected.length === 0 ? 1 : 0)
  })
})

describe('the order of changes', () => {
  const change = (name: string, has: Partial<Bounds>, wants: Partial<Bounds>) => {
    const base = { cpuShares: 100, cpuQuota: 100, memoryLimitInBytes: 100 }
    return { id: name, name, has: { ...base, ...has }, wants: { ...base, ...wants } }
  }
  const of = (plan: ResizePlan['change'], has: Partial<PodBounds>, wants: Partial<PodBounds>) => {
    const base = { cpuShare: 100, cpuQuota: 100, memoryBytes: 100 }
    return resizeSteps({ restart: new Set(), change: plan }, { ...base, ...has }, { ...base, ...wants }).map((step) =>
      step.do === 'limit pod'
        ? Object.entries(step.bounds).flat().join(' ')
        : `${step.name} ${Object.values(step.bounds).join('/')}`,
    )
  }

  it('makes room in the pod before a container grows', () => {
    const grows = change('a', {}, { cpuShares: 200, cpuQuota: 200, memoryLimitInBytes: 200 })
    expect(of([grows], {}, { cpuShare: 200, cpuQuota: 200, memoryBytes: 200 })).toEqual([
      'memoryBytes 200',
      'a 100/100/200',
      'cpuQuota 200',
      'cpuShare 200',
      'a 200/200/200',
    ])
  })

  it('takes room from the pod after its container has shrunk', () => {
    const shrinks = change('a', {}, { cpuShares: 50, cpuQuota: 50, memoryLimitInBytes: 50 })
    expect(of([shrinks], {}, { cpuShare: 50, cpuQuota: 50, memoryBytes: 50 })).toEqual([
      'a 100/100/50',
      'memoryBytes 50',
      'a 50/50/50',
      'cpuShare 50',
      'cpuQuota 50',
    ])
  })

  it('lets those that give back go first', () => {
    const changes = [
      change('grows', {}, { memoryLimitInBytes: 150 }),
      change('shrinks', {}, { memoryLimitInBytes: 50 }),
    ]
    expect(of(changes, {}, {})).toEqual(['shrinks 100/100/50', 'grows 100/100/150'])
  })

  it('takes no limit for more than any', () => {
    expect(of([], { memoryBytes: 0 }, {})).toEqual(['memoryBytes 100'])
    expect(of([change('a', { cpuQuota: 0 }, {})], { cpuQuota: 0 }, {})).toEqual(['a 100/100/100', 'cpuQuota 100'])
  })
})

describe('less memory', () => {
  const plan = {
    restart: new Set<string>(),
    change: [{ id: 'a', name: 'a', has: bounds(200), wants: bounds(100) }],
  }
  function bounds(memoryLimitInBytes: number): Bounds {
    return { cpuShares: 2, cpuQuota: 0, memoryLimitInBytes }
  }
  const pod = (memoryBytes: number): PodBounds => ({ cpuShare: 2, cpuQuota: 0, memoryBytes })
  const fault = (ofPod: number, ofContainer: number) =>
    shrinkFault(plan, pod(200), pod(100), { pod: ofPod, containers: new Map([['a', ofContainer]]) })

  it('is given when it suffices for what is in use', () => {
    expect(fault(99, 99)).toBeUndefined()
  })

  it('is refused when more is in use', () => {
    expect(fault(99, 100)).toBe(
      'cannot decrease memory limits: attempting to set container "a" memory limit (100) below current usage (100)',
    )
    expect(fault(150, 150)).toMatch(
      /^cannot decrease memory limits: \[attempting to set pod memory limit \(100\) below/,
    )
  })
})
