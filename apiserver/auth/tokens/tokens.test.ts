import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { legacyTokenClaims } from '../../../api/authentication/legacy-token.ts'
import {
  loadSigningKey,
  loadVerificationKey,
  type SigningKey,
  signClaims,
} from '../../../api/authentication/signing-keys.ts'
import type { KubeObject } from '../../../api/machinery/object.ts'
import { createAuthenticator, type RequestAuthenticator } from '../authenticator.ts'
import { MemoryClient } from '../testing/memory-client.ts'
import { createBootstrapTokenAuthenticator } from './bootstrap-token.ts'
import { discoveryDocuments } from './discovery-documents.ts'
import { createTokenIssuer, type TokenIssuer } from './issue.ts'
import { createServiceAccountAuthenticator } from './service-account.ts'
import { createTokenFileAuthenticator } from './token-file.ts'
import { requestToken, type TokenRequestObject } from './token-request.ts'

const issuerUrl = 'https://kubernetes.default.svc.cluster.local'
const pem = (type: 'ec' | 'rsa') => {
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
}
const key: SigningKey = loadSigningKey(pem('ec'))

let client: MemoryClient
let issuer: TokenIssuer
let nowMs: number
let authenticator: RequestAuthenticator

const start = Date.parse('2026-03-01T12:00:00Z')
beforeEach(() => {
  client = new MemoryClient()
  client.put('', 'serviceaccounts', { metadata: { name: 'app', namespace: 'web', uid: 'sa-1' } })
  nowMs = start
  issuer = createTokenIssuer(key, issuerUrl)
  authenticator = createAuthenticator({
    tokens: [
      createTokenFileAuthenticator('t0ken,jane,42,"dev,ops"\n"a""b",bob,7\n\n', 'tokens.csv'),
      createServiceAccountAuthenticator({
        client,
        lookup: client.lookup,
        keys: [key],
        issuers: [issuerUrl],
        apiAudiences: [issuerUrl],
        now: () => nowMs,
      }),
      createBootstrapTokenAuthenticator(client, client.lookup('', 'secrets'), () => nowMs),
    ],
    apiAudiences: [issuerUrl],
    anonymous: true,
  })
})

const ask = (request: Partial<TokenRequestObject> = {}, name = 'app') =>
  requestToken(
    { metadata: {}, ...request },
    { client, lookup: client.lookup, issuer, apiAudiences: [issuerUrl] },
    { namespace: 'web', name, nowMs, warn: () => {} },
  )
const tokenOf = async (spec: TokenRequestObject['spec'] = {}) => (await ask({ spec })).status?.token ?? ''
const claims = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

describe('who asks', () => {
  test('a certificate, a token from the file, and nobody', async () => {
    const certificate = { commonName: 'kubelet', organizations: ['system:nodes'], fingerprint256: 'AB:CD' }
    const first = authenticator.authenticate({ certificate })
    expect(first).toEqual({
      name: 'kubelet',
      groups: ['system:nodes', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=abcd'] },
    })
    expect(authenticator.authenticate({ certificate })).toBe(first)
    expect(await authenticator.authenticate({ bearerToken: 't0ken' })).toEqual({
      name: 'jane',
      uid: '42',
      groups: ['dev', 'ops', 'system:authenticated'],
    })
    expect(await authenticator.authenticate({ bearerToken: 'a"b' })).toMatchObject({ name: 'bob' })
    expect(authenticator.authenticate({})).toEqual({ name: 'system:anonymous', groups: ['system:unauthenticated'] })
    expect(createAuthenticator({ tokens: [], apiAudiences: [], anonymous: false }).authenticate({})).toBeUndefined()
  })

  test('a wrong token is refused although anyone is let in', async () => {
    await expect(authenticator.authenticate({ bearerToken: 'guess' })).rejects.toMatchObject({ code: 401 })
  })

  test('a token file with too few columns is an error', () => {
    expect(() => createTokenFileAuthenticator('a,b', 'f')).toThrow("token file 'f' must have at least 3 columns")
  })
})

describe('service-account tokens', () => {
  test('a token is its account, with what it is bound to', async () => {
    client.put('', 'pods', {
      metadata: { name: 'p', namespace: 'web', uid: 'pod-1' },
      spec: { serviceAccountName: 'app', nodeName: 'n1' },
    })
    client.put('', 'nodes', { metadata: { name: 'n1', uid: 'node-1' } })
    const token = await tokenOf({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'pod-1' } })
    expect(claims(token)).toEqual({
      aud: [issuerUrl],
      exp: start / 1000 + 3600,
      iat: start / 1000,
      iss: issuerUrl,
      jti: expect.any(String),
      'kubernetes.io': {
        namespace: 'web',
        node: { name: 'n1', uid: 'node-1' },
        pod: { name: 'p', uid: 'pod-1' },
        serviceaccount: { name: 'app', uid: 'sa-1' },
      },
      nbf: start / 1000,
      sub: 'system:serviceaccount:web:app',
    })
    const user = await authenticator.authenticate({ bearerToken: token })
    const note = (name: string) => `authentication.kubernetes.io/${name}`
    expect(user).toEqual({
      name: 'system:serviceaccount:web:app',
      uid: 'sa-1',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:web', 'system:authenticated'],
      extra: {
        [note('pod-name')]: ['p'],
        [note('pod-uid')]: ['pod-1'],
        [note('node-name')]: ['n1'],
        [note('node-uid')]: ['node-1'],
        [note('credential-id')]: [`JTI=${claims(token).jti}`],
      },
    })
    expect(await authenticator.authenticate({ bearerToken: token })).toBe(user)
    client.remove('', 'pods', 'web', 'p')
    await expect(authenticator.authenticateToken(token, [issuerUrl])).rejects.toThrow(
      '[invalid bearer token, service account token has been invalidated]',
    )
  })

  test('it dies with its time, its account, or a namesake of its account', async () => {
    const token = await tokenOf()
    const check = () => authenticator.authenticateToken(token, [issuerUrl])
    nowMs = start + 3_600_000 + 59_000
    await check()
    nowMs = start + 3_600_000 + 61_000
    await expect(check()).rejects.toThrow('service account token has expired')
    nowMs = start - 61_000
    await expect(check()).rejects.toThrow('service account token is not valid yet')
    nowMs = start
    client.put('', 'serviceaccounts', { metadata: { name: 'app', namespace: 'web', uid: 'sa-2' } })
    await expect(check()).rejects.toThrow('service account UID (sa-2) does not match claim (sa-1)')
    client.remove('', 'serviceaccounts', 'web', 'app')
    await expect(check()).rejects.toThrow('not found')
    client.putAhead('', 'serviceaccounts', { metadata: { name: 'app', namespace: 'web', uid: 'sa-1' } })
    await check()
  })

  test('it is for its audiences only, and a change or another key spoils it', async () => {
    const token = await tokenOf({ audiences: ['vault'] })
    await expect(authenticator.authenticate({ bearerToken: token })).rejects.toMatchObject({ code: 401 })
    expect((await authenticator.authenticateToken(token, ['vault', 'x'])).audiences).toEqual(['vault'])
    const [head, , signature] = token.split('.')
    const forged = Buffer.from(
      JSON.stringify({ ...claims(token), sub: 'system:serviceaccount:kube-system:root' }),
    ).toString('base64url')
    await expect(authenticator.authenticateToken(`${head}.${forged}.${signature}`, ['vault'])).rejects.toThrow(
      'signature',
    )
    const other = createTokenIssuer(loadSigningKey(pem('ec')), issuerUrl)
    const foreign = await other.issueServiceAccountToken({
      serviceAccount: { metadata: { name: 'app', namespace: 'web', uid: 'sa-1' } },
      audiences: [issuerUrl],
      expirationSeconds: 600,
      nowMs,
    })
    await expect(authenticator.authenticateToken(foreign, [issuerUrl])).rejects.toThrow('no keys found')
  })

  test('a token in a secret is good as long as the secret holds it', async () => {
    const secret = { metadata: { name: 's', namespace: 'web' }, type: 'kubernetes.io/service-account-token' }
    const token = await signClaims(
      key,
      legacyTokenClaims({ metadata: { name: 'app', namespace: 'web', uid: 'sa-1' } }, secret),
    )
    client.put('', 'secrets', { ...secret, data: { token: Buffer.from(token).toString('base64') } })
    expect(await authenticator.authenticate({ bearerToken: token })).toMatchObject({
      name: 'system:serviceaccount:web:app',
    })
    expect(client.cached<KubeObject>(client.lookup('', 'secrets'), 'web', 's')?.metadata.labels).toEqual({
      'kubernetes.io/legacy-token-last-used': new Date(nowMs).toISOString().slice(0, 10),
    })
    client.put('', 'secrets', { ...secret, data: {} })
    await expect(authenticator.authenticateToken(token, [issuerUrl])).rejects.toThrow(
      "Token does not match server's copy",
    )
  })

  test('RSA keys work as well', async () => {
    const rsa = loadSigningKey(pem('rsa'))
    const token = await createTokenIssuer(rsa, issuerUrl).issueServiceAccountToken({
      serviceAccount: { metadata: { name: 'app', namespace: 'web', uid: 'sa-1' } },
      audiences: [issuerUrl],
      expirationSeconds: 600,
      nowMs,
    })
    const publicPem = String(createPublicKey(rsa.privateKey).export({ type: 'spki', format: 'pem' }))
    const verifier = createServiceAccountAuthenticator({
      client,
      lookup: client.lookup,
      keys: [key, loadVerificationKey(publicPem)],
      issuers: [issuerUrl],
      apiAudiences: [issuerUrl],
      now: () => nowMs,
    })
    expect(await verifier.authenticateToken(token, [issuerUrl])).toBeDefined()
  })

  test('others learn our keys from the discovery documents', () => {
    const { configuration, jwks } = discoveryDocuments([key], {
      issuer: issuerUrl,
      jwksUri: 'https://10.0.0.1:6443/openid/v1/jwks',
    })
    expect(JSON.parse(configuration.toString())).toEqual({
      issuer: issuerUrl,
      jwks_uri: 'https://10.0.0.1:6443/openid/v1/jwks',
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['ES256'],
    })
    const { keys } = JSON.parse(jwks.toString())
    expect(keys).toEqual([
      {
        use: 'sig',
        kty: 'EC',
        kid: key.keyId,
        alg: 'ES256',
        crv: 'P-256',
        x: expect.any(String),
        y: expect.any(String),
      },
    ])
  })
})

describe('token requests', () => {
  test.each<[number, string]>([
    [599, 'may not specify a duration less than 10 minutes'],
    [2 ** 32 + 1, 'may not specify a duration larger than 2^32 seconds'],
  ])('%i seconds are refused', async (expirationSeconds, message) => {
    await expect(ask({ spec: { expirationSeconds } })).rejects.toThrow(
      `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: ${expirationSeconds}: ${message}`,
    )
  })

  test('the answer tells audiences, account and end', async () => {
    expect(await ask({ spec: { expirationSeconds: 600 } })).toEqual({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: { name: 'app', namespace: 'web', uid: 'sa-1', creationTimestamp: '2026-03-01T12:00:00Z' },
      spec: { audiences: [issuerUrl], expirationSeconds: 600 },
      status: { token: expect.any(String), expirationTimestamp: '2026-03-01T12:10:00Z' },
    })
  })

  test('the hour of a pod lasts a year, and says when it should have been renewed', async () => {
    client.put('', 'pods', {
      metadata: { name: 'p', namespace: 'web', uid: 'pod-1' },
      spec: { serviceAccountName: 'app' },
    })
    const token = await tokenOf({
      expirationSeconds: 3607,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p' },
    })
    expect(claims(token).exp).toBe(start / 1000 + 365 * 24 * 3600)
    expect(claims(token)['kubernetes.io'].warnafter).toBe(start / 1000 + 3607)
  })

  test.each<[string, Partial<TokenRequestObject>, number, string]>([
    ['an account that is not there', {}, 404, 'serviceaccounts "ghost" not found'],
    [
      'a pod of another account',
      { spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'other' } } },
      400,
      'cannot bind token for serviceaccount "app" to pod running with different serviceaccount name.',
    ],
    [
      'a pod that was replaced',
      { spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'mine', uid: 'old' } } },
      409,
      'Operation cannot be fulfilled on Pod "mine": the UID in the bound object reference (old) does not match the UID in record. The object might have been deleted and then recreated',
    ],
    [
      'a kind that cannot be bound to',
      { spec: { boundObjectRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd' } } },
      400,
      'cannot bind token to object of type apps/v1, Kind=Deployment',
    ],
    ['another name in the body', { metadata: { name: 'x' } }, 422, 'must match the service account name if specified'],
  ])('refuses %s', async (_, request, code, message) => {
    const pod = (name: string, serviceAccountName: string) => ({
      metadata: { name, namespace: 'web', uid: name },
      spec: { serviceAccountName },
    })
    client.put('', 'pods', pod('other', 'default')).put('', 'pods', pod('mine', 'app'))
    const error = await ask(request, code === 404 ? 'ghost' : 'app').catch((thrown) => thrown)
    expect(error).toMatchObject({ code })
    expect(error.message).toContain(message)
  })
})

describe('bootstrap tokens', () => {
  const put = (data: Record<string, string>, type = 'bootstrap.kubernetes.io/token') =>
    client.put('', 'secrets', {
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type,
      data: Object.fromEntries(
        Object.entries({
          'token-id': 'abcdef',
          'token-secret': '0123456789abcdef',
          'usage-bootstrap-authentication': 'true',
          ...data,
        }).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
      ),
    })
  const bearerToken = 'abcdef.0123456789abcdef'

  test('a valid one is a bootstrapper', async () => {
    put({ 'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token', expiration: '2026-03-01T12:00:01Z' })
    expect(await authenticator.authenticate({ bearerToken })).toEqual({
      name: 'system:bootstrap:abcdef',
      groups: ['system:bootstrappers', 'system:bootstrappers:kubeadm:default-node-token', 'system:authenticated'],
    })
  })

  test.each<[string, Record<string, string>, string?]>([
    ['expired', { expiration: '2026-03-01T11:59:59Z' }],
    ['with an end that cannot be read', { expiration: 'soon' }],
    ['not for authentication', { 'usage-bootstrap-authentication': 'false' }],
    ['with another secret', { 'token-secret': 'fedcba9876543210' }],
    ['that would make its bearer an admin', { 'auth-extra-groups': 'system:masters' }],
    ['of another type', {}, 'Opaque'],
  ])('one %s is nobody', async (_, data, type) => {
    put(data, type)
    await expect(authenticator.authenticate({ bearerToken })).rejects.toMatchObject({ code: 401 })
  })
})
