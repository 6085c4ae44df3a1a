import { describe, expect, test } from 'vitest'
import { container, only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('LimitRanger', () => {
  const range = (...limits: object[]) =>
    world.client.put('', 'limitranges', { metadata: { name: 'l', namespace: 'web' }, spec: { limits } })
  const resources = (requests?: object, limits?: object) => ({
    containers: [container({ resources: { ...(requests && { requests }), ...(limits && { limits }) } })],
  })

  test('fills in what containers leave out, and notes it', async () => {
    range({ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '100m' } })
    const object = pod(resources(undefined, { memory: '2Gi' }))
    await only(world, 'LimitRanger').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec.containers).toMatchObject([
      { resources: { requests: { cpu: '100m' }, limits: { cpu: '1', memory: '2Gi' } } },
    ])
    expect(object.metadata).toMatchObject({
      annotations: {
        'kubernetes.io/limit-ranger': 'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
      },
    })
  })

  test.each<[object, object, string | undefined]>([
    [
      { type: 'Container', min: { cpu: '200m' } },
      resources({ cpu: '100m' }),
      'minimum cpu usage per Container is 200m, but request is 100m',
    ],
    [
      { type: 'Container', min: { cpu: '200m' } },
      resources(),
      'minimum cpu usage per Container is 200m.  No request is specified',
    ],
    [
      { type: 'Container', max: { memory: '1Gi' } },
      resources({}, { memory: '2Gi' }),
      'maximum memory usage per Container is 1Gi, but limit is 2Gi',
    ],
    [
      { type: 'Container', max: { memory: '1Gi' } },
      resources(),
      'maximum memory usage per Container is 1Gi.  No limit is specified',
    ],
    [
      { type: 'Container', maxLimitRequestRatio: { cpu: '2' } },
      resources({ cpu: '100m' }, { cpu: '300m' }),
      'cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000',
    ],
    [
      { type: 'Pod', max: { cpu: '150m' } },
      {
        containers: [
          container({ resources: { limits: { cpu: '100m' } } }),
          container({ name: 'd', resources: { limits: { cpu: '100m' } } }),
        ],
      },
      'maximum cpu usage per Pod is 150m, but limit is 200m',
    ],
    [
      { type: 'Pod', max: { cpu: '150m' } },
      { ...resources({}, { cpu: '100m' }), initContainers: [container({ resources: { limits: { cpu: '150m' } } })] },
      undefined,
    ],
    [
      { type: 'Pod', max: { cpu: '150m' } },
      { ...resources({ cpu: '150m' }, { cpu: '150m' }), overhead: { cpu: '50m' } },
      undefined,
    ],
  ])('%j on %j', async (limit, spec, message) => {
    range(limit)
    const expected = message === undefined ? undefined : `403 pods "p" is forbidden: ${message}`
    expect(await refusal(only(world, 'LimitRanger'), requestIn(world, 'CREATE /pods', pod(spec)))).toBe(expected)
  })

  test('bounds claims by what they ask for', async () => {
    range({ type: 'PersistentVolumeClaim', max: { storage: '1Gi' } })
    const claim = { metadata: { name: 'c' }, spec: { resources: { requests: { storage: '2Gi' } } } }
    expect(
      await refusal(only(world, 'LimitRanger'), requestIn(world, 'CREATE /persistentvolumeclaims', claim)),
    ).toMatch(/maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi/)
  })
})
