import { beforeEach, describe, expect, test } from 'vitest'
import type { UserInfo } from '../auth/types.ts'
import { only, pod, refusal, requestIn, useWorld } from './testing/world.ts'
import type { AdmissionAttributes } from './types.ts'

const world = useWorld()
const node: UserInfo = { name: 'system:node:n1', groups: ['system:nodes'] }

describe('NodeRestriction', () => {
  const as = (attributes: AdmissionAttributes): AdmissionAttributes => ({ ...attributes, user: node })
  const check = (attributes: AdmissionAttributes) => refusal(only(world, 'NodeRestriction'), as(attributes))
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true }
  const mirror = (spec: object = {}, metadata: object = {}) =>
    pod(
      { nodeName: 'n1', ...spec },
      { annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences: [owner], ...metadata },
    )
  beforeEach(() => world.client.put('', 'nodes', { metadata: { name: 'n1', uid: 'u1' } }))

  test('others are not concerned', async () => {
    expect(await refusal(only(world, 'NodeRestriction'), requestIn(world, 'CREATE /pods', pod()))).toBeUndefined()
  })

  test.each<[string, () => object, string | undefined]>([
    ['its own mirror pod', () => mirror(), undefined],
    [
      'a plain pod',
      () => pod({ nodeName: 'n1' }),
      'pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
    ],
    [
      'a pod elsewhere',
      () => mirror({ nodeName: 'n2' }),
      'node "n1" can only create pods with spec.nodeName set to itself',
    ],
    [
      'a pod without an owner',
      () => mirror({}, { ownerReferences: [] }),
      'node "n1" can only create pods with an owner reference set to itself',
    ],
    [
      'a pod of its predecessor',
      () => mirror({}, { ownerReferences: [{ ...owner, uid: 'u0' }] }),
      'node n1 UID mismatch: expected u0 got u1',
    ],
    [
      'a pod with secrets',
      () => mirror({ volumes: [{ name: 'v', secret: { secretName: 's' } }] }),
      'node "n1" can not create pods that reference secrets',
    ],
  ])('creates %s', async (_, object, message) => {
    const got = await check(requestIn(world, 'CREATE /pods', object()))
    expect(got).toBe(message === undefined ? undefined : `403 pods "p" is forbidden: ${message}`)
  })

  test('touches the status of its own pods only, and not their labels', async () => {
    const own = pod({ nodeName: 'n1' })
    expect(await check(requestIn(world, 'UPDATE /pods/status', own, { old: own as never }))).toBeUndefined()
    expect(
      await check(
        requestIn(world, 'UPDATE /pods/status', pod({ nodeName: 'n2' }), { old: pod({ nodeName: 'n2' }) as never }),
      ),
    ).toMatch(/can only update pod status/)
    expect(
      await check(
        requestIn(world, 'UPDATE /pods/status', pod({ nodeName: 'n1' }, { labels: { a: 'b' } }), { old: own as never }),
      ),
    ).toMatch(/cannot update labels through pod status/)
    expect(await check(requestIn(world, 'DELETE /pods', undefined, { old: pod({ nodeName: 'n2' }) as never }))).toMatch(
      /can only delete pods/,
    )
  })

  test.each<[string, Record<string, string>, string | undefined]>([
    [
      'its own labels',
      { 'kubernetes.io/hostname': 'n1', 'node.kubernetes.io/x': '1', 'example.com/a': '1', plain: '1' },
      undefined,
    ],
    ['a restricted label', { 'node-restriction.kubernetes.io/x': '1' }, 'node-restriction.kubernetes.io/x'],
    ['a label of the control plane', { 'node-role.kubernetes.io/master': '' }, 'node-role.kubernetes.io/master'],
  ])('%s', async (_, labels, forbidden) => {
    const got = await check(requestIn(world, 'CREATE /nodes', { metadata: { name: 'n1', labels } }))
    expect(got).toBe(
      forbidden && `403 nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: ${forbidden}`,
    )
  })

  test('leaves other nodes and its own taints alone', async () => {
    const object = (name: string, spec = {}) => ({ metadata: { name }, spec })
    expect(await check(requestIn(world, 'UPDATE /nodes', object('n2'), { old: object('n2') as never }))).toMatch(
      /node "n1" is not allowed to modify node "n2"/,
    )
    expect(
      await check(
        requestIn(world, 'UPDATE /nodes', object('n1'), { old: object('n1', { taints: [{ key: 'a' }] }) as never }),
      ),
    ).toMatch(/not allowed to modify taints/)
  })

  test('asks for tokens of its pods only, for audiences they name', async () => {
    const token = (audiences: string[], uid = 'pod-1') => ({
      metadata: { name: 'app' },
      spec: { audiences, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid } },
    })
    const volumes = [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } }]
    world.client.put('', 'pods', pod({ nodeName: 'n1', volumes }, { uid: 'pod-1' }))
    expect(await check(requestIn(world, 'CREATE /serviceaccounts/token', token(['vault'])))).toBeUndefined()
    expect(await check(requestIn(world, 'CREATE /serviceaccounts/token', token(['other'])))).toMatch(
      /audience "other" not found in pod spec volume/,
    )
    expect(await check(requestIn(world, 'CREATE /serviceaccounts/token', token(['vault'], 'pod-0')))).toMatch(
      /does not match the UID in record/,
    )
    expect(await check(requestIn(world, 'CREATE /serviceaccounts/token', { metadata: {}, spec: {} }))).toMatch(
      /node requested token not bound to a pod/,
    )
  })

  test('keeps to its own lease and CSI node', async () => {
    const lease = (name: string, namespace: string) =>
      requestIn(world, 'CREATE coordination.k8s.io/leases', { metadata: { name } }, { namespace })
    expect(await check(lease('n1', 'kube-node-lease'))).toBeUndefined()
    expect(await check(lease('n2', 'kube-node-lease'))).toMatch(/same name as the requesting node/)
    expect(await check(lease('n1', 'web'))).toMatch(/"kube-node-lease" system namespace/)
    expect(await check(requestIn(world, 'CREATE storage.k8s.io/csinodes', { metadata: { name: 'n2' } }))).toMatch(
      /can only access CSINode/,
    )
  })
})
