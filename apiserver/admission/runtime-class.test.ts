import { beforeEach, describe, expect, test } from 'vitest'
import { only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('RuntimeClass', () => {
  beforeEach(() =>
    world.client.put('node.k8s.io', 'runtimeclasses', {
      metadata: { name: 'kata' },
      handler: 'kata',
      overhead: { podFixed: { memory: '120Mi' } },
      scheduling: { nodeSelector: { vm: 'yes' }, tolerations: [{ key: 'vm', operator: 'Exists' }] },
    }),
  )

  test('brings its overhead, nodes and tolerations', async () => {
    const object = pod({
      runtimeClassName: 'kata',
      nodeSelector: { a: 'b' },
      tolerations: [{ key: 'vm', operator: 'Exists' }],
    })
    await only(world, 'RuntimeClass').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec).toMatchObject({
      overhead: { memory: '120Mi' },
      nodeSelector: { a: 'b', vm: 'yes' },
      tolerations: [{ key: 'vm', operator: 'Exists' }],
    })
  })

  test.each<[object, string]>([
    [{ runtimeClassName: 'none' }, 'pod rejected: RuntimeClass "none" not found'],
    [
      { runtimeClassName: 'kata', overhead: { memory: '1Mi' } },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
    ],
    [
      { overhead: { memory: '1Mi' } },
      'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
    ],
    [
      { runtimeClassName: 'kata', nodeSelector: { vm: 'no' } },
      'conflict: runtimeClass.scheduling.nodeSelector[vm] = yes; pod.spec.nodeSelector[vm] = no',
    ],
  ])('%j: %s', async (spec, message) => {
    expect(await refusal(only(world, 'RuntimeClass'), requestIn(world, 'CREATE /pods', pod(spec)))).toBe(
      `403 pods "p" is forbidden: ${message}`,
    )
  })
})
