import { expect, test } from 'vitest'
import type { ContainerStatus, CoreV1Event, Pod, PodSpec, PodStatus } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { podHint } from './pod-hint.ts'

const nowMs = Date.parse('2026-01-01T00:10:00Z')

const pod = (status: PodStatus, spec: Partial<PodSpec> = {}, metadata: object = {}) =>
  ({
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: { containers: [{ name: 'app' }], ...spec },
    status,
  }) as Live<Pod>

const container = (status: Partial<ContainerStatus>): PodStatus => ({
  phase: 'Running',
  containerStatuses: [
    { name: 'app', image: 'registry.example/app:1', imageID: '', ready: false, restartCount: 0, ...status },
  ],
})

const waiting = (reason: string, message = '', lastState: ContainerStatus['lastState'] = {}) =>
  container({ state: { waiting: { reason, message } }, lastState })

const unschedulable = (message: string): PodStatus => ({
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }],
})

const event = (reason: string, message: string) => ({ reason, message }) as CoreV1Event

const hint = (of: Live<Pod>, ...events: CoreV1Event[]) => podHint(of, events, nowMs)

test('a pod that fares well needs none', () => {
  expect(hint(pod(container({ ready: true, state: { running: {} } })))).toBeUndefined()
  expect(hint(pod(container({ state: { running: {} } })))).toBeUndefined()
  expect(hint(pod({ phase: 'Succeeded' }))).toBeUndefined()
  expect(hint(pod({ phase: 'Pending' }, { nodeName: 'n1' }))).toBeUndefined()
})

test.each([
  ['0/2 nodes are available: 2 Insufficient cpu, 1 Insufficient memory.', /enough cpu and memory left: lower/],
  ["0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.", /--show-labels/],
  ['0/1 nodes are available: 1 node(s) had untolerated taint(s).', /by a taint: tolerate it/],
  ['0/1 nodes are available: 1 node(s) had untolerated taint {dedicated: db}.', /a taint \(dedicated\): tolerate it/],
  ['0/1 nodes are available: 1 node(s) were unschedulable.', /uncordon/],
  ['persistentvolumeclaim "data" not found', /create the claim data/],
  ['0/1 nodes are available: 1 Too many pods.', /as many pods as it takes/],
])('why no node takes it: %s', (message, expected) => {
  expect(hint(pod(unschedulable(message)))).toMatch(expected)
})

test('a claim that is not bound is named', () => {
  const volumes = [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }]
  const status = unschedulable('pod has unbound immediate PersistentVolumeClaims')
  expect(hint(pod(status, { volumes }))).toContain('gantry describe pvc data -n shop')
})

test('an image that cannot be had: by what the registry said', () => {
  const pull = waiting('ImagePullBackOff', 'Back-off pulling image')
  const said = (why: string) => event('Failed', `Failed to pull image "registry.example/app:1": ${why}`)
  expect(hint(pod(pull), said('manifest unknown'))).toMatch(/^there is no image registry.example\/app:1/)
  expect(hint(pod(pull), said('unauthorized'))).toMatch(/imagePullSecrets/)
  expect(hint(pod(pull), said('dial tcp: lookup failed'))).toMatch(/is its registry reachable/)
  // The number of a port is no answer of a registry.
  expect(hint(pod(pull), said('read udp 10.0.0.1:41404->10.0.0.2:53: i/o timeout'))).toMatch(/registry reachable/)
  expect(hint(pod(pull), said('read udp 10.0.0.1:54010->10.0.0.2:53: i/o timeout'))).toMatch(/registry reachable/)
  expect(hint(pod(pull))).toMatch(/`docker save registry.example\/app:1 \| gantry image load`$/)
  const always = pod(pull, { containers: [{ name: 'app', imagePullPolicy: 'Always' }] })
  expect(hint(always)).toContain('make the pod anew with imagePullPolicy: IfNotPresent')
  expect(hint(pod(waiting('ErrImageNeverPull')))).toMatch(/imagePullPolicy is Never/)
})

test('a crash loop: by how the last run ended', () => {
  const loop = (terminated: object) =>
    hint(pod(waiting('CrashLoopBackOff', '', { terminated: { exitCode: 1, ...terminated } })))
  expect(loop({ exitCode: 3 })).toContain('`gantry logs web -n shop -c app --previous`')
  expect(loop({ exitCode: 137, reason: 'OOMKilled' })).toMatch(/more memory/)
  expect(loop({ exitCode: 128, reason: 'StartError', message: 'exec: "/nope": no such file or directory' })).toMatch(
    /no such program/,
  )
  expect(loop({ exitCode: 0 })).toMatch(/ends although nothing is wrong/)
})

test('a crash loop is told also while the container runs again for a moment', () => {
  const again = container({ state: { running: {} }, lastState: { terminated: { exitCode: 1 } }, restartCount: 3 })
  expect(hint(pod(again))).toMatch(/exit code 1/)
})

test('what it refers to and is not there', () => {
  expect(hint(pod(waiting('CreateContainerConfigError', 'configmap "conf" not found')))).toMatch(
    /^create the configmap conf/,
  )
  expect(hint(pod(waiting('CreateContainerConfigError', "couldn't find key k in Secret shop/sec")))).toMatch(
    /^the secret sec has no key k/,
  )
  const mount = event('FailedMount', 'MountVolume.SetUp failed for volume "v" : secret "sec" not found')
  expect(hint(pod({ phase: 'Pending' }, { nodeName: 'n1' }), mount)).toMatch(/^create the secret sec/)
})

test('a probe that fails: with its port', () => {
  const containers = [{ name: 'app', readinessProbe: { tcpSocket: { port: 8080 } } }]
  const running = container({ state: { running: {} }, started: true })
  const unhealthy = event('Unhealthy', 'Readiness probe failed: dial tcp: connection refused')
  expect(hint(pod(running, { containers }), unhealthy)).toMatch(/readiness probe fails: does it listen on 8080/)
})

test('one that should be gone: held, or on a node that does not answer', () => {
  const gone = { deletionTimestamp: '2026-01-01T00:05:00Z' }
  expect(hint(pod({ phase: 'Running' }, {}, { ...gone, finalizers: ['example.com/keep'] }))).toMatch(
    /finalizer example.com\/keep/,
  )
  expect(hint(pod({ phase: 'Running' }, { nodeName: 'n1' }, gone))).toMatch(/gantry get node n1/)
  const going = { deletionTimestamp: '2026-01-01T00:09:59Z' }
  expect(hint(pod({ phase: 'Running' }, { nodeName: 'n1' }, going))).toBeUndefined()
})

test('an init container that goes on and on is named, one that has just begun or is a sidecar is not', () => {
  const since = (startedAt: string): PodStatus => ({
    phase: 'Pending',
    initContainerStatuses: [
      { name: 'wait', image: 'i', imageID: '', ready: false, restartCount: 0, state: { running: { startedAt } } },
    ],
  })
  const long = '2026-01-01T00:09:00Z'
  const spec = { nodeName: 'n1', initContainers: [{ name: 'wait' }] }
  expect(hint(pod(since(long), spec))).toContain('`gantry logs web -n shop -c wait`')
  expect(hint(pod(since('2026-01-01T00:09:55Z'), spec))).toBeUndefined()
  const sidecar = { nodeName: 'n1', initContainers: [{ name: 'wait', restartPolicy: 'Always' }] }
  expect(hint(pod(since(long), sidecar))).toBeUndefined()
})

test('tells a sandbox without a network from one that does not start', () => {
  const failed = (message: string) =>
    hint(pod({ phase: 'Pending' }, { nodeName: 'n1' }), event('FailedCreatePodSandBox', message))
  expect(failed('plugin type="bridge" failed: cni: no addresses')).toContain('cannot give it a network')
  expect(failed('runc create failed: permission denied')).toContain('cannot start its sandbox')
  expect(failed('runc create failed: no cgroup mount found in mountinfo')).toContain('sees no cgroups')
})

test('an image that is being pulled is named until it is there', () => {
  const status: PodStatus = { ...waiting('ContainerCreating'), phase: 'Pending' }
  const pulling = event('Pulling', 'Pulling image "registry.example/app:1"')
  const bound = pod(status, { nodeName: 'n1' })
  expect(hint(bound, pulling)).toBe('its node is pulling registry.example/app:1: it starts by itself then')
  expect(hint(bound, pulling, event('Pulled', 'Successfully pulled image "registry.example/app:1"'))).toBeUndefined()
})
