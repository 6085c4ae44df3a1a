import { expect, test } from 'vitest'
import type { CoreV1Event, Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import type { NamedObject, Selection } from '../objects.ts'
import type { Surroundings } from './describer.ts'
import { workloadHint } from './workload-hint.ts'
import { daemonSet, deployment as ofDeployment, replicaSet, replicationController, statefulSet } from './workloads.ts'

const deployment = (conditions: object[] = []) =>
  ({
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { matchLabels: { app: 'web' } } },
    status: { conditions },
  }) as unknown as NamedObject

const pod = (name: string, status: object) =>
  ({
    metadata: { name, namespace: 'shop', uid: `uid-of-${name}` },
    spec: { containers: [] },
    status,
  }) as unknown as Live<Pod>
const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
const tooBig = {
  phase: 'Pending',
  conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available: 1 Insufficient cpu.' }],
}
const withoutImage = {
  phase: 'Pending',
  containerStatuses: [{ name: 'app', image: 'nginx:nope', state: { waiting: { reason: 'ErrImagePull' } } }],
}

function around(pods: Live<Pod>[], events: Partial<CoreV1Event>[] = []) {
  const asked: Selection[] = []
  const list = async (resource: string, selection: Selection) => {
    asked.push(selection)
    return resource === 'pods' ? pods : events
  }
  return { asked, surroundings: { nowMs: 0, list: list as unknown as Surroundings['list'] } }
}

test('a workload whose pods get on needs none, and nobody is asked for events', async () => {
  const { asked, surroundings } = around([pod('a', ready), pod('b', { phase: 'Succeeded' })])
  expect(await workloadHint(deployment(), surroundings)).toBeUndefined()
  expect(asked).toEqual([{ namespace: 'shop', labelSelector: 'app=web' }])
})

test('what keeps a pod from getting on is told, with its name', async () => {
  const { surroundings } = around([pod('a', ready), pod('b', tooBig)])
  expect(await workloadHint(deployment(), surroundings)).toMatch(/^pod b: no node has enough cpu left/)
})

test('its events are those of the pod', async () => {
  const { asked, surroundings } = around([pod('b', withoutImage)], [{ reason: 'Failed', message: 'not found' }])
  expect(await workloadHint(deployment(), surroundings)).toContain('nginx:nope')
  expect(asked[1]).toEqual({ namespace: 'shop', fieldSelector: 'involvedObject.uid=uid-of-b' })
})

test('where pods cannot be made, the refusal is told', async () => {
  const refused = { type: 'ReplicaFailure', status: 'True', message: 'exceeded quota: small' }
  expect(await workloadHint(deployment([refused]), around([]).surroundings)).toBe('exceeded quota: small')
  const over = { ...refused, status: 'False' }
  expect(await workloadHint(deployment([over]), around([]).surroundings)).toBeUndefined()
})

test.each(Object.entries({ ofDeployment, replicaSet, statefulSet, daemonSet, replicationController }))(
  '%s: its description ends with it',
  async (_name, describer) => {
    const { surroundings } = around([pod('b', tooBig)])
    expect(await describer.hint?.(deployment(), [], surroundings as Surroundings)).toContain('no node has enough cpu')
  },
)
