import { expect, test } from 'vitest'
import { minified, redacted, withEntry } from './kubeconfig.ts'

const config = {
  clusters: [
    { name: 'a', cluster: { server: 'https://a', 'certificate-authority-data': 'x' } },
    { name: 'b', cluster: {} },
  ],
  users: [{ name: 'jane', user: { token: 't' } }],
  contexts: [{ name: 'here', context: { cluster: 'a', user: 'jane' } }],
  'current-context': 'here',
}

test('what is set leaves the other fields of an entry alone', () => {
  const changed = withEntry(config, 'contexts', 'here', { namespace: 'shop' })
  expect(changed.isNew).toBe(false)
  expect(changed.config.contexts).toEqual([
    { name: 'here', context: { cluster: 'a', user: 'jane', namespace: 'shop' } },
  ])
  expect(withEntry(config, 'users', 'joe', {}).isNew).toBe(true)
})

test('keys and tokens are not shown', () => {
  expect(JSON.stringify(redacted(config))).not.toMatch(/"x"|"t"/)
})

test('only what the context needs', () => {
  expect(minified(config, 'here').clusters?.map(({ name }) => name)).toEqual(['a'])
  expect(() => minified(config, 'there')).toThrow('cannot locate context there')
})
