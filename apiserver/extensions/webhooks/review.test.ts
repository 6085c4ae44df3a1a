import { describe, expect, it } from 'vitest'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import { newReview, readVerdict, refusal } from './review.ts'

const attributes = {
  operation: 'UPDATE',
  resource: new MemoryClient().lookup('', 'configmaps'),
  apiVersion: 'v1',
  subresource: 'status',
  namespace: 'shop',
  name: 'x',
  user: { name: 'jane', uid: 'u-1', groups: ['dev'], extra: { team: ['a'] } },
  dryRun: true,
  object: { metadata: { name: 'x' }, data: { a: 'new' } },
  old: { metadata: { name: 'x' }, data: { a: 'old' } },
} as unknown as AdmissionAttributes
const v1 = { group: '', version: 'v1' }

describe('a question', () => {
  it('says who wants what, in how far, and before and after', () => {
    const { uid, body } = newReview(attributes, v1)
    const resource = { group: '', version: 'v1', resource: 'configmaps' }
    const kind = { group: '', version: 'v1', kind: 'ConfigMap' }
    expect(body).toEqual({
      kind: 'AdmissionReview',
      apiVersion: 'admission.k8s.io/v1',
      request: {
        uid,
        kind,
        resource,
        subResource: 'status',
        requestKind: kind,
        requestResource: resource,
        requestSubResource: 'status',
        name: 'x',
        namespace: 'shop',
        operation: 'UPDATE',
        userInfo: { username: 'jane', uid: 'u-1', groups: ['dev'], extra: { team: ['a'] } },
        object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x' }, data: { a: 'new' } },
        oldObject: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x' }, data: { a: 'old' } },
        dryRun: true,
        options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1', dryRun: ['All'] },
      },
    })
  })

  it('has no options where somebody is connected', () => {
    const { body } = newReview({ ...attributes, operation: 'CONNECT' }, v1)
    expect(body.request).toMatchObject({ operation: 'CONNECT', options: null })
  })

  it.each([
    [['v2', 'v1beta1', 'v1'], 'admission.k8s.io/v1beta1'],
    [['v2'], 'admission.k8s.io/v1'],
  ])('is put to one who speaks %j in %s', (spoken, apiVersion) => {
    expect(newReview(attributes, v1, spoken).apiVersion).toBe(apiVersion)
  })
})

describe('an answer', () => {
  const question = (version = 'v1') => ({ apiVersion: `admission.k8s.io/${version}`, uid: 'u', body: {} })
  const answer = (response: unknown, version = 'v1') => ({
    kind: 'AdmissionReview',
    apiVersion: `admission.k8s.io/${version}`,
    response,
  })
  const patch = Buffer.from('[]').toString('base64')

  it.each<[string, unknown, string]>([
    ['nothing', null, 'expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got , Kind='],
    ['another kind', { ...answer({ uid: 'u' }), kind: 'Pod' }, 'got admission.k8s.io/v1, Kind=Pod'],
    ['another version', answer({ uid: 'u' }, 'v1beta1'), 'got admission.k8s.io/v1beta1, Kind=AdmissionReview'],
    ['nothing inside', answer(undefined), 'webhook response was absent'],
    ['no uid', answer({ allowed: true }), 'expected response.uid="u", got ""'],
    ['a patch of no type', answer({ uid: 'u', allowed: true, patch }), 'not response.patchType "JSONPatch"'],
    ['a patch that is none', answer({ uid: 'u', patch: 'e30x', patchType: 'JSONPatch' }), 'JSON'],
  ])('that is %s is none', (_, given, message) => {
    expect(() => readVerdict(given, question())).toThrow(message)
  })

  it('in the older version may leave out what it had no need to say', () => {
    expect(readVerdict(answer({ allowed: true, patch }, 'v1beta1'), question('v1beta1'))).toEqual({
      allowed: true,
      status: {},
      warnings: [],
      patch: [],
    })
  })

  it('allows only what it says it allows', () => {
    expect(readVerdict(answer({ uid: 'u', allowed: 'true' }), question()).allowed).toBe(false)
  })

  it('may be of any form', () => {
    const status = { code: '403', reason: 5, message: ['a'] }
    const { warnings, ...verdict } = readVerdict(answer({ uid: 'u', status, warnings: [1, 'b'], patch: 5 }), question())
    expect([verdict, warnings]).toEqual([{ allowed: false, status: {}, patch: undefined }, ['1', 'b']])
  })
})

describe('a refusal', () => {
  it.each<[object, number, string]>([
    [{ code: 403, reason: 'Forbidden', message: 'not you' }, 403, 'denied the request: not you'],
    [{ code: 403, reason: 'Forbidden' }, 403, 'denied the request: Forbidden'],
    [{ code: 200 }, 400, 'denied the request without explanation'],
    [{ code: 1000 }, 400, 'denied the request without explanation'],
    [{ code: Number.NaN }, 400, 'denied the request without explanation'],
  ])('with %j', (status, code, message) => {
    const refused = refusal('a', status)
    expect([refused.code, refused.message]).toEqual([code, `admission webhook "a" ${message}`])
  })
})
