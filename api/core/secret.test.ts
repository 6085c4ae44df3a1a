import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Secret } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { keyPairFault } from './key-pair.ts'
import { type SecretObject, secrets } from './secret.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const base64 = (text: string) => Buffer.from(text).toString('base64')

function secret(content: Partial<Secret>): SecretObject {
  const made: SecretObject = { ...content, metadata: content.metadata ?? { name: 'a' } }
  secrets.defaults?.(made)
  return made
}

const faults = (content: Partial<Secret>, old?: Partial<Secret>) =>
  secrets.validate?.(secret(content), old && secret(old), ctx).map(formatFieldError)
const account = 'kubernetes.io/service-account.name'

describe('a secret', () => {
  it('is opaque, and takes in what came as plain text', () => {
    expect(secret({ data: { a: base64('1'), b: base64('1') }, stringData: { a: '2', c: 'ü' } })).toEqual({
      metadata: { name: 'a' },
      type: 'Opaque',
      data: { a: base64('2'), b: base64('1'), c: base64('ü') },
    })
  })

  it.each<[string, Partial<Secret>, string[]]>([
    ['opaque', {}, []],
    ['of a type nobody knows', { type: 'a/b' }, []],
    [
      'too long',
      { data: { a: base64('x'.repeat(1_048_577)) } },
      ['data: Too long: may not be more than 1048576 bytes'],
    ],
    ['a token', { type: 'kubernetes.io/service-account-token', metadata: { annotations: { [account]: 'x' } } }, []],
    [
      'a token of nobody',
      { type: 'kubernetes.io/service-account-token' },
      [`metadata.annotations[${account}]: Required value`],
    ],
    [
      'a docker configuration',
      { type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{"auths":{}}' } },
      [],
    ],
    ['one without content', { type: 'kubernetes.io/dockercfg' }, ['data[.dockercfg]: Required value']],
    [
      'one with broken content',
      { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': 'password' } },
      ['data[.dockercfg]: Invalid value: "<secret contents redacted>": invalid JSON'],
    ],
    [
      'one with a list',
      { type: 'kubernetes.io/dockercfg', stringData: { '.dockercfg': '[]' } },
      [
        'data[.dockercfg]: Invalid value: "<secret contents redacted>": json: cannot unmarshal array into Go value of type map[string]interface {}',
      ],
    ],
    ['a user', { type: 'kubernetes.io/basic-auth', data: { username: '' } }, []],
    [
      'nobody',
      { type: 'kubernetes.io/basic-auth' },
      ['data[username]: Required value', 'data[password]: Required value'],
    ],
    [
      'an empty key',
      { type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } },
      ['data[ssh-privatekey]: Required value'],
    ],
    ['half a pair', { type: 'kubernetes.io/tls', data: { 'tls.crt': '' } }, ['data[tls.key]: Required value']],
  ])('may be %s, or is told why not', (_, content, expected) => {
    expect(faults(content)).toEqual(expected)
  })

  it('never changes its type, and once sealed nothing', () => {
    expect(faults({ type: 'a/b' }, {})).toEqual(['type: Invalid value: "a/b": field is immutable'])
    expect(faults({ immutable: true, stringData: { a: '2' } }, { immutable: true, stringData: { a: '1' } })).toEqual([
      'data: Forbidden: field is immutable when `immutable` is set',
    ])
  })
})

describe('a key pair', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'

  it.each([
    ['nothing at all', '', '', 'tls: failed to find any PEM data in certificate input'],
    ['no key', certificate, '', 'tls: failed to find any PEM data in key input'],
    [
      'two certificates',
      certificate,
      certificate,
      'tls: found a certificate rather than a key in the PEM for the private key',
    ],
    [
      'the wrong way round',
      key,
      certificate,
      'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched',
    ],
    ['a broken certificate', certificate, key, 'x509: malformed certificate'],
  ])('with %s', (_, cert, privatePart, expected) => {
    expect(keyPairFault(cert, privatePart)).toBe(expected)
  })

  it('of a TLS secret that does not fit is worth a warning, not a refusal', () => {
    const made = secret({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x', 'tls.key': 'y' } })
    expect(secrets.validate?.(made, undefined, ctx)).toEqual([])
    expect(secrets.warnings?.(made, undefined)).toEqual(['tls: failed to find any PEM data in certificate input'])
  })
})
