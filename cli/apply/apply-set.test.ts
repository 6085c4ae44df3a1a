import { expect, test } from 'vitest'
import type { ServedKind } from '../kinds.ts'
import { type ApplySet, applySetId, parentOf } from './apply-set.ts'

const kind = (name: string, group = '') => ({ kind: name, group }) as ServedKind

test('a set is known by a digest of where it is remembered, as other tools know it', () => {
  // sha256 of `my-set.default.Secret.`, in the alphabet for URLs.
  expect(applySetId('my-set', 'default', kind('Secret'))).toBe(
    'applyset-kdySOVBWs584aaOTmku9Ul1xDuN7LXBjs-R96jQcisk-v1',
  )
})

test('it remembers what it is spread over, and until all is done what it was', () => {
  const set: ApplySet = {
    kind: kind('Secret'),
    name: 'my-set',
    namespace: 'a',
    id: 'id',
    before: { kinds: ['ConfigMap'], namespaces: ['c'] },
  }
  const member = (name: string, of: ServedKind, namespace?: string) => ({
    kind: of,
    object: { metadata: { name, ...(namespace ? { namespace } : {}) } },
  })
  const members = [
    member('x', kind('Deployment', 'apps'), 'b'),
    member('y', kind('Secret'), 'a'),
    member('z', kind('Node')),
  ]
  const told = (withBefore: boolean) => parentOf(set, members, withBefore).metadata.annotations
  expect(told(true)).toMatchObject({
    'applyset.kubernetes.io/contains-group-kinds': 'ConfigMap,Deployment.apps,Node,Secret',
    'applyset.kubernetes.io/additional-namespaces': 'b,c',
  })
  expect(told(false)).toMatchObject({
    'applyset.kubernetes.io/contains-group-kinds': 'Deployment.apps,Node,Secret',
    'applyset.kubernetes.io/additional-namespaces': 'b',
  })
})
