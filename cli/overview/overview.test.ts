import { describe, expect, test } from 'vitest'
import type { ServedKind } from '../kinds.ts'
import type { NamedObject } from '../objects.ts'
import type { Subject } from '../workloads.ts'
import { overviewOf, type World } from './overview.ts'
import { overviewText } from './text.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')
const subject = (kind: string, group: string, object: object): Subject => ({
  kind: { kind, group, plural: `${kind.toLowerCase()}s` } as ServedKind,
  object: object as NamedObject,
})
const node = (name: string, ready: string) =>
  subject('Node', '', {
    metadata: { name },
    status: { allocatable: { cpu: '2', memory: '1Gi' }, conditions: [{ type: 'Ready', status: ready }] },
  })
const pod = (name: string, state: object, more: object = {}) =>
  subject('Pod', '', {
    metadata: { name, namespace: 'a', uid: name, labels: { app: 'web' }, ownerReferences: [{ uid: 'set' }], ...more },
    spec: { nodeName: 'n1', containers: [{ name: 'main', image: 'i', resources: { requests: { cpu: '500m' } } }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'main', image: 'i', ...state }] },
  })
const deployment = (name: string, status: object, generation = 1) =>
  subject('Deployment', 'apps', {
    metadata: { name, namespace: 'a', generation },
    spec: { replicas: 2, selector: { matchLabels: { app: name } } },
    status: { observedGeneration: generation, ...status },
  })
const running = { ready: true, state: { running: {} } }
const crashing = {
  ready: false,
  state: { waiting: { reason: 'CrashLoopBackOff' } },
  lastState: { terminated: { exitCode: 3 } },
}
const world = (more: Partial<World>): World => ({ nodes: [], pods: [], workloads: [], claims: [], events: [], ...more })

interface Around {
  fresh?: boolean
  used?: boolean
}

describe('a cluster in one screen', () => {
  test('counts nodes and pods, and what pods ask of a node', () => {
    const { nodes, pods } = overviewOf(
      world({ nodes: [node('n1', 'True'), node('n2', 'False')], pods: [pod('p1', running), pod('p2', running)] }),
      nowMs,
    )
    expect(nodes.map(({ health, cpu, pods: own }) => [health.text, cpu, own])).toEqual([
      ['Ready', 0.5, 2],
      ['NotReady', 0, 0],
    ])
    expect(pods).toEqual({ ready: 2, total: 2 })
  })

  test('says why a workload is not as it should be, and what to do', () => {
    const { troubles, rollouts } = overviewOf(
      world({
        workloads: [deployment('web', { replicas: 2, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1 })],
        pods: [pod('web-1', running), pod('web-2', crashing)],
      }),
      nowMs,
    )
    expect(rollouts).toEqual([])
    expect(troubles).toHaveLength(1)
    expect(troubles[0]?.why).toContain('gantry logs web-2 -n a -c main --previous')
  })

  test('tells a rollout under way from a fault', () => {
    const { troubles, rollouts } = overviewOf(
      world({
        workloads: [deployment('web', { replicas: 3, updatedReplicas: 1, readyReplicas: 2, availableReplicas: 2 })],
      }),
      nowMs,
    )
    expect(troubles).toEqual([])
    expect(rollouts.map(({ health }) => health.text)).toEqual(['2/2'])
  })

  test('shows a pod of nobody that fails, and a claim that waits', () => {
    const claim = subject('PersistentVolumeClaim', '', {
      metadata: { name: 'data', namespace: 'a' },
      status: { phase: 'Pending' },
    })
    const { troubles } = overviewOf(
      world({ pods: [pod('alone', crashing, { ownerReferences: [] })], claims: [claim] }),
      nowMs,
    )
    expect(troubles.map(({ subject: { object }, health }) => [object.metadata.name, health.state])).toEqual([
      ['alone', 'ill'],
      ['data', 'going'],
    ])
  })

  test.each([
    [{ storageClassName: 'fast' }, { fresh: true }, 'no space left'],
    [{}, {}, 'it names no storage class'],
    [{ storageClassName: 'fast' }, {}, 'no pod uses it'],
    [{ storageClassName: 'fast' }, { used: true }, 'gantry describe pvc data -n a'],
  ])('says why a claim of %j waits, with %j', (spec, { fresh = false, used = false }: Around, why) => {
    const claim = subject('PersistentVolumeClaim', '', {
      metadata: { name: 'data', namespace: 'a', uid: 'claim' },
      spec,
      status: { phase: 'Pending' },
    })
    const event = (seconds: string, message: string) =>
      ({
        metadata: { namespace: 'a' },
        type: 'Warning',
        involvedObject: { kind: 'PersistentVolumeClaim', uid: 'claim' },
        lastTimestamp: `2026-01-01T00:0${seconds}:00Z`,
        message,
      }) as World['events'][number]
    const user = subject('Pod', '', {
      metadata: { name: 'user', namespace: 'a', ownerReferences: [{ uid: 'set' }] },
      spec: { containers: [], volumes: [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }] },
    })
    const events = fresh ? [event('1', 'no such class'), event('2', 'no space left'), event('0', 'older')] : []
    const { troubles } = overviewOf(world({ claims: [claim], pods: used ? [user] : [], events }), nowMs)
    expect(troubles.find(({ subject: { object } }) => object.metadata.name === 'data')?.why).toContain(why)
  })

  test('gathers the warnings of the last minutes, the newest first, but for pods that have gone', () => {
    const event = (name: string, minute: number, count = 1) => ({
      type: 'Warning',
      reason: 'Failed',
      message: 'no\nway',
      count,
      lastTimestamp: `2026-01-01T00:0${minute}:00Z`,
      involvedObject: { kind: 'Pod', name, namespace: 'a' },
      metadata: { name: `${name}.${minute}` },
    })
    const gone = { ...event('gone', 9), involvedObject: { kind: 'Pod', name: 'gone', namespace: 'a', uid: 'gone' } }
    const all = [event('old', 0), event('web', 5, 2), event('web', 8), event('db', 9), gone]
    const events = all as unknown as World['events']
    const { warnings } = overviewOf(world({ events }), nowMs + 60 * 6000)
    expect(warnings.map(({ object, count }) => [object, count])).toEqual([
      ['pod/db', 1],
      ['pod/web', 3],
    ])
  })

  test('stays a screen however much there is', () => {
    const many = Array.from({ length: 50 }, (_, i) => node(`n${i}`, i === 40 ? 'False' : 'True'))
    const text = overviewText(overviewOf(world({ nodes: many }), nowMs), { nowMs, colour: false, most: 3 })
    expect(text.split('\n').slice(2, 7)).toEqual([
      'NODE   PODS   CPU   MEMORY   STATUS',
      'n40    0      0%    0%       NotReady',
      'n0     0      0%    0%       Ready',
      'n1     0      0%    0%       Ready',
      'and 47 more',
    ])
  })
})
