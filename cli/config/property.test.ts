import { describe, expect, test } from 'vitest'
import { propertyOf, withProperty } from './property.ts'

const config = {
  'current-context': 'a',
  clusters: [{ name: 'x.y', cluster: { server: 'https://one' } }],
  contexts: [{ name: 'a', context: { cluster: 'x.y', namespace: 'n' } }],
}

describe('a property of a kubeconfig', () => {
  test.each([
    ['current-context', { field: 'current-context' }],
    ['clusters.x.y.server', { section: 'clusters', name: 'x.y', field: 'server' }],
    ['users.mine', { section: 'users', name: 'mine' }],
  ])('is read: %s', (text, property) => {
    expect(propertyOf(text)).toEqual(property)
  })

  test('is set, where its entry is and where there is none yet', () => {
    expect(withProperty(config, 'current-context', 'b')['current-context']).toBe('b')
    expect(withProperty(config, 'clusters.x.y.server', 'https://two').clusters).toEqual([
      { name: 'x.y', cluster: { server: 'https://two' } },
    ])
    expect(withProperty(config, 'users.me.token', 't').users).toEqual([{ name: 'me', user: { token: 't' } }])
  })

  test('is taken away, and so is a whole entry', () => {
    expect(withProperty(config, 'contexts.a.namespace', undefined).contexts).toEqual([
      { name: 'a', context: { cluster: 'x.y' } },
    ])
    expect(withProperty(config, 'contexts.a.z', undefined).contexts).toEqual(config.contexts)
    expect(() => withProperty(config, 'clusters.x', 'y')).toThrow('write clusters.NAME.FIELD')
  })
})
