import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { Pkcs10CertificateRequestGenerator, X509CertificateGenerator } from '@peculiar/x509'
import { beforeAll, describe, expect, it } from 'vitest'
import { formatFieldError } from '../machinery/field-errors.ts'
import { cells, defaulted, faults, statusFaults, testContext } from '../machinery/kind-testing.ts'
import { certificateSigningRequests as kind, stampConditions, validateApprovalUpdate } from './index.ts'
import { certificateFault, requestFault } from './pem.ts'

type Algorithm = Parameters<typeof webcrypto.subtle.generateKey>[0]
const algorithms: Record<string, { key: Algorithm; signing: Algorithm }> = {
  RSA: {
    key: {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      publicExponent: new Uint8Array([1, 0, 1]),
      modulusLength: 2048,
    } as Algorithm,
    signing: { name: 'RSASSA-PKCS1-v1_5' } as Algorithm,
  },
  ECDSA: {
    key: { name: 'ECDSA', namedCurve: 'P-256' } as Algorithm,
    signing: { name: 'ECDSA', hash: 'SHA-256' } as Algorithm,
  },
}
const base64 = (pem: string) => Buffer.from(pem).toString('base64')
const requests: Record<string, string> = {}
let certificate = ''

beforeAll(async () => {
  for (const [name, { key, signing }] of Object.entries(algorithms)) {
    const keys = (await webcrypto.subtle.generateKey(key, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
    const made = await Pkcs10CertificateRequestGenerator.create(
      { name: 'CN=alice,O=devs', keys, signingAlgorithm: signing as never },
      webcrypto as never,
    )
    requests[name] = base64(made.toString('pem'))
    const signed = await X509CertificateGenerator.createSelfSigned(
      { name: 'CN=alice', keys, signingAlgorithm: signing as never },
      webcrypto as never,
    )
    certificate = base64(`${signed.toString('pem')}\n`)
  }
})

const request = (spec: object = {}, status?: object) => ({
  metadata: { name: 'r' },
  spec: { request: requests.ECDSA, signerName: 'example.com/signer', usages: ['client auth'], ...spec },
  ...(status ? { status } : {}),
})
const condition = (type: string, more: object = {}) => ({ type, status: 'True', ...more })

describe('the request itself', () => {
  it.each(['RSA', 'ECDSA'])('signed with %s is accepted, and not once a byte has changed', (name) => {
    const good = requests[name] as string
    expect(requestFault(good)).toBeUndefined()
    const pem = Buffer.from(good, 'base64').toString()
    const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
    const at = der.indexOf('alice')
    der[at] = 'm'.charCodeAt(0)
    expect(
      requestFault(
        base64(`-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`),
      ),
    ).toBe('x509: signature verification failed')
  })

  it.each([
    ['nothing', '', 'PEM block type must be CERTIFICATE REQUEST'],
    [
      'a certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'PEM block type must be CERTIFICATE REQUEST',
    ],
    [
      'rubbish',
      '-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n',
      'asn1: structure error: unexpected tag at the end',
    ],
  ])('%s is not', (_, pem, why) => {
    expect(requestFault(base64(pem))).toBe(why)
  })
})

it('certificates handed in are certificates and nothing else', () => {
  expect(certificateFault('')).toBeUndefined()
  expect(certificateFault(certificate)).toBeUndefined()
  expect(certificateFault(base64('hello'))).toBe('must contain at least one CERTIFICATE PEM block')
  expect(certificateFault(requests.RSA as string)).toBe(
    'only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"',
  )
})

describe('a signing request', () => {
  it.each([
    ['sound', () => request(), []],
    ['without usages', () => request({ usages: [] }), ['spec.usages: Required value']],
    ['with a usage twice', () => request({ usages: ['any', 'any'] }), ['spec.usages[1]: Duplicate value: "any"']],
    ['without signer', () => request({ signerName: '' }), ['spec.signerName: Required value']],
    [
      'of a signer without path',
      () => request({ signerName: 'example.com' }),
      [
        'spec.signerName: Invalid value: "example.com": must be a fully qualified domain and path of the form \'example.com/signer-name\'',
      ],
    ],
    [
      'of a signer without domain',
      () => request({ signerName: 'example/x' }),
      ['spec.signerName: Invalid value: "example": should be a domain with at least two segments separated by dots'],
    ],
    [
      'for too short a time',
      () => request({ expirationSeconds: 599 }),
      ['spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)'],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(kind, object())).toEqual(expected)
  })

  it('is stamped with who made it, whatever it says', () => {
    const object = defaulted(kind, request({ username: 'admin', groups: ['system:masters'] }))
    const user = { name: 'alice', groups: ['devs'], uid: '1', extra: { scopes: ['a'] } }
    kind.strategy.prepareForCreate?.(object, { ...testContext, user })
    expect(object.spec).toMatchObject({ username: 'alice', groups: ['devs'], uid: '1', extra: { scopes: ['a'] } })
  })
})

describe('answers to a request', () => {
  it('a signer may fail it and issue, but not decide', () => {
    const old = request({}, { conditions: [condition('Approved')] })
    expect(statusFaults(kind, request({}, { conditions: [condition('Approved')], certificate }), old)).toEqual([])
    expect(statusFaults(kind, request({}, { conditions: [condition('Approved'), condition('Failed')] }), old)).toEqual(
      [],
    )
    expect(statusFaults(kind, request({}, { conditions: [] }), old)).toEqual([
      'status.conditions: Forbidden: updates may not remove a condition of type "Approved"',
    ])
    expect(statusFaults(kind, request({}, { conditions: [condition('Approved')] }), request())).toEqual([
      'status.conditions: Forbidden: updates may not add a condition of type "Approved"',
    ])
    const issued = request({}, { certificate })
    expect(statusFaults(kind, request({}, { certificate: '' }), issued)).toEqual([
      'status.certificate: Forbidden: updates may not modify existing certificate content',
    ])
  })

  it('an approver may decide once, and not issue', () => {
    const decide = (object: object, old: object) =>
      validateApprovalUpdate(object as never, old as never).map(formatFieldError)
    expect(decide(request({}, { conditions: [condition('Denied')] }), request())).toEqual([])
    expect(decide(request({}, { conditions: [condition('Denied'), condition('Approved')] }), request())).toEqual([
      'status.conditions: Invalid value: "Approved": Approved and Denied conditions are mutually exclusive',
    ])
    expect(decide(request({}, { conditions: [condition('Approved', { status: 'False' })] }), request())).toEqual([
      'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
    ])
    expect(decide(request({}, { certificate }), request())).toEqual([
      'status.certificate: Forbidden: updates may not set certificate content',
    ])
  })

  it('get their times, and keep the time of a transition', () => {
    const old = request({}, { conditions: [condition('Approved', { lastTransitionTime: '2020-01-01T00:00:00Z' })] })
    const next = request({}, { conditions: [condition('Approved'), condition('Failed')] })
    stampConditions(next as never, old as never, testContext.nowMs)
    expect(next).toMatchObject({
      status: {
        conditions: [
          { lastTransitionTime: '2020-01-01T00:00:00Z', lastUpdateTime: '2026-01-02T03:04:05Z' },
          { lastTransitionTime: '2026-01-02T03:04:05Z' },
        ],
      },
    })
  })

  it('show in one word', () => {
    expect(cells(kind, request())).toMatchObject({
      Condition: 'Pending',
      RequestedDuration: '<none>',
      SignerName: 'example.com/signer',
    })
    expect(
      cells(kind, request({}, { conditions: [condition('Approved'), condition('Failed')], certificate })),
    ).toMatchObject({ Condition: 'Approved,Failed,Issued' })
  })
})
