import { expect, test } from 'vitest'
import type { KubeObject } from '../../api/machinery/object.ts'
import { type Branch, treeOf } from './owned.ts'

const object = (name: string, uid: string, owner = '', created = '2026-01-01T00:00:00Z'): KubeObject => ({
  metadata: {
    name,
    uid,
    namespace: 'web',
    creationTimestamp: created,
    ...(owner ? { ownerReferences: [{ uid: owner, kind: 'x', name: 'x', apiVersion: 'v1' }] } : {}),
  },
})
const lines = ({ kind, name, children }: Branch, depth = 0): string[] => [
  `${'  '.repeat(depth)}${kind} ${name}`,
  ...children.flatMap((child) => lines(child, depth + 1)),
]

test('a tree holds what is owned, the newest first', () => {
  const tree = treeOf({ kind: 'Deployment', apiVersion: 'apps/v1' }, object('web', '1'), [
    {
      kind: 'ReplicaSet',
      apiVersion: 'apps/v1',
      objects: [object('web-1', '2', '1'), object('web-2', '3', '1', '2026-01-02T00:00:00Z')],
    },
    { kind: 'Pod', apiVersion: 'v1', objects: [object('web-2-a', '4', '3'), object('other', '5', '9')] },
  ])
  expect(lines(tree)).toEqual(['Deployment web', '  ReplicaSet web-2', '    Pod web-2-a', '  ReplicaSet web-1'])
})

test('owners that own each other are no endless tree', () => {
  const a = object('a', '1', '2')
  const pods = { kind: 'Pod', apiVersion: 'v1', objects: [a, object('b', '2', '1')] }
  expect(lines(treeOf({ kind: 'Pod', apiVersion: 'v1' }, a, [pods]))).toEqual(['Pod a', '  Pod b', '    Pod a'])
})
