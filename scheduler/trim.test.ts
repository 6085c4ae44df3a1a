import { describe, expect, test } from 'vitest'
import { PodInfo } from './framework/pod-info.ts'
import { container, node, pod } from './testing/builders.ts'
import { trimNode, trimPod } from './trim.ts'

const full = () =>
  pod({
    name: 'web',
    node: 'a',
    labels: { app: 'web' },
    priority: 7,
    containers: [
      container(
        { cpu: '100m', 'example.com/gpu': '1' },
        { env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 81 }] },
      ),
    ],
    initContainers: [container({ cpu: '1' }, { name: 'side', restartPolicy: 'Always', command: ['sleep'] })],
    overhead: { memory: '1Mi' },
    tolerations: [{ operator: 'Exists' }],
    volumes: [
      { name: 'tmp', emptyDir: {} },
      { name: 'data', persistentVolumeClaim: { claimName: 'data' } },
    ],
    metadata: { annotations: { long: 'text' }, resourceVersion: '5' },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'PodScheduled', status: 'True' },
      ],
    },
  })

describe('a trimmed pod', () => {
  test('is to the plugins what it was', () => {
    const [before, after] = [new PodInfo(full()), new PodInfo(trimPod(full()))]
    expect(after.requests).toEqual(before.requests)
    expect(after.hostPorts).toEqual(before.hostPorts)
    const { name, uid, labels, priority, tolerations, nodeName } = before
    expect(after).toMatchObject({ name, uid, labels, priority, tolerations, nodeName })
  })

  test('keeps what gang it belongs to', () => {
    const gang = { 'gantry.dev/gang': 'g', 'gantry.dev/gang-min-members': '2' }
    const trimmed = trimPod(pod({ metadata: { annotations: { long: 'text', ...gang } } }))
    expect(trimmed.metadata.annotations).toEqual(gang)
    expect(new PodInfo(trimmed).gang).toEqual({ name: 'g', minMembers: 2, timeoutMs: 60_000 })
  })

  test('keeps nothing that nobody reads', () => {
    const { metadata, spec, status } = trimPod(full())
    expect(metadata.annotations).toBeUndefined()
    expect(spec?.containers[0]).not.toHaveProperty('env')
    expect(spec?.volumes).toEqual([{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }])
    expect(status).toEqual({ conditions: [{ type: 'PodScheduled', status: 'True' }] })
  })

  test('shares with its like what they have alike', () => {
    expect(trimPod(full()).spec?.containers).toBe(trimPod(full()).spec?.containers)
  })

  test('keeps what its containers hold only while that is not what they ask for', () => {
    const running = (cpu: string) => ({
      ...full(),
      status: {
        containerStatuses: [
          {
            name: 'main',
            image: '',
            imageID: '',
            ready: true,
            restartCount: 0,
            resources: { requests: { cpu, 'example.com/gpu': '1' } },
          },
        ],
      },
    })
    expect(trimPod(running('100m')).status?.containerStatuses).toBeUndefined()
    expect(new PodInfo(trimPod(running('2'))).requests.milliCpu).toBe(3000)
  })
})

test('a trimmed node keeps what decides about it, and no heartbeats', () => {
  const { status, spec } = trimNode({
    ...node({ taints: [{ key: 'a', effect: 'NoSchedule' }], images: [{ names: ['x:1'], sizeBytes: 5 }] }),
    status: {
      allocatable: { cpu: '1' },
      images: [{ names: ['x:1'], sizeBytes: 5 }],
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-01-01T00:00:00Z' }],
    },
  })
  expect(spec).toEqual({ taints: [{ key: 'a', effect: 'NoSchedule' }] })
  expect(status).toEqual({ allocatable: { cpu: '1' }, images: [{ names: ['x:1'], sizeBytes: 5 }] })
})
