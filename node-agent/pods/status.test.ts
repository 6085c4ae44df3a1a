import { describe, expect, it } from 'vitest'
import type { PodStatus } from '../../api/generated/types.ts'
import { boundPod, container, observedPod, sandbox } from '../testing/builders.ts'
import type { StartFailure } from './container-status.ts'
import type { ObservedPod } from './observed.ts'
import { podStatus } from './status.ts'
import { statusPatch } from './status-writer.ts'
import type { BoundPod } from './types.ts'

const now = Date.parse('2026-01-02T03:04:05Z')

const statusOf = (
  pod: BoundPod,
  observed: ObservedPod,
  more: { before?: PodStatus; failures?: Map<string, StartFailure>; stopped?: boolean; ready?: boolean } = {},
) =>
  podStatus({
    pod,
    observed,
    before: more.before ?? {},
    failures: more.failures ?? new Map(),
    probes: { readiness: () => (more.ready === false ? 'failure' : 'success'), startup: () => undefined },
    runtimeName: 'containerd',
    hostIps: ['192.0.2.1'],
    now,
    stopped: more.stopped ?? false,
  })

const conditionsOf = (status: PodStatus) =>
  Object.fromEntries((status.conditions ?? []).map(({ type, status: value }) => [type, value]))

describe('phases', () => {
  const exited = (exitCode: number) => observedPod([{ name: 'main', state: 'exited', exitCode }])
  const cases: [string, BoundPod, ObservedPod, string][] = [
    ['nothing made yet', boundPod(), observedPod([], []), 'Pending'],
    ['running', boundPod(), observedPod([{ name: 'main' }]), 'Running'],
    ['ended and to be restarted', boundPod(), exited(1), 'Running'],
    ['well ended', boundPod({ spec: { restartPolicy: 'Never' } }), exited(0), 'Succeeded'],
    ['badly ended', boundPod({ spec: { restartPolicy: 'Never' } }), exited(1), 'Failed'],
    ['badly ended, retried', boundPod({ spec: { restartPolicy: 'OnFailure' } }), exited(1), 'Running'],
    ['initialising', boundPod({ spec: { initContainers: [container('a')] } }), observedPod([{ name: 'a' }]), 'Pending'],
    [
      'failed to initialise',
      boundPod({ spec: { restartPolicy: 'Never', initContainers: [container('a')] } }),
      observedPod([{ name: 'a', state: 'exited', exitCode: 1 }]),
      'Failed',
    ],
    [
      'finished, with its sidecar stopped',
      boundPod({ spec: { restartPolicy: 'Never', initContainers: [container('s', { restartPolicy: 'Always' })] } }),
      observedPod([
        { name: 'main', state: 'exited' },
        { name: 's', state: 'exited', exitCode: 137 },
      ]),
      'Succeeded',
    ],
  ]
  it.each(cases)('%s', (_, pod, observed, phase) => {
    expect(statusOf(pod, observed).phase).toBe(phase)
  })

  it('are final when the pod was stopped, whatever the restart policy', () => {
    expect(statusOf(boundPod(), exited(143), { stopped: true }).phase).toBe('Failed')
  })

  it('never leave a terminal one', () => {
    const pod = boundPod({ status: { phase: 'Failed' } })
    expect(statusOf(pod, observedPod([{ name: 'main' }])).phase).toBe('Failed')
  })
})

describe('containers', () => {
  it('tell what runs, and where', () => {
    const status = statusOf(boundPod(), observedPod([{ name: 'main', restartCount: 2 }]))
    expect(status.containerStatuses).toMatchObject([
      { name: 'main', containerID: 'containerd://main-2', ready: true, started: true, restartCount: 2 },
    ])
    expect(status).toMatchObject({ podIP: '10.244.0.5', hostIP: '192.0.2.1', qosClass: 'BestEffort' })
    expect(status.startTime).toBe('2026-01-02T03:04:05Z')
  })

  it('wait with the reason why they could not be started, and tell of their last end', () => {
    const failures = new Map([['main', { reason: 'CrashLoopBackOff', message: 'back-off 10s' }]])
    const observed = observedPod([{ name: 'main', state: 'exited', exitCode: 3, message: 'bad' }])
    expect(statusOf(boundPod(), observed, { failures }).containerStatuses).toMatchObject([
      {
        ready: false,
        state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
        lastState: { terminated: { exitCode: 3, reason: 'Error', message: 'bad' } },
      },
    ])
  })

  it('remember the one before', () => {
    const observed = observedPod([
      { name: 'main', restartCount: 1 },
      { name: 'main', state: 'exited', exitCode: 7, restartCount: 0 },
    ])
    expect(statusOf(boundPod(), observed).containerStatuses?.[0]?.lastState?.terminated?.exitCode).toBe(7)
  })

  it('that ran and were lost are not taken for new', () => {
    const before: PodStatus = statusOf(boundPod(), observedPod([{ name: 'main' }]))
    const [lost] = statusOf(boundPod(), observedPod([]), { before }).containerStatuses ?? []
    expect(lost).toMatchObject({
      restartCount: 1,
      lastState: { terminated: { reason: 'ContainerStatusUnknown', exitCode: 137 } },
    })
  })

  it('wait as upstream names it', () => {
    const plain = statusOf(boundPod(), observedPod([], []))
    expect(plain.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'ContainerCreating' } })
    const init = statusOf(boundPod({ spec: { initContainers: [container('a')] } }), observedPod([], []))
    expect(init.containerStatuses?.[0]?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  })
})

describe('conditions', () => {
  it('are all true for a pod that runs', () => {
    expect(conditionsOf(statusOf(boundPod(), observedPod([{ name: 'main' }])))).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    })
  })

  it('say which container is not ready', () => {
    const pod = boundPod({ spec: { containers: [container('main', { readinessProbe: { exec: {} } })] } })
    const status = statusOf(pod, observedPod([{ name: 'main' }]), { ready: false })
    expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [main]',
      observedGeneration: 1,
    })
  })

  it('wait for readiness gates, which others set', () => {
    const spec = { readinessGates: [{ conditionType: 'example.com/up' }] }
    const waiting = statusOf(boundPod({ spec }), observedPod([{ name: 'main' }]))
    expect(waiting.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe('ReadinessGatesNotReady')
    const conditions = [{ type: 'example.com/up', status: 'True' }]
    const open = statusOf(boundPod({ spec, status: { conditions } }), observedPod([{ name: 'main' }]))
    expect(conditionsOf(open)).toMatchObject({ Ready: 'True', 'example.com/up': 'True' })
  })

  it('keep their time as long as they stay', () => {
    const before: PodStatus = {
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2020-01-01T00:00:00Z' }],
    }
    const status = statusOf(boundPod(), observedPod([{ name: 'main' }]), { before })
    expect(status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime).toBe('2020-01-01T00:00:00Z')
  })

  it('say so when there is no sandbox', () => {
    const status = statusOf(boundPod(), observedPod([], [sandbox({ ready: false })]))
    expect(conditionsOf(status).PodReadyToStartContainers).toBe('False')
  })
})

describe('the patch from one status to the next', () => {
  it('is nothing for equal ones', () => {
    const status = statusOf(boundPod(), observedPod([{ name: 'main' }]))
    expect(statusPatch(status, structuredClone(status))).toBeUndefined()
  })

  it('takes away what a condition says no more, and conditions of a resize that is over', () => {
    const before: PodStatus = {
      conditions: [
        { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'x' },
        { type: 'PodResizePending', status: 'True' },
        { type: 'example.com/other', status: 'True' },
      ],
    }
    const after: PodStatus = { conditions: [{ type: 'Ready', status: 'True' }] }
    expect(statusPatch(before, after)).toEqual({
      conditions: [
        { type: 'Ready', status: 'True', reason: null, message: null },
        { $patch: 'delete', type: 'PodResizePending' },
      ],
    })
  })

  it('names only conditions that changed, and keeps what others wrote', () => {
    const before: PodStatus = {
      phase: 'Pending',
      reason: 'x',
      nominatedNodeName: 'n',
      conditions: [
        { type: 'Ready', status: 'False' },
        { type: 'PodScheduled', status: 'True' },
      ],
    }
    const after: PodStatus = {
      phase: 'Running',
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'PodScheduled', status: 'True' },
      ],
    }
    expect(statusPatch(before, after)).toEqual({
      phase: 'Running',
      reason: null,
      conditions: [{ type: 'Ready', status: 'True' }],
    })
  })
})
