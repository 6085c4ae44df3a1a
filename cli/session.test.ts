import type { ServerOptions } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAuthority, issueClientCertificate, issueServingCertificate } from '../api/certificates/issue.ts'
import { StatusError } from '../api/machinery/errors.ts'
import { kubeconfigOf, type Serving, serve } from './testing/serving.ts'

const issued = { days: 1, nowMs: Date.now() }

describe('a server whose certificate has another name', () => {
  let server: Serving
  let ca: string
  let mine: readonly string[]

  beforeAll(async () => {
    const authority = await createAuthority({ commonName: 'ca', ...issued })
    const own = await issueServingCertificate(authority, { commonName: 'api', sans: ['api.example'], ...issued })
    const jane = await issueClientCertificate(authority, { commonName: 'jane', ...issued })
    const tls: ServerOptions = {
      cert: own.certPem,
      key: own.keyPem,
      ca: authority.certPem,
      requestCert: true,
      rejectUnauthorized: false,
    }
    server = await serve({ tls })
    ca = `--certificate-authority=${server.file('ca.crt', authority.certPem)}`
    mine = [
      `--client-certificate=${server.file('jane.crt', jane.certPem)}`,
      `--client-key=${server.file('jane.key', jane.keyPem)}`,
    ]
  })
  afterAll(() => server.stop())

  const ask = (...flags: string[]) => server.gantry(['api-versions', ...flags])

  test('is believed by nobody who does not know who signed it, or asks for the name in the address', async () => {
    expect((await ask()).err).toContain('Unable to connect to the server: tls: ')
    expect((await ask(ca)).err).toContain("does not match certificate's altnames")
    expect((await ask('--tls-server-name=api.example')).err).toContain('tls: ')
  })

  test('is believed with --certificate-authority and --tls-server-name', async () => {
    expect(await ask(ca, '--tls-server-name=api.example')).toEqual({ code: 0, out: '', err: '' })
    expect((await ask(ca, '--tls-server-name=other.example')).code).toBe(1)
  })

  test('is believed whatever it shows with --insecure-skip-tls-verify', async () => {
    expect((await ask('--insecure-skip-tls-verify')).code).toBe(0)
    expect((await ask('--insecure-skip-tls-verify', ca)).err).toBe(
      'error: specifying a root certificates file with the insecure flag is not allowed\n',
    )
  })

  test('is told who asks by --client-certificate and --client-key', async () => {
    await ask('--insecure-skip-tls-verify')
    expect(server.asked.at(-1)?.certificate).toBeUndefined()
    await ask('--insecure-skip-tls-verify', ...mine)
    expect(server.asked.at(-1)?.certificate).toBe('jane')
    expect((await ask('--client-key=/nothing/there')).err).toMatch(/^error: unable to read \/nothing\/there: /)
  })
})

test('--server needs a kubeconfig neither with a context nor with a cluster', async () => {
  const server = await serve()
  try {
    const user = server.file('user', 'users: [{name: me, user: {token: mine}}]')
    const { code, err } = await server.gantry([
      'api-versions',
      `--kubeconfig=${user}`,
      `--server=${server.url}/`,
      '--user=me',
    ])
    expect([code, err]).toEqual([0, ''])
    expect(server.asked[0]).toMatchObject({ path: '/api', headers: { authorization: 'Bearer mine' } })
    expect((await server.gantry(['api-versions', `--kubeconfig=${user}`])).err).toContain('no current-context is set')
  } finally {
    server.stop()
  }
})

describe('what the flags of every verb say', () => {
  let server: Serving
  beforeAll(async () => {
    server = await serve()
  })
  afterAll(() => server.stop())

  test('--cluster leads to another cluster of the kubeconfig, as the same user', async () => {
    const other = await serve()
    try {
      const both = kubeconfigOf(server.url, {}, { token: 'mine' }).replace(
        'clusters:\n',
        `clusters:\n- cluster:\n    server: ${other.url}\n  name: there\n`,
      )
      const ask = (cluster: string) =>
        server.gantry(['api-versions', `--kubeconfig=${server.file('both', both)}`, cluster])
      expect((await ask('--cluster=there')).code).toBe(0)
      expect(server.asked).toEqual([])
      expect(other.asked[0]?.headers.authorization).toBe('Bearer mine')
      expect((await ask('--cluster=nowhere')).err).toContain('there is no cluster "nowhere"')
    } finally {
      other.stop()
    }
  })

  test('--warnings-as-errors makes of a warning a failure, which is told once', async () => {
    server.warning = 'this is old'
    expect(await server.gantry('api-versions')).toEqual({ code: 0, out: '', err: 'Warning: this is old\n' })
    expect(await server.gantry('api-versions --warnings-as-errors')).toEqual({
      code: 1,
      out: '',
      err: 'Warning: this is old\nerror: 1 warning received\n',
    })
    server.warning = ''
    expect((await server.gantry('api-versions --warnings-as-errors')).code).toBe(0)
  })
})

test('of a server that is not ours it is said that it cannot do what only ours can', async () => {
  const server = await serve()
  try {
    server.answers.set('/apis/gantry.dev/v1/namespaces/default/histories', () => {
      throw new StatusError(404, 'NotFound', '404 page not found')
    })
    expect(await server.gantry('history configmap/a')).toEqual({
      code: 1,
      out: '',
      err: `error: ${server.url} cannot do that: it is no Gantry server\n`,
    })
  } finally {
    server.stop()
  }
})

test('a warning is shown to who asked for the kind, not to who only looks around', async () => {
  const server = await serve()
  try {
    server.warning = 'it is of the past'
    server.objects.set('/api/v1/namespaces/default/configmaps/a', {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a', namespace: 'default' },
    })
    expect((await server.gantry('get configmap a -o name')).err).toBe('Warning: it is of the past\n')
    const completed = await server.gantry(['__complete', '--', 'get', 'configmaps', ''])
    expect(completed).toEqual({ code: 0, out: 'a\n', err: '' })
  } finally {
    server.stop()
  }
})
