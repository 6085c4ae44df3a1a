import { beforeEach, describe, expect, test } from 'vitest'
import { container, only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('Priority', () => {
  const priorityClass = (name: string, value: number, more: object = {}) =>
    world.client.put('scheduling.k8s.io', 'priorityclasses', { metadata: { name }, value, ...more })
  beforeEach(() => priorityClass('high', 1000, { preemptionPolicy: 'Never' }))

  test.each<[object, object]>([
    [{}, { priority: 0, preemptionPolicy: 'PreemptLowerPriority' }],
    [{ priorityClassName: 'high' }, { priority: 1000, preemptionPolicy: 'Never', priorityClassName: 'high' }],
  ])('%j becomes %j', async (spec, expected) => {
    const object = pod(spec)
    await only(world, 'Priority').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec).toEqual({ containers: [container()], ...expected })
  })

  test('a default class is for pods that name none', async () => {
    priorityClass('usual', 10, { globalDefault: true, preemptionPolicy: 'PreemptLowerPriority' })
    const object = pod()
    await only(world, 'Priority').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec).toMatchObject({ priority: 10, priorityClassName: 'usual' })
    expect(
      await refusal(
        only(world, 'Priority'),
        requestIn(world, 'CREATE scheduling.k8s.io/priorityclasses', { metadata: { name: 'b' }, globalDefault: true }),
      ),
    ).toBe(
      '403 priorityclasses.scheduling.k8s.io "b" is forbidden: PriorityClass usual is already marked as default. Only one default can exist',
    )
  })

  test("refuses numbers of one's own and classes that are not there", async () => {
    expect(await refusal(only(world, 'Priority'), requestIn(world, 'CREATE /pods', pod({ priority: 7 })))).toBe(
      '403 pods "p" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
    )
    expect(
      await refusal(only(world, 'Priority'), requestIn(world, 'CREATE /pods', pod({ priorityClassName: 'none' }))),
    ).toBe('403 pods "p" is forbidden: no PriorityClass with name none was found')
  })
})
