import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../../testing/running-server.ts'
import { type Answering, patching, startWebhooks, type WebhookServer } from '../testing/webhook-server.ts'

let server: RunningServer
let webhooks: WebhookServer
const group = '/apis/admissionregistration.k8s.io/v1'
const configMaps = '/api/v1/namespaces/shop/configmaps'

beforeAll(async () => {
  webhooks = await startWebhooks()
  server = await runServer()
  await server.create('/api/v1/namespaces', { metadata: { name: 'shop', labels: { kind: 'busy' } } })
  await server.create('/api/v1/namespaces', { metadata: { name: 'quiet' } })
})
afterAll(async () => {
  await server?.stop()
  await webhooks?.stop()
})
afterEach(async () => {
  await server.remove(`${group}/mutatingwebhookconfigurations`)
  await server.remove(`${group}/validatingwebhookconfigurations`)
  await server.remove(configMaps)
  webhooks.seen.length = 0
})

interface Wish {
  path?: string
  answering?: Answering
  rule?: object
  more?: object
}

async function configure(kind: 'Mutating' | 'Validating', name: string, wishes: readonly Wish[]): Promise<void> {
  const answer = await server.create(`${group}/${kind.toLowerCase()}webhookconfigurations`, {
    metadata: { name },
    webhooks: wishes.map(({ path = `/${name}`, answering = () => ({ allowed: true }), rule, more }, i) => {
      webhooks.on(path, answering)
      return {
        name: `hook-${i}.${name}.example.com`,
        rules: [
          {
            operations: kind === 'Mutating' ? ['CREATE', 'UPDATE'] : ['*'],
            apiGroups: [''],
            apiVersions: ['v1'],
            resources: ['configmaps', 'pods'],
            ...rule,
          },
        ],
        clientConfig: { url: webhooks.url(path), caBundle: webhooks.caBundle },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 5,
        ...more,
      }
    }),
  })
  expect(answer.code, answer.text).toBe(201)
}
const refuse = (name: string, wish: Wish = {}) =>
  configure('Validating', name, [{ answering: () => ({ allowed: false }), ...wish }])
const make = (name: string, more: object = {}, query = '') =>
  server.create(configMaps + query, { metadata: { name }, data: { a: 'b' }, ...more })

describe('a validating webhook', () => {
  it('refuses with its own words, code and reason', async () => {
    await refuse('no', {
      answering: () => ({ allowed: false, status: { code: 418, reason: 'Teapot', message: 'not today' } }),
    })
    const { code, body } = await make('x')
    expect([code, body.reason, body.message]).toEqual([
      418,
      'Teapot',
      'admission webhook "hook-0.no.example.com" denied the request: not today',
    ])
    expect((await server.get(`${configMaps}/x`)).code).toBe(404)
  })

  it('refuses without a word, and never with a code of success', async () => {
    await refuse('mute', { answering: () => ({ allowed: false, status: { code: 200 } }) })
    const { code, body } = await make('x')
    expect([code, body.message]).toEqual([
      400,
      'admission webhook "hook-0.mute.example.com" denied the request without explanation',
    ])
  })

  it('is told who wants what, with the object before and after', async () => {
    await make('x')
    await configure('Validating', 'watcher', [{}])
    await server.patch(`${configMaps}/x?fieldManager=me`, { data: { a: 'c' } })
    expect(webhooks.seen).toMatchObject([
      {
        kind: { group: '', version: 'v1', kind: 'ConfigMap' },
        resource: { group: '', version: 'v1', resource: 'configmaps' },
        name: 'x',
        namespace: 'shop',
        operation: 'UPDATE',
        userInfo: { username: 'kubernetes-admin' },
        object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x' }, data: { a: 'c' } },
        oldObject: { kind: 'ConfigMap', apiVersion: 'v1', data: { a: 'b' } },
        dryRun: false,
        options: { kind: 'UpdateOptions', apiVersion: 'meta.k8s.io/v1' },
      },
    ])
    await server.remove(`${configMaps}/x`)
    expect(webhooks.seen[1]).toMatchObject({ operation: 'DELETE', object: null, oldObject: { data: { a: 'c' } } })
  })

  it('can warn', async () => {
    await configure('Validating', 'worried', [{ answering: () => ({ allowed: true, warnings: ['mind the gap'] }) }])
    expect((await make('x')).headers.warning).toContain('mind the gap')
  })

  it.each([
    ['another operation', { rule: { operations: ['UPDATE'] } }],
    ['another resource', { rule: { resources: ['secrets', 'configmaps/status'] } }],
    ['another group', { rule: { apiGroups: ['apps'] } }],
    ['cluster-wide objects', { rule: { scope: 'Cluster' } }],
    ['other namespaces', { more: { namespaceSelector: { matchLabels: { kind: 'idle' } } } }],
    ['labelled objects', { more: { objectSelector: { matchLabels: { a: 'b' } } } }],
    ['a condition', { more: { matchConditions: [{ name: 'not-x', expression: 'object.metadata.name != "x"' }] } }],
  ])('that is for %s is not asked', async (_what, wish) => {
    await refuse('elsewhere', wish)
    expect((await make('x')).code).toBe(201)
    expect(webhooks.seen).toEqual([])
  })

  it('is asked where its selectors and conditions say so', async () => {
    await refuse('here', {
      more: {
        namespaceSelector: { matchLabels: { kind: 'busy' } },
        objectSelector: { matchLabels: { a: 'b' } },
        matchConditions: [
          { name: 'only-x', expression: 'object.metadata.name == "x" && request.operation == "CREATE"' },
          { name: 'admins', expression: 'authorizer.group("").resource("secrets").check("list").allowed()' },
        ],
      },
    })
    const labelled = { metadata: { name: 'x', labels: { a: 'b' } } }
    expect((await make('x', labelled)).code).toBe(400)
    expect((await server.create('/api/v1/namespaces/quiet/configmaps', labelled)).code).toBe(201)
  })

  it('that cannot be reached fails the write, unless that is to be ignored', async () => {
    await configure('Validating', 'gone', [{ more: { clientConfig: { url: 'https://127.0.0.1:1/nobody' } } }])
    const { code, body } = await make('x')
    expect(code).toBe(500)
    expect(body.message).toMatch(
      /^Internal error occurred: failed calling webhook "hook-0\.gone\.example\.com": failed to call webhook: Post "https:\/\/127\.0\.0\.1:1\/nobody\?timeout=5s": .*ECONNREFUSED/,
    )
    await server.remove(`${group}/validatingwebhookconfigurations/gone`)
    await configure('Validating', 'gone', [
      { more: { clientConfig: { url: 'https://127.0.0.1:1/nobody' }, failurePolicy: 'Ignore' } },
    ])
    expect((await make('x')).code).toBe(201)
  })

  it('that takes too long is not waited for', async () => {
    await configure('Validating', 'slow', [{ answering: () => undefined, more: { timeoutSeconds: 1 } }])
    const { code, body } = await make('x')
    expect([code, body.message]).toEqual([500, expect.stringContaining('?timeout=1s": context deadline exceeded')])
  })

  it('that is not who it says it is is not believed', async () => {
    const other = await startWebhooks()
    await configure('Validating', 'liar', [
      { more: { clientConfig: { url: other.url('/liar'), caBundle: webhooks.caBundle } } },
    ])
    const { code, body } = await make('x')
    expect([code, body.message]).toEqual([500, expect.stringContaining('certificate')])
    await other.stop()
  })

  it('that answers another question is not believed', async () => {
    await configure('Validating', 'deaf', [{ answering: () => ({ uid: 'other', allowed: true }) }])
    expect((await make('x')).body.message).toContain('expected response.uid=')
  })

  it('with side effects refuses dry runs', async () => {
    await configure('Validating', 'effects', [{}])
    expect((await make('x', {}, '?dryRun=All')).code).toBe(201)
    expect(webhooks.seen[0].dryRun).toBe(true)
  })

  it('cannot be in the way of mending webhooks', async () => {
    await refuse('all', { rule: { apiGroups: ['*'], resources: ['*/*'], apiVersions: ['*'] } })
    expect((await make('x')).code).toBe(400)
    expect((await server.remove(`${group}/validatingwebhookconfigurations/all`)).code).toBe(200)
    expect((await make('x')).code).toBe(201)
  })

  it('is shown the version that its rule names', async () => {
    await configure('Validating', 'older', [
      {
        rule: { apiGroups: ['autoscaling'], apiVersions: ['v1'], resources: ['horizontalpodautoscalers'] },
      },
    ])
    const spec = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, maxReplicas: 3 }
    const made = await server.create('/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers', {
      metadata: { name: 'web' },
      spec,
    })
    expect(made.code, made.text).toBe(201)
    expect(webhooks.seen[0]).toMatchObject({
      resource: { version: 'v1' },
      requestResource: { version: 'v2' },
      object: { apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler' },
    })
  })

  it('is asked before somebody is connected to a pod', async () => {
    await server.create('/api/v1/namespaces/shop/pods', {
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'c', image: 'i' }], nodeName: 'n1' },
    })
    await refuse('closed', {
      rule: { operations: ['CONNECT'], resources: ['pods/attach'] },
      answering: ({ object }) => ({ allowed: false, status: { message: `no ${object.kind} of ${object.container}` } }),
    })
    const { code, body } = await server.request(
      'POST',
      '/api/v1/namespaces/shop/pods/web/attach?container=c&stdin=true',
    )
    expect([code, body.message]).toEqual([400, expect.stringContaining('no PodAttachOptions of c')])
    await server.request('DELETE', '/api/v1/namespaces/shop/pods/web?gracePeriodSeconds=0')
  })
})

describe('a mutating webhook', () => {
  const label =
    (name: string): Answering =>
    () =>
      patching([{ op: 'add', path: '/metadata/labels', value: { [name]: 'yes' } }])

  it('changes what is written', async () => {
    await configure('Mutating', 'label', [{ answering: label('seen') }])
    expect((await make('x')).body.metadata.labels).toEqual({ seen: 'yes' })
    expect((await server.get(`${configMaps}/x`)).body.metadata.labels).toEqual({ seen: 'yes' })
  })

  it('sees what those before it did, and its additions get defaults', async () => {
    const sidecar = { name: 'sidecar', image: 'proxy' }
    await configure('Mutating', 'inject', [
      { path: '/inject', answering: () => patching([{ op: 'add', path: '/spec/containers/-', value: sidecar }]) },
      {
        path: '/count',
        answering: ({ object }) =>
          patching([
            { op: 'add', path: '/metadata/annotations', value: { count: String(object.spec.containers.length) } },
          ]),
      },
    ])
    const { body } = await server.create('/api/v1/namespaces/shop/pods', {
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })
    expect(body.metadata.annotations).toEqual({ count: '2' })
    expect(body.spec.containers[1]).toMatchObject({ ...sidecar, terminationMessagePath: '/dev/termination-log' })
    await server.request('DELETE', '/api/v1/namespaces/shop/pods/web?gracePeriodSeconds=0')
  })

  it('lets the built-in plugins see what it added', async () => {
    await server.create('/api/v1/namespaces/shop/limitranges', {
      metadata: { name: 'limits' },
      spec: { limits: [{ type: 'Container', default: { cpu: '100m' } }] },
    })
    await configure('Mutating', 'inject', [
      {
        answering: ({ object }) =>
          object.spec.containers.length > 1
            ? { allowed: true }
            : patching([{ op: 'add', path: '/spec/containers/-', value: { name: 's', image: 'p' } }]),
      },
    ])
    const { body } = await server.create('/api/v1/namespaces/shop/pods', {
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'c', image: 'i' }] },
    })
    expect(body.spec.containers[1].resources.limits).toEqual({ cpu: '100m' })
    expect(webhooks.seen).toHaveLength(1)
    await server.request('DELETE', '/api/v1/namespaces/shop/pods/web?gracePeriodSeconds=0')
    await server.remove('/api/v1/namespaces/shop/limitranges')
  })

  it('is asked again about what came after it, if it wants to be', async () => {
    const counting: Answering = ({ object }) =>
      patching([{ op: 'add', path: '/data/seen', value: Object.keys(object.metadata.labels ?? {}).join() }])
    await configure('Mutating', 'twice', [
      { path: '/first', answering: counting, more: { reinvocationPolicy: 'IfNeeded' } },
      { path: '/second', answering: label('late') },
    ])
    expect((await make('x')).body.data).toEqual({ a: 'b', seen: 'late' })
    expect(webhooks.seen).toHaveLength(3)
  })

  it('whose patch does not fit fails the write', async () => {
    await configure('Mutating', 'clumsy', [{ answering: () => patching([{ op: 'remove', path: '/nothing/here' }]) }])
    const { code, body } = await make('x')
    expect([code, body.message]).toEqual([500, expect.stringContaining('hook-0.clumsy.example.com')])
  })
})
