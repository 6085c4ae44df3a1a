import { describe, expect, test } from 'vitest'
import { only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()
const annotation = 'gantry.dev/depends-on'
const chain = () => only(world, 'DependsOn')
const dependingOn = (value: string, more: object = {}) => ({ annotations: { [annotation]: value }, ...more })
const workload = (name: string, app: string, dependsOn?: string) => ({
  metadata: { name, namespace: 'web' },
  spec: { template: { metadata: { labels: { app }, ...(dependsOn ? dependingOn(dependsOn) : {}) } } },
})
const service = (name: string, app: string) => ({ metadata: { name, namespace: 'web' }, spec: { selector: { app } } })

describe('a pod that depends on something', () => {
  test('gets a gate beside its own', async () => {
    const made = pod({ schedulingGates: [{ name: 'mine' }] }, dependingOn('service/db'))
    expect(await refusal(chain(), requestIn(world, 'CREATE /pods', made))).toBeUndefined()
    expect(made.spec.schedulingGates).toEqual([{ name: 'mine' }, { name: 'gantry.dev/dependencies' }])
  })

  test('gets none later, and none without the annotation', async () => {
    const later = pod({}, dependingOn('service/db'))
    await chain().run(requestIn(world, 'UPDATE /pods', later, { old: later as never }))
    expect(later.spec.schedulingGates).toBeUndefined()
    const free = pod()
    await chain().run(requestIn(world, 'CREATE /pods', free))
    expect(free.spec.schedulingGates).toBeUndefined()
  })

  test('may not name its node, unless it is only the picture of one that runs there', async () => {
    const bound = pod({ nodeName: 'n' }, dependingOn('service/db'))
    expect(await refusal(chain(), requestIn(world, 'CREATE /pods', bound))).toBe(
      '422 Pod "p" is invalid: metadata.annotations[gantry.dev/depends-on]: Forbidden: may not be set on a pod that names its node: only what is to be scheduled can be held back',
    )
    const mirror = pod({ nodeName: 'n' }, dependingOn('service/db'))
    Object.assign((mirror.metadata as { annotations?: object }).annotations ?? {}, {
      'kubernetes.io/config.mirror': 'x',
    })
    expect(await refusal(chain(), requestIn(world, 'CREATE /pods', mirror))).toBeUndefined()
    expect(mirror.spec.schedulingGates).toBeUndefined()
  })
})

describe('dependencies that go round', () => {
  test('are refused with the ring named, whichever of them closes it', async () => {
    world.client
      .put('apps', 'deployments', workload('api', 'api', 'service/front'))
      .put('', 'services', service('front', 'front'))
      .put('', 'services', service('api', 'api'))
    expect(
      await refusal(chain(), requestIn(world, 'CREATE apps/statefulsets', workload('front', 'front', 'svc/api'))),
    ).toBe(
      '422 statefulsets.apps "front" is invalid: spec.template.metadata.annotations[gantry.dev/depends-on]: Invalid value: "svc/api": depends on itself: statefulset/front waits for service/api waits for deployment/api waits for service/front waits for statefulset/front, so none of them could ever start',
    )
    world.client.put('apps', 'statefulsets', workload('front', 'other', 'service/api'))
    expect(
      await refusal(
        chain(),
        requestIn(world, 'UPDATE /services', service('front', 'other'), { old: service('front', 'front') as never }),
      ),
    ).toBe(
      '422 services "front" is invalid: spec.selector: Invalid value: {"app":"other"}: depends on itself: service/front waits for statefulset/front waits for service/api waits for deployment/api waits for service/front, so none of them could ever start',
    )
  })

  test('are no matter of the replica sets and pods that a deployment makes', async () => {
    const owner = { ownerReferences: [{ controller: true, kind: 'Deployment', name: 'api' }] }
    const set = workload('api-1', 'api', 'deployment/api')
    const owned = { ...set, metadata: { ...set.metadata, ...owner } }
    world.client.put('apps', 'replicasets', owned).put('apps', 'deployments', workload('api', 'api', 'service/api'))
    expect(await refusal(chain(), requestIn(world, 'UPDATE apps/replicasets', owned))).toBeUndefined()
    // Nor is what is in another namespace.
    world.client.put('', 'services', { ...service('api', 'api'), metadata: { name: 'api', namespace: 'other' } })
    expect(
      await refusal(chain(), requestIn(world, 'UPDATE apps/deployments', workload('api', 'api', 'service/api'))),
    ).toBeUndefined()
  })
})
