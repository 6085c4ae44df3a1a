import { describe, expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { only, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('PodTopologyLabels', () => {
  const zone = 'topology.kubernetes.io/zone'
  const region = 'topology.kubernetes.io/region'
  const pod = (nodeName: string | undefined, labels?: Record<string, string>): AnyObject => ({
    metadata: { name: 'web', ...(labels ? { labels } : {}) },
    spec: { containers: [], ...(nodeName ? { nodeName } : {}) },
  })
  const binding = (target: object): AnyObject =>
    ({ metadata: { name: 'web', labels: { by: 'me' } }, target }) as AnyObject
  const labelsAfter = async (what: string, object: AnyObject) => {
    world.client.put('', 'nodes', { metadata: { name: 'n1', labels: { [zone]: 'a', [region]: 'eu', disk: 'ssd' } } })
    world.client.put('', 'nodes', { metadata: { name: 'plain' } })
    const request = requestIn(world, what, object)
    expect(await refusal(only(world, 'PodTopologyLabels'), request)).toBeUndefined()
    return object.metadata.labels
  }

  test('a pod that is made on a node, as mirrors of static pods are, has its zone and region', async () => {
    expect(await labelsAfter('CREATE /pods', pod('n1', { app: 'web', [zone]: 'mine' }))).toEqual({
      app: 'web',
      [zone]: 'a',
      [region]: 'eu',
    })
  })

  test('a binding has them for its pod, when it says that it is to a node', async () => {
    const target = { kind: 'Node', name: 'n1' }
    expect(await labelsAfter('CREATE /pods/binding', binding(target))).toEqual({
      by: 'me',
      [zone]: 'a',
      [region]: 'eu',
    })
    expect(await labelsAfter('CREATE /pods/binding', binding({ name: 'n1' }))).toEqual({ by: 'me' })
  })

  test.each<[string, string | undefined]>([
    ['has no node yet', undefined],
    ['is on a node without any', 'plain'],
    ['names a node that is not there', 'gone'],
  ])('a pod that %s keeps its labels', async (_, nodeName) => {
    expect(await labelsAfter('CREATE /pods', pod(nodeName))).toBeUndefined()
  })

  test('what is written later stays as it is', async () => {
    expect(await labelsAfter('UPDATE /pods/status', pod('n1'))).toBeUndefined()
    expect(await labelsAfter('UPDATE /pods', pod('n1'))).toBeUndefined()
  })
})
