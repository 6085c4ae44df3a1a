import { expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { WhileDoing } from '../errors.ts'
import { Kinds, type ServedKind } from '../kinds.ts'
import type { Session } from '../session.ts'
import { elsewhereHint, missingHint, nameHint } from './in-names.ts'

const kind = (plural: string, kindName: string, namespaced: boolean): ServedKind => ({
  group: '',
  version: 'v1',
  plural,
  singular: kindName.toLowerCase(),
  kind: kindName,
  namespaced,
  shortNames: [],
  categories: [],
  verbs: ['list'],
  subresources: [],
})
const pods = kind('pods', 'Pod', true)
const namespaces = kind('namespaces', 'Namespace', false)

/** One who works in the namespace `shop` of a cluster with these pods. */
function working(inPods: readonly string[], { given = false, namespace = 'shop' } = {}): Session {
  const items = inPods.map((place) => {
    const [namespace, name] = place.split('/')
    return { metadata: { namespace, name } }
  })
  const session = {
    namespace,
    namespaceGiven: given,
    kinds: async () => new Kinds([pods, namespaces]),
    json: async (_method: string, path: string) => ({
      items: path === '/api/v1/namespaces' ? [{ metadata: { name: 'shop' } }, { metadata: { name: 'bank' } }] : items,
    }),
  }
  return session as unknown as Session
}

const missing = (details: object) => new StatusError(404, 'NotFound', 'not found', details)

test('a name that is elsewhere is found there, also where one here is near', async () => {
  const session = working(['shop/web-2', 'bank/web-1'])
  expect(await nameHint(session, missing({ kind: 'pods', name: 'web-1' }))).toBe(
    'There is one in the namespace "bank": add -n bank\n',
  )
  expect(await missingHint(session, pods, 'wbe-2')).toBe('Did you mean "web-2"?\n')
})

test('a pod that is looked for by the name of what makes it is looked for there', async () => {
  const deployments = { ...kind('deployments', 'Deployment', true), group: 'apps' }
  const session = {
    namespace: 'shop',
    kinds: async () => new Kinds([pods, namespaces, deployments]),
    json: async (_method: string, path: string, { query = {} }: { query?: Record<string, string> } = {}) => {
      if (path === '/api/v1/namespaces') return { items: [{ metadata: { name: 'shop' } }] }
      const inShop = path === '/apis/apps/v1/namespaces/shop/deployments' && query.fieldSelector === 'metadata.name=web'
      return { items: inShop ? [{ metadata: { namespace: 'shop', name: 'web' } }] : [] }
    },
  } as unknown as Session
  expect(await missingHint(session, pods, 'web')).toBe('Did you mean deployment/web?\n')
  expect(await missingHint(session, pods, 'wob')).toBe('')
})

test('usage is told of by the pods it is of', async () => {
  const details = { group: 'metrics.k8s.io', kind: 'podmetrics', name: 'shop/wbe-2' }
  expect(await nameHint(working(['shop/web-2']), missing(details))).toBe('Did you mean "web-2"?\n')
})

test('what is to be written into a namespace that is not there is told which was meant, or how to make it', async () => {
  const writing = (name: string) => new WhileDoing('when creating "x"', missing({ kind: 'namespaces', name }))
  expect(await nameHint(working([]), writing('shpo'))).toBe('Did you mean "shop"?\n')
  const hint = 'Make it first: gantry create namespace garden\n'
  expect(await nameHint(working([]), writing('garden'))).toBe(hint)
  expect(await nameHint(working([], { namespace: 'garden' }), writing('garden').refusal)).toBe(hint)
  expect(await nameHint(working([]), writing('garden').refusal)).toBe('')
})

test.each([
  [['shop/a'], ''],
  [[], ''],
  [['bank/a'], 'There is one in the namespace "bank": add -n bank\n'],
  [['bank/a', 'bank/b'], 'There are 2 in the namespace "bank": add -n bank\n'],
  [['a/a', 'b/b', 'c/c', 'd/d'], 'There are some in other namespaces (a, b, c, …): add -n NAME, or -A for all\n'],
])('where nothing is here, of %j it is said "%s"', async (there, hint) => {
  expect(await elsewhereHint(working(there), pods)).toBe(hint)
})

test('a namespace that is given and is not there is the mistake', async () => {
  const session = working(['bank/a'], { given: true, namespace: 'bnak' })
  expect(await elsewhereHint(session, pods)).toBe('There is no namespace "bnak". Did you mean "bank"?\n')
})
