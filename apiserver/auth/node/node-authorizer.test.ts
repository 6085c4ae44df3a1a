import { beforeEach, describe, expect, test } from 'vitest'
import { MemoryClient } from '../testing/memory-client.ts'
import { ask, user } from '../testing/questions.ts'
import type { AuthorizationAttributes, Authorizer } from '../types.ts'
import { createNodeAuthorizer } from './node-authorizer.ts'
import { NodeGraph } from './node-graph.ts'

describe('node authorizer', () => {
  let client: MemoryClient
  let nodes: Authorizer
  beforeEach(() => {
    client = new MemoryClient()
    nodes = createNodeAuthorizer(new NodeGraph(client, client.lookup))
    client.put('', 'pods', {
      metadata: { name: 'p', namespace: 'web', uid: '1' },
      spec: {
        nodeName: 'n1',
        serviceAccountName: 'app',
        imagePullSecrets: [{ name: 'pull' }],
        containers: [{ name: 'c', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'a' } } }] }],
        volumes: [
          { name: 'v', persistentVolumeClaim: { claimName: 'claim' } },
          { name: 'e', ephemeral: {} },
          { name: 'k', projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }] } },
        ],
      },
    })
    client.put('', 'persistentvolumes', {
      metadata: { name: 'pv' },
      spec: {
        claimRef: { namespace: 'web', name: 'claim' },
        csi: {
          nodeStageSecretRef: { name: 'stage', namespace: 'csi' },
          controllerPublishSecretRef: { name: 'ctl', namespace: 'csi' },
        },
      },
    })
    client.put('storage.k8s.io', 'volumeattachments', { metadata: { name: 'va' }, spec: { nodeName: 'n1' } })
  })
  const by = (node: string, question: AuthorizationAttributes) =>
    nodes.authorize({ ...question, user: user(`system:node:${node}`, 'system:nodes') })

  test.each<[boolean, string, string, Partial<AuthorizationAttributes>?]>([
    [true, 'get', 'secrets', { name: 'pull' }],
    [true, 'watch', 'secrets', { name: 'env' }],
    [true, 'get', 'secrets', { name: 'stage', namespace: 'csi' }],
    [false, 'get', 'secrets', { name: 'ctl', namespace: 'csi' }],
    [false, 'get', 'secrets', { name: 'other' }],
    [false, 'list', 'secrets'],
    [false, 'update', 'secrets', { name: 'pull' }],
    [true, 'get', 'configmaps', { name: 'kube-root-ca.crt' }],
    [true, 'get', 'persistentvolumeclaims', { name: 'claim' }],
    [true, 'get', 'persistentvolumeclaims', { name: 'p-e' }],
    [true, 'patch', 'persistentvolumeclaims/status', { name: 'claim' }],
    [true, 'get', 'persistentvolumes', { name: 'pv', namespace: '' }],
    [true, 'get', 'volumeattachments', { group: 'storage.k8s.io', name: 'va', namespace: '' }],
    [true, 'create', 'serviceaccounts/token', { name: 'app' }],
    [false, 'create', 'serviceaccounts/token', { name: 'admin' }],
    [true, 'get', 'pods', { name: 'p' }],
    [true, 'list', 'pods', { namespace: '', fieldSelector: 'spec.nodeName=n1' }],
    [false, 'list', 'pods', { namespace: '', fieldSelector: 'spec.nodeName=n2' }],
    [false, 'list', 'pods', { namespace: '' }],
    [true, 'patch', 'pods/status', { name: 'p' }],
    [true, 'get', 'nodes', { name: 'n1', namespace: '' }],
    [false, 'get', 'nodes', { name: 'n2', namespace: '' }],
    [true, 'patch', 'nodes/status', { name: 'n1', namespace: '' }],
    [true, 'update', 'leases', { group: 'coordination.k8s.io', name: 'n1', namespace: 'kube-node-lease' }],
    [false, 'update', 'leases', { group: 'coordination.k8s.io', name: 'n1', namespace: 'kube-system' }],
    [true, 'list', 'services', { namespace: '' }],
    [false, 'list', 'deployments', { group: 'apps', namespace: '' }],
  ])('%s: %s %s %j', async (allowed, verb, resource, more) => {
    expect((await by('n1', ask(verb, resource, more))).allowed).toBe(allowed)
  })

  test('another node gets nothing, nor does this one once the pod is gone', async () => {
    const secret = ask('get', 'secrets', { name: 'pull' })
    expect(await by('n2', secret)).toEqual({
      allowed: false,
      reason: "no relationship found between node 'n2' and this object",
    })
    client.remove('', 'pods', 'web', 'p')
    expect((await by('n1', secret)).allowed).toBe(false)
    expect((await by('n1', ask('get', 'secrets', { name: 'stage', namespace: 'csi' }))).allowed).toBe(false)
  })

  test('a mirror pod opens nothing', async () => {
    client.put('', 'pods', {
      metadata: { name: 'm', namespace: 'web', uid: '2', annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { nodeName: 'n2', imagePullSecrets: [{ name: 'pull' }], containers: [] },
    })
    expect((await by('n2', ask('get', 'secrets', { name: 'pull' }))).allowed).toBe(false)
  })

  test('who is no node is no business of it', async () => {
    expect(await nodes.authorize({ ...ask('get', 'nodes', { name: 'n1' }), user: user('system:node:n1') })).toEqual({
      allowed: false,
      reason: '',
    })
  })
})
