import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAuthority, type ParsedCsr } from '../../api/certificates/issue.ts'
import type { CertificateSigningRequest, SubjectAccessReview } from '../../api/generated/types.ts'
import { formatTime } from '../../api/machinery/time.ts'
import { type Controller, runController } from '../../client/controller.ts'
import { InformerFactory } from '../../client/informer.ts'
import { certificateSigningRequests } from '../../client/resources.ts'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { MemoryApi } from '../../client/testing/memory-api.ts'
import type { Live } from '../../client/types.ts'
import { at, depsFor, t0 } from '../testing/build.ts'
import type { ControllerDeps } from '../types.ts'
import { approvalsFor, newCsrApprovingController } from './approver.ts'
import { csrGarbage, newCsrCleanerController } from './cleaner.ts'
import { newCsrSigningController, planSigning } from './signer.ts'
import { kubeletClientSigner, signedSeconds } from './signers.ts'
import { makeCsr } from './testing/make-csr.ts'

const nodeCsr = { commonName: 'system:node:n1', organization: 'system:nodes' }
const parsed = (more: Partial<ParsedCsr> = {}): ParsedCsr => ({
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
  ...more,
})
const request = (signerName: string, usages: string[], more: object = {}): CertificateSigningRequest => ({
  metadata: { name: 'r' },
  spec: { signerName, usages, request: '', ...more },
})
const forClient = ['digital signature', 'client auth']
const forServer = ['digital signature', 'key encipherment', 'server auth']

describe('a request is signed', () => {
  const serving = 'kubernetes.io/kubelet-serving'
  const client = 'kubernetes.io/kube-apiserver-client'
  test.each<[string, string, string[], Partial<ParsedCsr>, string | undefined]>([
    ['of a node as a client', kubeletClientSigner, forClient, {}, undefined],
    [
      'of another organization',
      kubeletClientSigner,
      forClient,
      { organizations: ['a'] },
      'subject organization is not system:nodes',
    ],
    [
      'of a node with a name',
      kubeletClientSigner,
      forClient,
      { dnsNames: ['a'] },
      'DNS subjectAltNames are not allowed',
    ],
    [
      'of a node with an address',
      kubeletClientSigner,
      forClient,
      { ipAddresses: ['1.2.3.4'] },
      'IP subjectAltNames are not allowed',
    ],
    [
      'of no node',
      kubeletClientSigner,
      forClient,
      { commonName: 'jane' },
      'subject common name does not begin with system:node:',
    ],
    [
      'of a node for more than a client’s use',
      kubeletClientSigner,
      [...forClient, 'server auth'],
      {},
      'usages did not match [client auth digital signature key encipherment]',
    ],
    ['of a node as a server', serving, forServer, { ipAddresses: ['1.2.3.4'] }, undefined],
    ['of a server without a name', serving, forServer, {}, 'DNS or IP subjectAltName is required'],
    ['of a person', client, forClient, { commonName: 'jane', organizations: [] }, undefined],
    ['of a person as a server', client, forServer, {}, 'invalid usage for client certificate: server auth'],
    [
      'of a person for nothing',
      client,
      ['digital signature'],
      {},
      'missing required usage for client certificate: client auth',
    ],
    ['of anybody, by the old signer', 'kubernetes.io/legacy-unknown', ['any'], {}, undefined],
  ])('%s', (_, signer, usages, csr, why) => {
    const plan = planSigning(request(signer, usages), parsed(csr), 3600)
    expect(plan).toEqual(why === undefined ? { do: 'sign', usages, seconds: 3600 } : { do: 'fail', why })
  })

  test('by nobody, if the signer is not one of ours', () => {
    expect(planSigning(request('acme.io/web', forClient), parsed(), 3600)).toEqual({ do: 'nothing' })
  })

  test('for as long as it asks, within bounds', () => {
    const day = 86_400
    expect(signedSeconds(undefined, 365 * day)).toBe(365 * day - 300)
    expect(signedSeconds(3600, 365 * day)).toBe(3600)
    expect(signedSeconds(1, 365 * day)).toBe(600)
    expect(signedSeconds(400 * day, 365 * day)).toBe(365 * day - 300)
  })
})

test('a node’s own request needs the right to renew, another’s the right to make nodes', () => {
  const rights = (username: string, csr: Partial<ParsedCsr> = {}, signer: string = kubeletClientSigner) =>
    approvalsFor(request(signer, forClient, { username }), parsed(csr)).map(({ subresource }) => subresource)
  expect(rights('system:node:n1')).toEqual(['selfnodeclient', 'nodeclient'])
  expect(rights('system:bootstrap:abc')).toEqual(['nodeclient'])
  expect(rights('system:node:n1', { organizations: ['a'] })).toEqual([])
  expect(rights('system:node:n1', {}, 'kubernetes.io/kube-apiserver-client')).toEqual([])
})

describe('a request is removed', () => {
  const condition = (type: string, seconds: number) => ({ type, status: 'True', lastUpdateTime: at(seconds) })
  const made = (status: object): Live<CertificateSigningRequest> => ({
    metadata: { name: 'r', creationTimestamp: at(0) },
    spec: { signerName: 'a', request: '' },
    status,
  })
  const hour = 3600
  test.each<[string, object, number, string | undefined]>([
    ['a day after nobody decided', {}, 24 * hour + 1, 'never decided'],
    ['not before', {}, 24 * hour, undefined],
    ['an hour after it was denied', { conditions: [condition('Denied', 0)] }, hour + 1, 'denied'],
    ['an hour after it failed', { conditions: [condition('Approved', 0), condition('Failed', 0)] }, hour + 1, 'failed'],
    [
      'an hour after it was issued',
      { conditions: [condition('Approved', 0)], certificate: 'eA==' },
      hour + 1,
      'issued',
    ],
    [
      'a day after nobody issued',
      { conditions: [condition('Approved', 0)] },
      24 * hour + 1,
      'approved, and never issued',
    ],
    ['not while a signer may still come', { conditions: [condition('Approved', 0)] }, 23 * hour, undefined],
  ])('%s', (_, status, seconds, why) => {
    expect(csrGarbage(made(status), t0 + seconds * 1000)).toBe(why)
  })
})

describe('the controllers', () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-csr-'))
  const certFile = join(directory, 'ca.crt')
  const keyFile = join(directory, 'ca.key')
  let caPem = ''
  beforeAll(async () => {
    const { certPem, keyPem } = await createAuthority({ commonName: 'test', days: 3650, nowMs: t0 })
    caPem = certPem
    writeFileSync(certFile, certPem)
    writeFileSync(keyFile, keyPem)
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  let stop: AbortController
  afterEach(() => stop?.abort())

  async function run(make: (deps: ControllerDeps) => Controller | Controller[], mayApprove = '') {
    const clock = new FakeClock(t0)
    const memory = new MemoryApi({ clock })
    stop = new AbortController()
    const api = new Proxy(memory, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name)
        if (name !== 'create') return typeof member === 'function' ? member.bind(target) : member
        return async (ref: { plural: string }, object: SubjectAccessReview, ...rest: []) => {
          if (ref.plural !== 'subjectaccessreviews') return target.create(ref as never, object as never, ...rest)
          const allowed = object.spec.resourceAttributes?.subresource === mayApprove
          return { ...object, status: { allowed } }
        }
      },
    })
    const informers = new InformerFactory(api, { clock })
    const { deps } = depsFor(api, informers, clock)
    const authority = { certFile, keyFile }
    const clusterSigning = {
      authorities: { [kubeletClientSigner]: authority, 'kubernetes.io/kube-apiserver-client': authority },
      durationSeconds: 86_400,
    }
    const controllers = [make({ ...deps, options: { ...deps.options, clusterSigning } })].flat()
    await informers.start(stop.signal)
    for (const controller of controllers) runController(controller, { signal: stop.signal }).catch(() => {})
    const standing = () => memory.objects<CertificateSigningRequest>(certificateSigningRequests)[0]
    return { clock, api: memory, standing }
  }
  const until = async (clock: FakeClock, holds: () => unknown) => {
    // Signing takes real time, on other threads.
    for (let i = 0; i < 500 && !holds(); i++) {
      await clock.advance(10)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const approved = [{ type: 'Approved', status: 'True', lastUpdateTime: formatTime(t0) }]

  test('approve a node that may renew its certificate', async () => {
    const { api, clock, standing } = await run(newCsrApprovingController, 'selfnodeclient')
    const csr = await makeCsr(nodeCsr)
    await api.create(certificateSigningRequests, {
      ...request(kubeletClientSigner, forClient, { username: 'system:node:n1', request: csr }),
      status: {},
    })
    await until(clock, () => standing()?.status?.conditions)
    expect(standing()?.status?.conditions).toEqual([
      {
        type: 'Approved',
        status: 'True',
        reason: 'AutoApproved',
        message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
      },
    ])
  })

  test('sign what is approved, with the authority they were given', async () => {
    const { api, clock, standing } = await run(newCsrSigningController)
    const csr = await makeCsr({ commonName: 'jane', organization: 'dev' })
    const made = await api.create(certificateSigningRequests, {
      ...request('kubernetes.io/kube-apiserver-client', forClient, { request: csr, expirationSeconds: 3600 }),
      status: {},
    })
    await clock.advance(100)
    expect(standing()?.status).toEqual({})
    await api.update(
      certificateSigningRequests,
      { ...made, status: { conditions: approved } },
      { subresource: 'approval' },
    )
    await until(clock, () => standing()?.status?.certificate)
    const certificate = new X509Certificate(Buffer.from(standing()?.status?.certificate ?? '', 'base64'))
    expect(certificate.verify(new X509Certificate(caPem).publicKey)).toBe(true)
    expect(certificate.subject).toBe('O=dev\nCN=jane')
    expect(Date.parse(certificate.validTo)).toBe(t0 + 3_600_000)
  })

  test('say why they sign nothing', async () => {
    const { api, clock, standing } = await run(newCsrSigningController)
    const csr = await makeCsr({ commonName: 'jane', organization: 'dev' })
    await api.create(certificateSigningRequests, {
      ...request(kubeletClientSigner, forClient, { request: csr }),
      status: { conditions: approved },
    })
    await until(clock, () => (standing()?.status?.conditions?.length ?? 0) > 1)
    expect(standing()?.status?.conditions?.[1]).toMatchObject({
      type: 'Failed',
      reason: 'SignerValidationFailure',
      message: 'subject organization is not system:nodes',
    })
  })

  test('remove what nobody decides on', async () => {
    const { api, clock, standing } = await run(newCsrCleanerController)
    await api.create(certificateSigningRequests, { ...request('acme.io/web', forClient), status: {} })
    await clock.advance(23 * 3_600_000)
    expect(standing()).toBeDefined()
    await clock.advance(2 * 3_600_000)
    expect(standing()).toBeUndefined()
  })
})
