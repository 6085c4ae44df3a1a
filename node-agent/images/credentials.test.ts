import { describe, expect, it } from 'vitest'
import type { Secret } from '../../api/generated/types.ts'
import { credentialsFor } from './credentials.ts'

const base64 = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
const config = (auths: object): Secret => ({
  type: 'kubernetes.io/dockerconfigjson',
  data: { '.dockerconfigjson': base64({ auths }) },
})
const login = (username: string) => ({ username, password: 'p' })
const users = (image: string, ...secrets: Secret[]) => credentialsFor(image, secrets).map(({ username }) => username)

describe('the credentials for an image', () => {
  it.each([
    ['a host', 'reg.io', 'reg.io/team/app:1', true],
    ['a host with a port', 'reg.io:5000', 'reg.io:5000/app', true],
    ['another port', 'reg.io:5000', 'reg.io/app', false],
    ['a path', 'reg.io/team', 'reg.io/team/app', true],
    ['another path', 'reg.io/other', 'reg.io/team/app', false],
    ['an address with scheme and version', 'https://reg.io/v2/', 'reg.io/app', true],
    ['a glob', '*.reg.io', 'eu.reg.io/app', true],
    ['a glob of another depth', '*.reg.io', 'a.eu.reg.io/app', false],
    ["the default registry's old address", 'https://index.docker.io/v1/', 'nginx', true],
    ["the default registry's, for an image elsewhere", 'https://index.docker.io/v1/', 'reg.io/nginx', false],
  ])('%s', (_what, location, image, fits) => {
    expect(users(image, config({ [location]: login('ali') }))).toEqual(fits ? ['ali'] : [])
  })

  it('come the most specific first, from all secrets', () => {
    const image = 'reg.io/team/app'
    expect(users(image, config({ 'reg.io': login('all') }), config({ 'reg.io/team': login('team') }))).toEqual([
      'team',
      'all',
    ])
  })

  it('are read from the old form too, and from user and password in one', () => {
    const old: Secret = {
      type: 'kubernetes.io/dockercfg',
      data: { '.dockercfg': base64({ 'reg.io': { auth: base64('bo:x:y') } }) },
    }
    expect(credentialsFor('reg.io/app', [old])).toEqual([{ username: 'bo', password: 'x:y' }])
  })

  it('are passed over where a secret holds none that can be read', () => {
    const broken: Secret = { type: 'kubernetes.io/dockerconfigjson', data: { '.dockerconfigjson': base64('{') } }
    expect(users('reg.io/app', broken, { type: 'Opaque', data: {} }, config({ 'reg.io': login('ali') }))).toEqual([
      'ali',
    ])
  })
})
