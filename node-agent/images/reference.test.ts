import { expect, it } from 'vitest'
import { normalizeReference } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

it.each([
  ['nginx', 'docker.io/library/nginx:latest'],
  ['nginx:1.27', 'docker.io/library/nginx:1.27'],
  ['team/app', 'docker.io/team/app:latest'],
  ['localhost/app:1', 'localhost/app:1'],
  ['localhost:5000/team/app', 'localhost:5000/team/app:latest'],
  ['registry.k8s.io/pause:3.10', 'registry.k8s.io/pause:3.10'],
  [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
  [`127.0.0.1:5000/a/b__c:x@${digest}`, `127.0.0.1:5000/a/b__c:x@${digest}`],
])('reads %s as %s', (text, whole) => {
  expect(normalizeReference(text)).toBe(whole)
})

it.each(['', 'Nginx', 'a//b', 'nginx:', 'nginx:@x', '-a', 'UPPER/lower', 'a b', 'a'.repeat(300), 'f'.repeat(64)])(
  'takes %j for no name',
  (text) => {
    expect(normalizeReference(text)).toBeUndefined()
  },
)
