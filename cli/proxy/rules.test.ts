import { expect, test } from 'vitest'
import { isServed, parseRules } from './rules.ts'

const pods = '/api/v1/namespaces/a/pods'

test.each([
  ['the API, on this machine', {}, { host: '127.0.0.1:8001', path: pods }, true],
  ['by its name', {}, { host: 'localhost', path: pods }, true],
  ['on IPv6', {}, { host: '[::1]:8001', path: pods }, true],
  ['not by a name that somebody else chose', {}, { host: 'evil.example', path: pods }, false],
  ['no shell', {}, { host: 'localhost', path: `${pods}/web/exec` }, false],
  ['a shell where that is let', { rejectPaths: '' }, { host: 'localhost', path: `${pods}/web/exec` }, true],
  ['no method that is refused', { rejectMethods: '^POST$' }, { host: 'localhost', path: pods, method: 'POST' }, false],
  ['everything to everybody', { disableFilter: true }, { host: 'evil.example', path: `${pods}/web/exec` }, true],
])('passes on %s', (_name, flags, request, is) => {
  expect(isServed(parseRules(flags), { method: 'GET', ...request })).toBe(is)
})

test('says what is no pattern', () => {
  expect(() => parseRules({ acceptPaths: '(' })).toThrow('( is no regular expression')
})
