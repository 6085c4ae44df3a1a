import { describe, expect, it } from 'vitest'
import { boundPod, container, observedPod, sandbox } from '../testing/builders.ts'
import { type PodPlan, planPod } from './plan.ts'
import type { ProbeVerdicts } from './steps.ts'

const noProbes: ProbeVerdicts = { liveness: () => undefined, startup: () => undefined }
const hashOf = () => 'h'
const plan = (
  ...[pod, observed, probes = noProbes]: [Parameters<typeof planPod>[0], Parameters<typeof planPod>[1], ProbeVerdicts?]
) => planPod(pod, observed, probes, hashOf)

const starts = ({ start }: PodPlan) => start.map(({ role, index }) => `${role} ${index}`)
const kills = ({ kill }: PodPlan) => kill.map(({ name, message }) => `${name}: ${message}`)

describe('the sandbox', () => {
  it('is made for a new pod, together with its first containers', () => {
    const result = plan(boundPod(), observedPod([], []))
    expect(result).toMatchObject({ createSandbox: true, attempt: 0, sandboxId: undefined })
    expect(starts(result)).toEqual(['container 0'])
  })

  it('is made anew when it has gone, is not alone, or lost its network', () => {
    for (const sandboxes of [
      [sandbox({ ready: false })],
      [sandbox({ id: 'b', attempt: 1 }), sandbox()],
      [sandbox({ ips: [] })],
      [sandbox({ hostNetwork: true })],
    ]) {
      const result = plan(boundPod(), observedPod([{ name: 'main' }], sandboxes))
      expect(result).toMatchObject({ createSandbox: true, killPod: true })
      expect(result.attempt).toBe((sandboxes[0]?.attempt ?? 0) + 1)
    }
  })

  it('is not made anew for a pod that runs once and has run', () => {
    const pod = boundPod({ spec: { restartPolicy: 'Never' } })
    const result = plan(pod, observedPod([{ name: 'main', state: 'exited' }], [sandbox({ ready: false })]))
    expect(result).toMatchObject({ createSandbox: false, killPod: true, start: [] })
  })

  it('begins with the first init container again', () => {
    const pod = boundPod({ spec: { initContainers: [container('a'), container('b')] } })
    const gone = observedPod([{ name: 'a', state: 'exited', sandboxId: 'old' }], [sandbox({ ready: false })])
    expect(starts(plan(pod, gone))).toEqual(['init 0'])
  })
})

describe('regular containers', () => {
  const cases: [string, string, number, string[]][] = [
    ['Always', 'exited', 0, ['container 0']],
    ['Always', 'exited', 1, ['container 0']],
    ['OnFailure', 'exited', 1, ['container 0']],
    ['OnFailure', 'exited', 0, []],
    ['Never', 'exited', 1, []],
    ['Always', 'running', 0, []],
    ['Always', 'created', 0, ['container 0']],
  ]
  it.each(cases)('restart policy %s, %s with code %i', (restartPolicy, state, exitCode, expected) => {
    const pod = boundPod({ spec: { restartPolicy } })
    const observed = observedPod([{ name: 'main', state: state as 'exited', exitCode }])
    expect(starts(plan(pod, observed))).toEqual(expected)
  })

  it('follow their own rules before the pod’s policy', () => {
    const rules = [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }]
    const main = container('main', { restartPolicy: 'Never', restartPolicyRules: rules })
    const pod = boundPod({ spec: { restartPolicy: 'Never', containers: [main] } })
    expect(starts(plan(pod, observedPod([{ name: 'main', state: 'exited', exitCode: 42 }])))).toEqual(['container 0'])
    expect(starts(plan(pod, observedPod([{ name: 'main', state: 'exited', exitCode: 1 }])))).toEqual([])
  })

  it('are stopped and started again when liveness fails', () => {
    const result = plan(boundPod(), observedPod([{ name: 'main' }]), { ...noProbes, liveness: () => 'failure' })
    expect(kills(result)).toEqual(['main: Container main failed liveness probe, will be restarted'])
    expect(starts(result)).toEqual(['container 0'])
  })

  it('are only stopped when liveness fails and nothing is restarted', () => {
    const pod = boundPod({ spec: { restartPolicy: 'Never' } })
    const result = plan(pod, observedPod([{ name: 'main' }]), { ...noProbes, liveness: () => 'failure' })
    expect(kills(result)).toEqual(['main: Container main failed liveness probe'])
    expect(result.killPod).toBe(true)
  })

  it('are replaced when their definition has changed, whatever the policy', () => {
    const pod = boundPod({ spec: { restartPolicy: 'Never' } })
    const result = plan(pod, observedPod([{ name: 'main', hash: 'other' }]))
    expect(kills(result)).toEqual(['main: Container main definition changed, will be restarted'])
  })

  it('are left alone while they run well', () => {
    expect(plan(boundPod(), observedPod([{ name: 'main', hash: 'h' }]))).toMatchObject({
      killPod: false,
      kill: [],
      start: [],
    })
  })

  it('do not start in a pod that is being deleted', () => {
    const pod = boundPod({ metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })
    expect(starts(plan(pod, observedPod([{ name: 'main', state: 'exited', exitCode: 1 }])))).toEqual([])
  })
})

describe('init containers', () => {
  const pod = boundPod({ spec: { initContainers: [container('a'), container('b')] } })

  it('run one after the other', () => {
    expect(starts(plan(pod, observedPod([])))).toEqual(['init 0'])
    expect(starts(plan(pod, observedPod([{ name: 'a' }])))).toEqual([])
    expect(starts(plan(pod, observedPod([{ name: 'a', state: 'exited' }])))).toEqual(['init 1'])
    const both = [
      { name: 'b', state: 'exited' as const },
      { name: 'a', state: 'exited' as const },
    ]
    expect(starts(plan(pod, observedPod(both)))).toEqual(['container 0'])
  })

  it('are known to be over from the last one alone', () => {
    expect(starts(plan(pod, observedPod([{ name: 'b', state: 'exited' }])))).toEqual(['container 0'])
  })

  it('are tried again, or fail the pod', () => {
    const failed = observedPod([{ name: 'a', state: 'exited', exitCode: 1 }])
    expect(starts(plan(pod, failed))).toEqual(['init 0'])
    const once = boundPod({ spec: { ...pod.spec, restartPolicy: 'Never' } })
    expect(plan(once, failed)).toMatchObject({ killPod: true, start: [] })
  })

  it('fail when memory ran out, whatever the exit code', () => {
    const killed = observedPod([{ name: 'a', state: 'exited', exitCode: 0, reason: 'OOMKilled' }])
    expect(starts(plan(boundPod({ spec: pod.spec }), killed))).toEqual(['init 0'])
  })
})

describe('sidecars', () => {
  const sidecar = container('side', { restartPolicy: 'Always' })
  const pod = boundPod({ spec: { initContainers: [sidecar, container('b')] } })

  it('let the next one start as soon as they run', () => {
    expect(starts(plan(pod, observedPod([{ name: 'side' }])))).toEqual(['init 1'])
  })

  it('hold the next one up until their startup probe succeeds', () => {
    const probed = boundPod({
      spec: { initContainers: [{ ...sidecar, startupProbe: { exec: {} } }, container('b')] },
    })
    const running = observedPod([{ name: 'side' }])
    expect(starts(plan(probed, running, { ...noProbes, startup: () => 'unknown' }))).toEqual([])
    expect(starts(plan(probed, running, { ...noProbes, startup: () => 'success' }))).toEqual(['init 1'])
    expect(kills(plan(probed, running, { ...noProbes, startup: () => 'failure' }))).toEqual([
      'side: Init container side failed startup probe',
    ])
  })

  it('come back while regular containers run', () => {
    const observed = observedPod([{ name: 'main' }, { name: 'side', state: 'exited', exitCode: 1 }])
    expect(starts(plan(pod, observed))).toEqual(['init 0'])
  })

  it('do not keep a finished pod alive', () => {
    const once = boundPod({ spec: { ...pod.spec, restartPolicy: 'Never' } })
    const observed = observedPod([{ name: 'main', state: 'exited' }, { name: 'side' }])
    expect(plan(once, observed)).toMatchObject({ killPod: true, createSandbox: false, start: [] })
  })
})

it('starts an ephemeral container once and never again', () => {
  const pod = boundPod({ spec: { ephemeralContainers: [container('debug')] } })
  expect(starts(plan(pod, observedPod([{ name: 'main' }])))).toEqual(['ephemeral 0'])
  expect(starts(plan(pod, observedPod([{ name: 'debug', state: 'exited' }, { name: 'main' }])))).toEqual([])
})
