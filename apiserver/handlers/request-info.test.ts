import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRequestInfo } from './request-info.ts'

const cases: [string, string, object][] = [
  ['GET', '/api/v1/pods', { verb: 'list', group: '', version: 'v1', resource: 'pods', namespace: '' }],
  ['GET', '/api/v1/pods?watch=true', { verb: 'watch', resource: 'pods' }],
  ['GET', '/api/v1/watch/namespaces/a/pods', { verb: 'watch', resource: 'pods', namespace: 'a' }],
  [
    'GET',
    '/api/v1/namespaces/a/pods/b/log?follow=true',
    { verb: 'get', resource: 'pods', name: 'b', subresource: 'log', namespace: 'a' },
  ],
  ['GET', '/api/v1/namespaces', { verb: 'list', resource: 'namespaces', name: '', namespace: '' }],
  ['GET', '/api/v1/namespaces/a', { verb: 'get', resource: 'namespaces', name: 'a', namespace: 'a' }],
  [
    'PUT',
    '/api/v1/namespaces/a/finalize',
    { verb: 'update', resource: 'namespaces', name: 'a', subresource: 'finalize' },
  ],
  [
    'PATCH',
    '/apis/apps/v1/namespaces/a/deployments/d/scale',
    { verb: 'patch', group: 'apps', resource: 'deployments', name: 'd', subresource: 'scale' },
  ],
  [
    'DELETE',
    '/apis/apps/v1/namespaces/a/deployments',
    { verb: 'deletecollection', resource: 'deployments', namespace: 'a' },
  ],
  [
    'POST',
    '/api/v1/namespaces/a/services/https:web:8443/proxy/x/y',
    { verb: 'create', resource: 'services', name: 'https:web:8443', subresource: 'proxy', rest: 'x/y' },
  ],
  ['GET', '/healthz', { isResource: false, verb: 'get' }],
  ['GET', '/apis/apps/v1', { isResource: false }],
  ['HEAD', '/api/v1/pods', { verb: 'list' }],
]

describe('reading a request line', () => {
  it.each(cases)('%s %s', (method, url, expected) => {
    expect(parseRequestInfo(method, url)).toMatchObject(expected)
  })

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.webPath(), (junk, path) => {
        parseRequestInfo('GET', `/${junk}`)
        parseRequestInfo('DELETE', `/apis${path}?${junk}`)
      }),
    )
  })

  it('refuses escapes that are none', () => {
    expect(parseRequestInfo('GET', '/api/v1/pods/%zz')).toBeUndefined()
  })
})
