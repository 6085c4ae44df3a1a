import { describe, expect, it } from 'vitest'
import { replicationControllers } from '../core/replicationcontroller.ts'
import type { JsonValue } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { AnyObject } from '../machinery/object.ts'
import type { RequestContext, Resource } from '../machinery/resource.ts'
import { controllerRevisions } from './controllerrevision.ts'
import { daemonSets } from './daemonset.ts'
import { deployments } from './deployment.ts'
import { replicaSets } from './replicaset.ts'
import { statefulSets } from './statefulset.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
type Spec = Record<string, unknown>

const template = (labels: object = { app: 'a' }, spec: object = {}) => ({
  metadata: { labels },
  spec: { containers: [{ name: 'c', image: 'web:1' }], ...spec },
})
const workload = (kind: Resource, spec: Spec = {}, more: object = {}): AnyObject => {
  const object: AnyObject = {
    metadata: { name: 'a', namespace: 'ns' },
    spec: { selector: { matchLabels: { app: 'a' } }, template: template(), ...spec },
    ...more,
  }
  kind.defaults?.(object)
  return object
}
const faults = (kind: Resource, spec: Spec, old?: Spec) =>
  (kind.validate?.(workload(kind, spec), old && workload(kind, old), ctx) ?? []).map(formatFieldError)
const statusFaults = (kind: Resource, status: object, old: object = {}) =>
  (kind.validateStatus?.(workload(kind, {}, { status }), workload(kind, {}, { status: old }), ctx) ?? []).map(
    formatFieldError,
  )

const kinds: [string, Resource, string, string][] = [
  ['Deployment', deployments, 'deployment', 'ReplicaSet'],
  ['ReplicaSet', replicaSets, 'deployment', 'ReplicaSet'],
  ['StatefulSet', statefulSets, 'statefulset', 'StatefulSet'],
  ['DaemonSet', daemonSets, 'daemonset', 'DaemonSet'],
]

describe.each(kinds)('a %s', (_, kind, word, podsOf) => {
  it('is sound when its selector finds its pods', () => {
    expect(faults(kind, {})).toEqual([])
  })

  it('needs pods that its selector finds', () => {
    expect(faults(kind, { template: template({ app: 'b' }) })).toEqual([
      'spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`',
    ])
    expect(faults(kind, { selector: {} })).toEqual([
      `spec.selector: Invalid value: {}: empty selector is invalid for ${word}`,
    ])
  })

  it('keeps its pods running', () => {
    const spec = { restartPolicy: 'Never', activeDeadlineSeconds: 5 }
    expect(faults(kind, { template: template({ app: 'a' }, spec) })).toEqual([
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      `spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ${podsOf} is not Supported`,
    ])
  })

  it('keeps its selector', () => {
    const labels = { app: 'a', b: 'c' }
    const next = { selector: { matchLabels: labels }, template: template(labels) }
    const found = faults(kind, next, { template: template(labels) })
    expect(found).toEqual([
      kind === statefulSets
        ? "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
        : 'spec.selector: Invalid value: {"matchLabels":{"app":"a","b":"c"}}: field is immutable',
    ])
  })

  it('has defaults', () => {
    expect(workload(kind).spec).toMatchSnapshot()
  })

  it('fills a line', () => {
    const object = workload(kind)
    const cells = (kind.columns ?? []).map((column) => [column.name, column.value(object, 0)])
    expect(Object.fromEntries(cells)).toMatchSnapshot()
  })
})

describe('the strategy of a deployment', () => {
  const path = 'spec.strategy.rollingUpdate'
  it.each<[object, string[]]>([
    [{ type: 'Recreate' }, []],
    [
      { type: 'Recreate', rollingUpdate: {} },
      [`${path}: Forbidden: may not be specified when strategy \`type\` is 'Recreate'`],
    ],
    [
      { type: 'Slow' },
      ['spec.strategy: Unsupported value: {"type":"Slow"}: supported values: "Recreate", "RollingUpdate"'],
    ],
    [
      { rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } },
      [`${path}.maxUnavailable: Invalid value: 0: may not be 0 when \`maxSurge\` is 0`],
    ],
    [
      { rollingUpdate: { maxUnavailable: '0%', maxSurge: '0%' } },
      [`${path}.maxUnavailable: Invalid value: "0%": may not be 0 when \`maxSurge\` is 0`],
    ],
    [
      { rollingUpdate: { maxUnavailable: '101%' } },
      [`${path}.maxUnavailable: Invalid value: "101%": must not be greater than 100%`],
    ],
    [{ rollingUpdate: { maxSurge: -1 } }, [`${path}.maxSurge: Invalid value: -1: must be greater than or equal to 0`]],
  ])('%j', (strategy, expected) => {
    expect(faults(deployments, { strategy })).toEqual(expected)
  })

  it('stops a rollout only in steps that make sense, and only where it rolls', () => {
    const annotation = 'gantry.dev/rollout-steps'
    const stepFaults = (steps: string, spec: Spec = {}) => {
      const metadata = { name: 'a', namespace: 'ns', annotations: { [annotation]: steps } }
      return (deployments.validate?.(workload(deployments, spec, { metadata }), undefined, ctx) ?? []).map(
        formatFieldError,
      )
    }
    const good = '[{"hold": "25%", "probe": "http://web"}]'
    expect(stepFaults(good)).toEqual([])
    expect(stepFaults('[{"hold": "25%"}]')).toEqual([
      `metadata.annotations[${annotation}][0]: Required value: must ask something: probe or prometheus`,
    ])
    expect(stepFaults(good, { strategy: { type: 'Recreate' } })).toEqual([
      `metadata.annotations[${annotation}]: Forbidden: may not be specified unless strategy \`type\` is 'RollingUpdate'`,
    ])
  })

  it('must make progress before its pods count as available', () => {
    expect(faults(deployments, { progressDeadlineSeconds: 5, minReadySeconds: 5 })).toEqual([
      'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
    ])
  })

  it('is looked at again when annotations change', () => {
    const old = workload(deployments)
    const now = workload(deployments)
    old.metadata.generation = 4
    now.metadata = { ...old.metadata, annotations: { a: 'b' } }
    deployments.strategy.prepareForUpdate?.(now, old, ctx)
    expect(now.metadata.generation).toBe(5)
  })
})

describe('the update strategy of a daemon set', () => {
  const path = 'spec.updateStrategy.rollingUpdate'
  it.each<[object, string[]]>([
    [{ type: 'OnDelete' }, []],
    [{ rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }, []],
    [
      { rollingUpdate: { maxUnavailable: 1, maxSurge: 1 } },
      [`${path}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`],
    ],
    [
      { rollingUpdate: { maxUnavailable: 0 } },
      [`${path}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`],
    ],
  ])('%j', (updateStrategy, expected) => {
    expect(faults(daemonSets, { updateStrategy })).toEqual(expected)
  })

  it('counts its templates in an annotation', () => {
    const key = 'deprecated.daemonset.template.generation'
    const old = workload(daemonSets)
    daemonSets.strategy.prepareForCreate?.(old, ctx)
    expect(old.metadata.annotations).toEqual({ [key]: '1' })
    const scaled = workload(daemonSets, { minReadySeconds: 3 })
    daemonSets.strategy.prepareForUpdate?.(scaled, old, ctx)
    expect(scaled.metadata.annotations).toEqual({ [key]: '1' })
    const changed = workload(daemonSets, { template: template({ app: 'a', v: '2' }) })
    daemonSets.strategy.prepareForUpdate?.(changed, old, ctx)
    expect(changed.metadata.annotations).toEqual({ [key]: '2' })
  })
})

describe('a stateful set', () => {
  const claim = {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  }
  const mounting = template(
    { app: 'a' },
    { containers: [{ name: 'c', image: 'web:1', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] },
  )
  it('mounts what it claims', () => {
    expect(faults(statefulSets, { template: mounting, volumeClaimTemplates: [claim] })).toEqual([])
    expect(faults(statefulSets, { template: mounting })).toEqual([
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
    ])
  })

  it.each<[Spec, string[]]>([
    [
      { podManagementPolicy: 'Random' },
      ["spec.podManagementPolicy: Invalid value: \"Random\": must be 'OrderedReady' or 'Parallel'"],
    ],
    [
      { updateStrategy: { type: 'OnDelete', rollingUpdate: {} } },
      ["spec.updateStrategy.rollingUpdate: Invalid value: {}: only allowed for updateStrategy 'RollingUpdate'"],
    ],
    [
      { replicas: -1, ordinals: { start: -1 } },
      [
        'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        'spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0',
      ],
    ],
    [
      { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Ask' } },
      [
        'spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Ask": supported values: "Retain", "Delete"',
      ],
    ],
    [
      { volumeClaimTemplates: [{ metadata: { name: 'd' }, spec: {} }] },
      [
        'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
        'spec.volumeClaimTemplates[0].spec.resources[storage]: Required value',
      ],
    ],
  ])('%j', (spec, expected) => {
    expect(faults(statefulSets, spec)).toEqual(expected)
  })
})

describe('reported counts', () => {
  it.each<[string, Resource, object, object, string[]]>([
    ['fewer than all', deployments, { replicas: 3, readyReplicas: 2, availableReplicas: 1 }, {}, []],
    [
      'more ready than there are',
      deployments,
      { replicas: 1, readyReplicas: 2 },
      {},
      ['status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas'],
    ],
    [
      'more available than ready',
      replicaSets,
      { replicas: 2, availableReplicas: 1 },
      {},
      ['status.availableReplicas: Invalid value: 1: cannot be greater than readyReplicas'],
    ],
    [
      'the same of a stateful set',
      statefulSets,
      { replicas: 2, availableReplicas: 1 },
      {},
      ['status.availableReplicas: Invalid value: 1: cannot be greater than status.readyReplicas'],
    ],
    [
      'fewer than none',
      daemonSets,
      { numberReady: -1 },
      {},
      ['status.numberReady: Invalid value: -1: must be greater than or equal to 0'],
    ],
    [
      'fewer collisions',
      deployments,
      { collisionCount: 1 },
      { collisionCount: 2 },
      ['status.collisionCount: Invalid value: 1: cannot be decremented'],
    ],
  ])('may be %s, or not', (_, kind, status, old, expected) => {
    expect(statusFaults(kind, status, old)).toEqual(expected)
  })
})

describe('a replication controller', () => {
  it('takes selector and labels from its template', () => {
    const object: AnyObject = { metadata: { name: 'a' }, spec: { template: template() } }
    replicationControllers.defaults?.(object)
    expect(object).toMatchObject({ metadata: { labels: { app: 'a' } }, spec: { selector: { app: 'a' }, replicas: 1 } })
    expect(replicationControllers.validate?.(object, undefined, ctx)).toEqual([])
  })

  it('needs a template', () => {
    const object: AnyObject = { metadata: { name: 'a' }, spec: { selector: { a: 'b' } } }
    replicationControllers.defaults?.(object)
    expect(replicationControllers.validate?.(object, undefined, ctx).map(formatFieldError)).toEqual([
      'spec.template: Required value',
    ])
  })
})

describe('a controller revision', () => {
  const revision = (
    data: JsonValue | undefined,
    number = 1,
  ): Parameters<NonNullable<typeof controllerRevisions.validate>>[0] => ({
    metadata: { name: 'a' },
    revision: number,
    ...(data === undefined ? {} : { data }),
  })
  it.each<[JsonValue | undefined, number, string[]]>([
    [{ spec: {} }, 1, []],
    [undefined, 1, ['data: Required value: data is mandatory']],
    [
      [1],
      -1,
      [
        'revision: Invalid value: -1: must be greater than or equal to 0',
        'data: Required value: data must be a valid JSON object',
      ],
    ],
  ])('holding %j', (data, number, expected) => {
    expect(controllerRevisions.validate?.(revision(data, number), undefined, ctx).map(formatFieldError)).toEqual(
      expected,
    )
  })

  it('keeps its data', () => {
    const errors = controllerRevisions.validate?.(revision({ a: 1 }), revision({ a: 2 }), ctx) ?? []
    expect(errors.map(formatFieldError)).toEqual(['data: Invalid value: {"a":1}: field is immutable'])
  })
})
