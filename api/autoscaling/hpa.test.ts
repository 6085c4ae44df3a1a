import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cells, defaulted, faults } from '../machinery/kind-testing.ts'
import type { AnyObject } from '../machinery/object.ts'
import { hpaFromV1, hpaToV1 } from './hpa-v1.ts'
import { horizontalPodAutoscalers as kind, validateScale } from './index.ts'

const hpa = (spec: object = {}, status?: object) => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, ...spec },
  ...(status ? { status } : {}),
})
const resource = (name: string, target: object) => ({ type: 'Resource', resource: { name, target } })

describe('defaults of an autoscaler', () => {
  it('one replica at least, 80% of CPU', () => {
    expect(defaulted(kind, hpa()).spec).toMatchObject({
      minReplicas: 1,
      metrics: [resource('cpu', { type: 'Utilization', averageUtilization: 80 })],
    })
  })

  it('complete a behavior that is there, and keep what it says', () => {
    const { behavior } = defaulted(kind, hpa({ behavior: { scaleDown: { stabilizationWindowSeconds: 60 } } })).spec as {
      behavior: unknown
    }
    expect(behavior).toEqual({
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [
          { type: 'Pods', value: 4, periodSeconds: 15 },
          { type: 'Percent', value: 100, periodSeconds: 15 },
        ],
      },
      scaleDown: {
        stabilizationWindowSeconds: 60,
        selectPolicy: 'Max',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
      },
    })
  })
})

describe('validation of an autoscaler', () => {
  const target = { type: 'Value', value: '10' }
  it.each([
    ['a sound one', hpa(), []],
    [
      'less than no replicas',
      hpa({ minReplicas: -1 }),
      ['spec.minReplicas: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'no replicas',
      hpa({ minReplicas: 0 }),
      [
        'spec.metrics: Forbidden: must specify at least one Object or External metric to support scaling to zero replicas',
      ],
    ],
    [
      'no maximum',
      hpa({ maxReplicas: undefined }),
      [
        'spec.maxReplicas: Required value: must be set and greater than 0',
        'spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`',
      ],
    ],
    [
      'a maximum below the minimum',
      hpa({ minReplicas: 6 }),
      ['spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`'],
    ],
    [
      'a target without group',
      hpa({ scaleTargetRef: { apiVersion: 'v1', kind: 'Pod', name: 'x' } }),
      ['spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group'],
    ],
    [
      'a replication controller',
      hpa({ scaleTargetRef: { apiVersion: 'v1', kind: 'ReplicationController', name: 'x' } }),
      [],
    ],
    [
      'a version with two slashes',
      hpa({ scaleTargetRef: { apiVersion: 'a/b/c', kind: 'X', name: 'x' } }),
      ['spec.scaleTargetRef.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c'],
    ],
    [
      'an unknown metric',
      hpa({ metrics: [{ type: 'Foo' }] }),
      Array(2).fill(
        'spec.metrics[0].type: Unsupported value: "Foo": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
      ),
    ],
    [
      'a metric without source',
      hpa({ metrics: [{ type: 'Pods' }] }),
      ['spec.metrics[0].pods: Required value: must populate information for the given metric source'],
    ],
    [
      'a metric with two sources',
      hpa({
        metrics: [
          {
            ...resource('cpu', target),
            type: 'External',
            external: { metric: { name: 'q' }, target },
          },
        ],
      }),
      ['spec.metrics[0].resource: Forbidden: must populate the given metric source only'],
    ],
    [
      'a target of nothing',
      hpa({ metrics: [resource('cpu', { type: 'Utilization', averageUtilization: 0 })] }),
      ['spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0'],
    ],
    [
      'a policy without effect',
      hpa({ behavior: { scaleUp: { policies: [{ type: 'X', value: 0, periodSeconds: 1801 }] } } }),
      [
        'spec.behavior.scaleUp.policies[0].type: Unsupported value: "X": supported values: "Percent", "Pods"',
        'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
        'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
      ],
    ],
    [
      'a window that is too long',
      hpa({ behavior: { scaleDown: { stabilizationWindowSeconds: 3601 } } }),
      ['spec.behavior.scaleDown.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600'],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(kind, object)).toEqual(expected)
  })

  it('an autoscaler may scale to zero by a metric that there is without pods', () => {
    const metrics = [{ type: 'External', external: { metric: { name: 'q' }, target } }]
    expect(faults(kind, hpa({ minReplicas: 0, metrics }))).toEqual([])
  })

  it('a scale asks for no negative number', () => {
    expect(validateScale({ metadata: {}, spec: { replicas: -1 } })).toMatchObject([{ field: 'spec.replicas' }])
    expect(validateScale({ metadata: {}, spec: { replicas: 0 } })).toEqual([])
  })
})

describe('autoscaling/v1', () => {
  it('shows CPU as a field and the rest as annotations, as upstream writes them', () => {
    const v1 = hpaToV1(
      hpa(
        {
          metrics: [
            resource('memory', { type: 'AverageValue', averageValue: '1Gi' }),
            resource('cpu', { type: 'Utilization', averageUtilization: 70 }),
          ],
          behavior: { scaleDown: { selectPolicy: 'Min', policies: [{ type: 'Pods', value: 1, periodSeconds: 60 }] } },
        },
        { desiredReplicas: 2, conditions: [{ type: 'AbleToScale', status: 'True', reason: 'Ready' }] },
      ) as unknown as AnyObject,
    )
    expect(v1).toMatchObject({
      apiVersion: 'autoscaling/v1',
      spec: { targetCPUUtilizationPercentage: 70, maxReplicas: 5 },
      status: { desiredReplicas: 2, currentReplicas: 0 },
    })
    const annotation = (name: string) =>
      JSON.parse(v1.metadata.annotations?.[`autoscaling.alpha.kubernetes.io/${name}`] ?? '')
    expect(annotation('metrics')).toEqual([
      { type: 'Resource', resource: { name: 'memory', targetAverageValue: '1Gi' } },
    ])
    expect(annotation('behavior')).toEqual({
      ScaleUp: null,
      ScaleDown: {
        StabilizationWindowSeconds: null,
        SelectPolicy: 'Min',
        Policies: [{ Type: 'Pods', Value: 1, PeriodSeconds: 60 }],
        Tolerance: null,
      },
    })
    expect(annotation('conditions')).toEqual([
      { type: 'AbleToScale', status: 'True', lastTransitionTime: null, reason: 'Ready' },
    ])
  })

  it.each([
    ['not JSON', '{'],
    ['another type', '{"a":1}'],
    ['a wrong field', '[{"type":1}]'],
  ])('ignores an annotation that is %s', (_, text) => {
    const object = {
      metadata: { annotations: { 'autoscaling.alpha.kubernetes.io/metrics': text, mine: 'x' } },
      spec: hpa().spec,
    }
    const v2 = defaulted(kind, hpaFromV1(object as unknown as AnyObject))
    expect(v2.spec).toMatchObject({ metrics: [resource('cpu', { type: 'Utilization', averageUtilization: 80 })] })
    expect(v2.metadata.annotations).toEqual({ mine: 'x' })
  })

  const quantity = fc.integer({ min: 1, max: 999 }).map(String)
  const name = fc.constantFrom('memory', 'gpu', 'queue')
  const metricId = fc.record({ name }, { requiredKeys: ['name'] })
  const withSelector = fc.record({ name, selector: fc.constant({ matchLabels: { a: 'b' } }) })
  const id = fc.oneof(metricId, withSelector)
  const value = quantity.map((v) => ({ type: 'Value', value: v }))
  const average = quantity.map((averageValue) => ({ type: 'AverageValue', averageValue }))
  const utilization = fc
    .integer({ min: 1, max: 100 })
    .map((averageUtilization) => ({ type: 'Utilization', averageUtilization }))
  const described = fc.constant({ apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' })
  const metric = fc.oneof(
    fc
      .record({ metric: id, target: fc.oneof(value, average), describedObject: described })
      .map((object) => ({ type: 'Object', object })),
    fc.record({ metric: id, target: fc.oneof(value, average) }).map((external) => ({ type: 'External', external })),
    fc.record({ metric: id, target: average }).map((pods) => ({ type: 'Pods', pods })),
    fc.record({ name, target: fc.oneof(average, utilization) }).map((r) => ({ type: 'Resource', resource: r })),
    fc
      .record({
        name: fc.constantFrom('cpu', 'memory'),
        container: fc.constant('app'),
        target: fc.oneof(average, utilization),
      })
      .map((r) => ({ type: 'ContainerResource', containerResource: r })),
  )
  const current = fc.record({ averageValue: quantity, averageUtilization: fc.nat(100) }, { requiredKeys: [] })
  const status = fc.oneof(
    fc.record({ name, current }).map((r) => ({ type: 'Resource', resource: r })),
    fc
      .record({ metric: id, current: fc.record({ value: quantity, averageValue: quantity }, { requiredKeys: [] }) })
      .map((external) => ({ type: 'External', external })),
  )
  const rules = fc.record(
    {
      stabilizationWindowSeconds: fc.nat(3600),
      selectPolicy: fc.constantFrom('Min', 'Max', 'Disabled'),
      policies: fc.array(
        fc.record({ type: fc.constantFrom('Pods', 'Percent'), value: fc.nat(9), periodSeconds: fc.nat(60) }),
        { maxLength: 2 },
      ),
      tolerance: fc.constantFrom('100m', '0'),
    },
    { requiredKeys: [] },
  )
  const arbitraryHpa = fc
    .record({
      metrics: fc.array(metric, { maxLength: 3 }),
      cpu: fc.option(utilization, { nil: undefined }),
      behavior: fc.option(fc.record({ scaleUp: rules, scaleDown: rules }, { requiredKeys: [] }), { nil: undefined }),
      currentMetrics: fc.array(status, { minLength: 1, maxLength: 2 }),
    })
    .map(({ metrics, cpu, behavior, currentMetrics }) =>
      hpa(
        // v1 has CPU last.
        { metrics: cpu ? [...metrics, resource('cpu', cpu)] : metrics, ...(behavior ? { behavior } : {}) },
        {
          desiredReplicas: 1,
          currentReplicas: 1,
          currentMetrics,
          conditions: [{ type: 'ScalingActive', status: 'True' }],
        },
      ),
    )

  it('loses nothing on the way there and back', () => {
    fc.assert(
      fc.property(arbitraryHpa, (object) => {
        const v2 = defaulted(kind, { apiVersion: 'autoscaling/v2', ...object })
        const before = structuredClone(v2)
        const back = defaulted(kind, hpaFromV1(JSON.parse(JSON.stringify(hpaToV1(v2 as unknown as AnyObject)))))
        expect(v2).toEqual(before)
        expect(back).toEqual(v2)
      }),
      { numRuns: 200 },
    )
  })

  it('has defaults that change nothing the second time', () => {
    fc.assert(
      fc.property(arbitraryHpa, (object) => {
        const once = defaulted(kind, object)
        expect(defaulted(kind, once)).toEqual(once)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the table of autoscalers', () => {
  it('shows two metrics and counts the rest', () => {
    const metrics = [
      resource('cpu', { type: 'Utilization', averageUtilization: 80 }),
      { type: 'Pods', pods: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '10' } } },
      resource('memory', { type: 'AverageValue', averageValue: '1Gi' }),
    ]
    const currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12 } } }]
    expect(cells(kind, hpa({ metrics }, { desiredReplicas: 1, currentReplicas: 2, currentMetrics }))).toMatchObject({
      Reference: 'Deployment/web',
      Targets: 'cpu: 12%/80%, <unknown>/10 + 1 more...',
      MinPods: '1',
      MaxPods: 5,
      Replicas: 2,
    })
  })
})
