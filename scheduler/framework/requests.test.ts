import { describe, expect, test } from 'vitest'
import { container, type PodParts, pod } from '../testing/builders.ts'
import { podRequests } from './requests.ts'

const mi = 1024 * 1024
const sidecar = (requests: Record<string, string>) => container(requests, { restartPolicy: 'Always' })

describe('what a pod requests', () => {
  test.each<[string, PodParts, { milliCpu?: number; memoryBytes?: number }]>([
    ['nothing where it says nothing', {}, { milliCpu: 0, memoryBytes: 0 }],
    [
      'is the sum over its containers',
      { containers: [container({ cpu: '1', memory: '10Mi' }), container({ cpu: '500m' })] },
      { milliCpu: 1500, memoryBytes: 10 * mi },
    ],
    [
      'is what its hungriest init container needs, where that is more',
      { containers: [container({ cpu: '1' })], initContainers: [container({ cpu: '2' }), container({ cpu: '3' })] },
      { milliCpu: 3000 },
    ],
    [
      'takes the larger of both for each resource by itself',
      {
        containers: [container({ cpu: '2', memory: '1Mi' })],
        initContainers: [container({ cpu: '1', memory: '5Mi' })],
      },
      { milliCpu: 2000, memoryBytes: 5 * mi },
    ],
    [
      'counts sidecars beside the containers',
      { containers: [container({ cpu: '1' })], initContainers: [sidecar({ cpu: '500m' })] },
      { milliCpu: 1500 },
    ],
    [
      'counts an init container with the sidecars that were started before it, not with later ones',
      {
        containers: [container({ cpu: '1' })],
        initContainers: [sidecar({ cpu: '1' }), container({ cpu: '3' }), sidecar({ cpu: '2' })],
      },
      { milliCpu: 4000 },
    ],
    [
      'counts sidecars started one after the other together',
      {
        containers: [container({ cpu: '100m' })],
        initContainers: [sidecar({ cpu: '1' }), sidecar({ cpu: '2' }), container({ cpu: '100m' })],
      },
      { milliCpu: 3100 },
    ],
    [
      'adds the overhead',
      { cpu: '1', overhead: { cpu: '250m', memory: '20Mi' } },
      { milliCpu: 1250, memoryBytes: 20 * mi },
    ],
    [
      'is what the pod says as a whole, overhead on top',
      { cpu: '1', memory: '5Mi', resources: { requests: { cpu: '3' } }, overhead: { cpu: '100m' } },
      { milliCpu: 3100, memoryBytes: 5 * mi },
    ],
    ['rounds up what is finer than a thousandth of a cpu', { requests: { cpu: '100u' } }, { milliCpu: 1 }],
  ])('%s', (_what, parts, expected) => {
    expect(podRequests(pod(parts))).toMatchObject(expected)
  })

  test('names extended resources, huge pages and no others', () => {
    const requests = { cpu: '1', 'example.com/gpu': '2', 'hugepages-2Mi': '4Mi', storage: '1Gi' }
    expect(podRequests(pod({ requests })).scalars).toEqual([
      ['example.com/gpu', 2],
      ['hugepages-2Mi', 4 * mi],
    ])
  })

  test('cannot set an extended resource for the pod as a whole', () => {
    expect(podRequests(pod({ resources: { requests: { 'example.com/gpu': '2' } } })).scalars).toEqual([])
  })

  describe('while a container is resized', () => {
    const resizing = (conditions: { type: string; status: string; reason: string }[] = []) =>
      pod({
        containers: [container({ cpu: '3' })],
        status: {
          conditions,
          containerStatuses: [
            {
              name: 'main',
              image: '',
              imageID: '',
              ready: true,
              restartCount: 0,
              resources: { requests: { cpu: '1' } },
              allocatedResources: { cpu: '2' },
            },
          ],
        },
      })

    test('is the most of what it has, was given and wants', () => {
      expect(podRequests(resizing()).milliCpu).toBe(3000)
    })

    test('leaves out what it wants and cannot have', () => {
      const infeasible = [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible' }]
      expect(podRequests(resizing(infeasible)).milliCpu).toBe(2000)
    })
  })
})

describe('for scoring, a pod is taken to request', () => {
  test.each<[string, PodParts, [milliCpu: number, memoryMi: number]]>([
    ['a little for each container that says nothing', { containers: [container(), container()] }, [200, 400]],
    ['what it says, even if that is nothing', { requests: { cpu: '0' } }, [0, 200]],
    ['what it says where it says it', { cpu: '2' }, [2000, 200]],
    ['what the pod says as a whole', { resources: { requests: { cpu: '1', memory: '1Mi' } } }, [1000, 1]],
  ])('%s', (_what, parts, [milliCpu, memoryMi]) => {
    const requests = podRequests(pod(parts))
    expect([requests.scoredMilliCpu, requests.scoredMemoryBytes / mi]).toEqual([milliCpu, memoryMi])
  })
})

test('while it has no node, every container that says nothing counts, beside what the pod says as a whole', () => {
  const parts = { resources: { requests: { cpu: '1' } }, containers: [container(), container({ memory: '64Mi' })] }
  const requests = podRequests(pod(parts))
  expect([requests.wantedMilliCpu, requests.wantedMemoryBytes / mi]).toEqual([1000, 264])
  expect([requests.scoredMilliCpu, requests.scoredMemoryBytes / mi]).toEqual([1000, 64])
})

test('pods of one template are told apart by all that counts beside their containers', () => {
  const containers = [container({ cpu: '1' })]
  const cpu = (more: PodParts = {}) => podRequests(pod({ containers, ...more })).milliCpu
  expect([
    cpu(),
    cpu(),
    cpu({ overhead: { cpu: '100m' } }),
    cpu(),
    cpu({ resources: { requests: { cpu: '3' } } }),
  ]).toEqual([1000, 1000, 1100, 1000, 3000])
  expect(cpu({ initContainers: [container({ cpu: '2' })] })).toBe(2000)
})
