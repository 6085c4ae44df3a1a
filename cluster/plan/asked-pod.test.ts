import { beforeEach, expect, test } from 'vitest'
import type { Deployment } from '../../api/generated/types.ts'
import { deployments, pods } from '../../client/resources.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import { pod } from '../../scheduler/testing/builders.ts'
import { askedPod, HasNoPods } from './asked-pod.ts'

let api: MemoryApi
const deployment = (status: Deployment['status'] = {}): Deployment => ({
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { matchLabels: { app: 'web' } }, template: {} },
  status,
})

beforeEach(() => {
  api = new MemoryApi()
})

test('a workload stands for its pod that is worst off', async () => {
  await api.create(deployments, deployment())
  await api.create(pods, pod({ name: 'placed', node: 'a', labels: { app: 'web' } }))
  await api.create(pods, pod({ name: 'waiting', labels: { app: 'web' } }))
  await api.create(pods, pod({ name: 'other', labels: { app: 'db' } }))
  for (const word of ['deployment/web', 'deploy/web', 'deployments/web'])
    expect((await askedPod(api, 'default', word)).metadata.name).toBe('waiting')
  for (const word of ['placed', 'pod/placed', 'po/placed'])
    expect((await askedPod(api, 'default', word)).metadata.name).toBe('placed')
})

test('a workload without pods says what keeps them from being made', async () => {
  const message = 'pods "web-1" is forbidden: exceeded quota: q'
  await api.create(deployments, deployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', message }] }))
  await expect(askedPod(api, 'default', 'deploy/web')).rejects.toThrow(
    new HasNoPods(`deployment "web" has no pods: ${message}`),
  )
  await expect(askedPod(api, 'default', 'deploymnet/web')).rejects.toThrow('there is no kind deploymnet that has pods')
})
