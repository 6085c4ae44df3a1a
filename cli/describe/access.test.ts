import { expect, test } from 'vitest'
import { compactRules } from './access.ts'

test('verbs for one resource come together, in the order of the verbs', () => {
  const rules = [
    { apiGroups: ['', 'apps'], resources: ['pods', 'deployments/scale'], verbs: ['list'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: ['a', 'b'], verbs: ['get'] },
    { nonResourceURLs: ['/healthz'], verbs: ['get', 'post'] },
  ]
  expect(compactRules(rules).map(({ what, urls, names, verbs }) => [what, ...urls, ...names, verbs.join('+')])).toEqual(
    [
      ['', '/healthz', 'get'],
      ['secrets', 'a', 'get'],
      ['secrets', 'b', 'get'],
      ['pods', 'list+get'],
      ['deployments/scale', 'list'],
      ['deployments.apps/scale', 'list'],
      ['pods.apps', 'list'],
      ['', '/healthz', 'post'],
    ],
  )
})
