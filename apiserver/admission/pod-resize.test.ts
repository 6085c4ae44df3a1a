import { describe, expect, test } from 'vitest'
import { only, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('PodResizeValidator', () => {
  const pod = (cpu: string, memory: string, nodeName?: string) => ({
    metadata: { name: 'web' },
    spec: {
      containers: [{ name: 'main', resources: { requests: { cpu, memory } } }],
      ...(nodeName ? { nodeName } : {}),
    },
  })
  const beyond = "node didn't have enough allocatable resources: "
  test.each<[string, object, string | undefined]>([
    ['that its node has', pod('2', '2Gi', 'n1'), undefined],
    [
      'that its node has not',
      pod('2001m', '3Gi', 'n1'),
      `${beyond}cpu, requested: 2001, allocatable: 2000; memory, requested: 3221225472, allocatable: 2147483648`,
    ],
    ['while it has no node yet', pod('64', '1Gi'), undefined],
    [
      'on a node that cannot',
      pod('1', '1Gi', 'w1'),
      'pod resize is only supported on linux nodes, node "w1" is "windows"',
    ],
    ['on a node that is gone', pod('1', '1Gi', 'n9'), 'node "n9" not found'],
  ])('a pod asks for a size %s', async (_, next, message) => {
    const status = { allocatable: { cpu: '2', memory: '2Gi' } }
    world.client.put('', 'nodes', { metadata: { name: 'n1' }, status })
    world.client.put('', 'nodes', { metadata: { name: 'w1', labels: { 'kubernetes.io/os': 'windows' } }, status })
    const plugin = only(world, 'PodResizeValidator')
    const request = (object: object) =>
      requestIn(world, 'UPDATE /pods/resize', object, { old: pod('100m', '1Gi', 'n1') as never })
    expect(await refusal(plugin, request(next))).toBe(message && `403 pods "web" is forbidden: ${message}`)
  })

  test('what stays as it is is never refused', async () => {
    const same = pod('64', '1Gi', 'n9')
    const request = requestIn(world, 'UPDATE /pods/resize', same, { old: structuredClone(same) as never })
    expect(await refusal(only(world, 'PodResizeValidator'), request)).toBeUndefined()
  })
})
