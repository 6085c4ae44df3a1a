import { describe, expect, test } from 'vitest'
import { container, only, pod, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('what is filled in', () => {
  test('tolerations of five minutes, unless there are others', async () => {
    const object = pod({
      tolerations: [
        { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      ],
    })
    await only(world, 'DefaultTolerationSeconds').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec.tolerations).toEqual([
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 },
      { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    ])
    const all = pod({ tolerations: [{ operator: 'Exists' }] })
    await only(world, 'DefaultTolerationSeconds').run(requestIn(world, 'CREATE /pods', all))
    expect(all.spec.tolerations).toHaveLength(1)
  })

  test('the newest default class', async () => {
    const storageClass = (name: string, creationTimestamp: string, isDefault = 'true') =>
      world.client.put('storage.k8s.io', 'storageclasses', {
        metadata: {
          name,
          creationTimestamp,
          annotations: { 'storageclass.kubernetes.io/is-default-class': isDefault },
        },
      })
    storageClass('old', '2026-01-01T00:00:00Z')
    storageClass('new', '2026-01-02T00:00:00Z')
    storageClass('none', '2026-01-03T00:00:00Z', 'false')
    const claim = (spec: object) => ({ metadata: { name: 'c' }, spec: spec as { storageClassName?: string } })
    const [unset, empty] = [claim({}), claim({ storageClassName: '' })]
    for (const object of [unset, empty])
      await only(world, 'DefaultStorageClass').run(requestIn(world, 'CREATE /persistentvolumeclaims', object))
    expect([unset.spec.storageClassName, empty.spec.storageClassName]).toEqual(['new', ''])

    world.client.put('networking.k8s.io', 'ingressclasses', {
      metadata: { name: 'nginx', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    })
    const ingress = (annotations: object) => ({
      metadata: { name: 'i', annotations },
      spec: {} as { ingressClassName?: string },
    })
    const [plain, annotated] = [ingress({}), ingress({ 'kubernetes.io/ingress.class': 'traefik' })]
    for (const object of [plain, annotated])
      await only(world, 'DefaultIngressClass').run(requestIn(world, 'CREATE networking.k8s.io/ingresses', object))
    expect([plain.spec.ingressClassName, annotated.spec.ingressClassName]).toEqual(['nginx', undefined])
  })

  test('finalizers of volumes and claims, once', async () => {
    const claim = { metadata: { name: 'c', finalizers: ['x'] } }
    for (let i = 0; i < 2; i++)
      await only(world, 'StorageObjectInUseProtection').run(requestIn(world, 'CREATE /persistentvolumeclaims', claim))
    expect(claim.metadata.finalizers).toEqual(['x', 'kubernetes.io/pvc-protection'])
  })

  test('the taint of a new node, once', async () => {
    const object = { metadata: { name: 'n' }, spec: {} as { taints?: object[] } }
    for (let i = 0; i < 2; i++)
      await only(world, 'TaintNodesByCondition').run(requestIn(world, 'CREATE /nodes', object))
    expect(object.spec.taints).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  })

  test('tolerations of extended resources, when asked for', async () => {
    const object = pod({ containers: [container({ resources: { requests: { 'gpu.example/a': '1', cpu: '1' } } })] })
    await only(world, 'ExtendedResourceToleration').run(requestIn(world, 'CREATE /pods', object))
    expect(object.spec.tolerations).toEqual([{ key: 'gpu.example/a', operator: 'Exists', effect: 'NoSchedule' }])
  })
})
