import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer()
})
afterAll(() => server?.stop())

const pods = '/api/v1/namespaces/default/pods'
const meta = (name: string, more: object = {}) => ({ name, ...more })
let made = 0
const fresh = (what: string) => `${what}-${++made}`
const makePod = async (name: string, spec: object = {}, labels: object = {}) => {
  const { code, body, text } = await server.create(pods, {
    metadata: meta(name, { labels }),
    spec: { containers: [{ name: 'main', image: 'app', resources: { requests: { cpu: '1' } } }], ...spec },
  })
  expect(code, text).toBe(201)
  return body
}
const setStatus = async (path: string, status: object) => {
  const { code, text, body } = await server.patch(`${path}/status`, { status })
  expect(code, text).toBe(200)
  return body
}
const bind = (name: string, binding: object = {}, query = '') =>
  server.create(`${pods}/${name}/binding${query}`, {
    metadata: { name },
    target: { kind: 'Node', name: 'n1' },
    ...binding,
  })

describe('the scale of a kind', () => {
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  const makeDeployment = async (replicas = 2) => {
    const name = fresh('web')
    const { code, text } = await server.create(deployments, {
      metadata: { name },
      spec: {
        replicas,
        selector: {
          matchLabels: { app: name },
          matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }],
        },
        template: {
          metadata: { labels: { app: name, tier: 'a' } },
          spec: { containers: [{ name: 'main', image: 'app' }] },
        },
      },
    })
    expect(code, text).toBe(201)
    return `${deployments}/${name}`
  }

  it('shows replicas and selector', async () => {
    const path = await makeDeployment()
    const name = path.split('/').at(-1)
    const { code, body } = await server.get(`${path}/scale`)
    expect(code).toBe(200)
    expect(body).toMatchObject({
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name, namespace: 'default' },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: `app=${name},tier in (a,b)` },
    })
  })

  it('is set by put, patch and apply, and the generation rises with it', async () => {
    const path = await makeDeployment()
    const { body: scale } = await server.get(`${path}/scale`)
    const put = await server.request('PUT', `${path}/scale`, { ...scale, spec: { replicas: 5 } })
    expect([put.code, put.body.spec]).toEqual([200, { replicas: 5 }])
    const patched = await server.patch(`${path}/scale`, { spec: { replicas: 6 } })
    expect([patched.code, patched.body.spec]).toEqual([200, { replicas: 6 }])
    const same = await server.patch(`${path}/scale`, { spec: { replicas: 6 } })
    expect(same.body.metadata.resourceVersion).toBe(patched.body.metadata.resourceVersion)
    const apply = (query: string) =>
      server.patch(
        `${path}/scale?fieldManager=me${query}`,
        { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: {}, spec: { replicas: 7 } },
        { headers: { 'content-type': 'application/apply-patch+yaml' } },
      )
    expect((await apply('')).code).toBe(409)
    expect((await apply('&force=true')).body.spec).toEqual({ replicas: 7 })
    const { body } = await server.get(path)
    expect([body.spec.replicas, body.metadata.generation]).toEqual([7, 4])
    const owner = body.metadata.managedFields.find(({ manager }: { manager: string }) => manager === 'me')
    expect(owner).toMatchObject({
      operation: 'Apply',
      subresource: 'scale',
      fieldsV1: { 'f:spec': { 'f:replicas': {} } },
    })
  })

  it('names the pods that go first', async () => {
    const path = await makeDeployment()
    const annotation = 'gantry.dev/scale-down-victims'
    const name = (victims: string) =>
      server.patch(`${path}/scale`, { metadata: { annotations: { [annotation]: victims } }, spec: { replicas: 1 } })
    const wrong = await name('web-a, Not_A_Pod')
    expect([wrong.code, wrong.body.message]).toEqual([
      422,
      expect.stringContaining(
        `metadata.annotations[${annotation}]: Invalid value: "web-a, Not_A_Pod": "Not_A_Pod" is not the name of a pod`,
      ),
    ])
    expect((await name('web-a, web-b')).code).toBe(200)
    expect((await server.patch(`${path}/scale`, { spec: { replicas: 3 } })).code).toBe(200)
    const { body } = await server.get(path)
    expect([body.spec.replicas, body.metadata.annotations[annotation]]).toEqual([3, 'web-a, web-b'])
  })

  it('refuses an apply that is no YAML, or nested without end', async () => {
    const path = await makeDeployment()
    for (const body of ['{', '['.repeat(20_000)]) {
      const answer = await server.patch(`${path}/scale?fieldManager=me`, body, {
        headers: { 'content-type': 'application/apply-patch+yaml' },
      })
      expect([answer.code, answer.body.reason]).toEqual([400, 'BadRequest'])
    }
  })

  it('of an old version, below zero, under another name or in a dry run changes nothing', async () => {
    const path = await makeDeployment()
    const { body: scale } = await server.get(`${path}/scale`)
    await server.patch(path, { metadata: { labels: { a: 'b' } } })
    const stale = await server.request('PUT', `${path}/scale`, { ...scale, spec: { replicas: 5 } })
    expect([stale.code, stale.body.reason]).toEqual([409, 'Conflict'])
    const negative = await server.patch(`${path}/scale`, { spec: { replicas: -1 } })
    expect(negative.code).toBe(422)
    expect(negative.body.message).toContain('spec.replicas: Invalid value: -1: must be greater than or equal to 0')
    const dry = await server.patch(`${path}/scale?dryRun=All`, { spec: { replicas: 9 } })
    expect([dry.code, dry.body.spec.replicas]).toEqual([200, 9])
    const { body } = await server.get(path)
    expect([body.spec.replicas, body.metadata.generation]).toEqual([2, 1])
    expect((await server.get(`${deployments}/nobody/scale`)).code).toBe(404)
    expect((await server.remove(`${path}/scale`)).code).toBe(405)
  })
})

/** Policies see `resource` being created, and refuse what the expression is false for. */
const refuseUnless = async (name: string, resource: string, expression: string) => {
  const path = '/apis/admissionregistration.k8s.io/v1'
  const resourceRules = [{ apiGroups: ['*'], apiVersions: ['*'], operations: ['CREATE'], resources: [resource] }]
  await server.create(`${path}/validatingadmissionpolicies`, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules }, validations: [{ expression, message: `no ${name}` }] },
  })
  await server.create(`${path}/validatingadmissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'] },
  })
}

describe('a binding', () => {
  it('is what policies see, and they may refuse it', async () => {
    await refuseUnless('bindings', 'pods/binding', "object.kind == 'Binding' && object.target.name != 'closed'")
    const name = fresh('pod')
    await makePod(name)
    const refused = await bind(name, { target: { kind: 'Node', name: 'closed' } })
    expect([refused.code, refused.body.message]).toEqual([422, expect.stringMatching(/denied request: no bindings$/)])
    expect((await bind(name)).code).toBe(201)
  })

  it('assigns a pod to a node once, and says that it did', async () => {
    const name = fresh('pod')
    await makePod(name)
    const answer = await bind(name, { metadata: { name, annotations: { why: 'room' } } })
    expect([answer.code, answer.body]).toEqual([
      201,
      expect.objectContaining({ kind: 'Status', status: 'Success', code: 201 }),
    ])
    const { body } = await server.get(`${pods}/${name}`)
    expect(body.spec.nodeName).toBe('n1')
    expect(body.metadata.annotations).toEqual({ why: 'room' })
    expect(body.status.conditions).toEqual([expect.objectContaining({ type: 'PodScheduled', status: 'True' })])
    const again = await bind(name)
    expect([again.code, again.body.message]).toEqual([
      409,
      `Operation cannot be fulfilled on pods/binding "${name}": pod ${name} is already assigned to node "n1"`,
    ])
  })

  it('goes to one node when several schedulers want it', async () => {
    const name = fresh('pod')
    await makePod(name)
    const targets = ['n1', 'n2', 'n3', 'n4']
    const answers = await Promise.all(targets.map((node) => bind(name, { target: { kind: 'Node', name: node } })))
    expect(answers.map(({ code }) => code).sort()).toEqual([201, 409, 409, 409])
    const winner = targets[answers.findIndex(({ code }) => code === 201)]
    expect((await server.get(`${pods}/${name}`)).body.spec.nodeName).toBe(winner)
  })

  it('works through the older path, and not at all in a dry run', async () => {
    const name = fresh('pod')
    await makePod(name)
    expect((await bind(name, {}, '?dryRun=All')).code).toBe(201)
    expect((await server.get(`${pods}/${name}`)).body.spec).not.toHaveProperty('nodeName')
    const answer = await server.create('/api/v1/namespaces/default/bindings', {
      metadata: { name },
      target: { name: 'n2' },
    })
    expect(answer.code, answer.text).toBe(201)
    expect((await server.get(`${pods}/${name}`)).body.spec.nodeName).toBe('n2')
  })

  it.each([
    [
      'another kind of target',
      {},
      { target: { kind: 'Pod', name: 'x' } },
      422,
      'target.kind: Unsupported value: "Pod"',
    ],
    ['no target', {}, { target: {} }, 422, 'target.name: Required value'],
    [
      'a pod that waits at a gate',
      { schedulingGates: [{ name: 'example.com/wait' }] },
      {},
      409,
      'has non-empty .spec.schedulingGates',
    ],
    [
      'the name of another pod',
      {},
      { metadata: { name: 'other' } },
      400,
      'name in URL does not match name in Binding object',
    ],
  ])('is refused with %s', async (_what, spec, binding, code, why) => {
    const name = fresh('pod')
    await makePod(name, spec)
    const answer = await bind(name, binding)
    expect([answer.code, answer.body.message]).toEqual([code, expect.stringContaining(why)])
  })

  it('is refused for another uid, and for a pod nobody knows', async () => {
    const name = fresh('pod')
    const { metadata } = await makePod(name)
    const other = await bind(name, { metadata: { name, uid: 'another' } })
    expect([other.code, other.body.message]).toEqual([
      409,
      expect.stringContaining(`UID in object meta: ${metadata.uid}`),
    ])
    expect((await bind('nobody')).code).toBe(404)
  })
})

describe('an eviction', () => {
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  const evict = (name: string, eviction: object = {}, query = '') =>
    server.create(`${pods}/${name}/eviction${query}`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name },
      ...eviction,
    })
  const runningPod = async (ready = true) => {
    const name = fresh('evicted')
    const app = name
    await makePod(name, {}, { app })
    await bind(name)
    await setStatus(`${pods}/${name}`, {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    })
    return name
  }
  const budgetFor = async (name: string, status: object, spec: object = {}) => {
    const { code, text } = await server.create(budgets, {
      metadata: { name },
      spec: { minAvailable: 1, selector: { matchLabels: { app: name } }, ...spec },
    })
    expect(code, text).toBe(201)
    await setStatus(`${budgets}/${name}`, {
      observedGeneration: 1,
      currentHealthy: 1,
      desiredHealthy: 1,
      expectedPods: 1,
      ...status,
    })
  }
  const podOf = async (name: string) => (await server.get(`${pods}/${name}`)).body

  it('is what policies see, and they may refuse it', async () => {
    await refuseUnless(
      'evictions',
      'pods/eviction',
      "object.kind == 'Eviction' && !(has(object.metadata.labels) && 'refused' in object.metadata.labels)",
    )
    const name = await runningPod()
    const refused = await evict(name, { metadata: { name, labels: { refused: 'yes' } } })
    expect([refused.code, refused.body.message]).toEqual([422, expect.stringMatching(/denied request: no evictions$/)])
    expect((await podOf(name)).status.conditions).toHaveLength(1)
    expect((await evict(name)).code).toBe(201)
  })

  it('deletes a pod that no budget guards, and says why on it', async () => {
    const name = await runningPod()
    expect((await evict(name)).code).toBe(201)
    const pod = await podOf(name)
    expect(pod.metadata.deletionTimestamp).toBeDefined()
    expect(pod.status.conditions).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'Eviction API: evicting',
      }),
    )
  })

  it('is counted in the budget that allows it', async () => {
    const name = await runningPod()
    await budgetFor(name, { disruptionsAllowed: 1, currentHealthy: 2 })
    const dry = await evict(name, {}, '?dryRun=All')
    expect(dry.code, dry.text).toBe(201)
    expect((await server.get(`${budgets}/${name}`)).body.status.disruptionsAllowed).toBe(1)
    expect((await podOf(name)).metadata).not.toHaveProperty('deletionTimestamp')
    expect((await evict(name, { deleteOptions: { gracePeriodSeconds: 7 } })).code).toBe(201)
    const { status } = (await server.get(`${budgets}/${name}`)).body
    expect([status.disruptionsAllowed, Object.keys(status.disruptedPods)]).toEqual([0, [name]])
    expect((await podOf(name)).metadata.deletionGracePeriodSeconds).toBe(7)
  })

  it('is refused with 429 and the cause where the budget is spent', async () => {
    const name = await runningPod()
    await budgetFor(name, { disruptionsAllowed: 0 })
    const { code, body } = await evict(name)
    expect(code).toBe(429)
    expect(body).toMatchObject({
      reason: 'TooManyRequests',
      message: "Cannot evict pod as it would violate the pod's disruption budget.",
      details: {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${name} needs 1 healthy pods and has 1 currently`,
          },
        ],
      },
    })
    const pod = await podOf(name)
    expect(pod.metadata).not.toHaveProperty('deletionTimestamp')
    expect(JSON.stringify(pod.status.conditions)).not.toContain('DisruptionTarget')
  })

  it('waits while the budget is not worked out yet', async () => {
    const name = await runningPod()
    await budgetFor(name, { observedGeneration: 0, disruptionsAllowed: 3 })
    const { code, body, headers } = await evict(name)
    expect([code, headers['retry-after']]).toEqual([429, '10'])
    expect(body.details.causes[0].message).toBe(`The disruption budget ${name} is still being processed by the server.`)
  })

  it.each([
    ['AlwaysAllow', { currentHealthy: 0 }, 201],
    ['IfHealthyBudget', { currentHealthy: 0 }, 429],
    ['IfHealthyBudget', { currentHealthy: 1 }, 201],
  ])('of an unready pod under %s and %o answers %d', async (unhealthyPodEvictionPolicy, status, code) => {
    const name = await runningPod(false)
    await budgetFor(name, { disruptionsAllowed: 0, ...status }, { unhealthyPodEvictionPolicy })
    const answer = await evict(name)
    expect(answer.code, answer.text).toBe(code)
  })

  it('of many at once takes no more than the budget has', async () => {
    const names = await Promise.all([1, 2, 3, 4].map(() => runningPod()))
    const [first = ''] = names
    const selector = { matchExpressions: [{ key: 'app', operator: 'In', values: names }] }
    await budgetFor(first, { disruptionsAllowed: 2, currentHealthy: 4, desiredHealthy: 2 }, { selector })
    const answers = await Promise.all(names.map((name) => evict(name)))
    expect(answers.map(({ code }) => code).sort()).toEqual([201, 201, 429, 429])
  })

  it('under two budgets is an error, and one of a pending or finished pod needs none', async () => {
    const name = await runningPod()
    await budgetFor(name, { disruptionsAllowed: 1 })
    await server.create(budgets, {
      metadata: { name: `${name}-too` },
      spec: { minAvailable: 1, selector: { matchLabels: { app: name } } },
    })
    const twice = await evict(name)
    expect([twice.code, twice.body.message]).toEqual([
      500,
      expect.stringContaining('more than one PodDisruptionBudget'),
    ])
    await setStatus(`${pods}/${name}`, { phase: 'Succeeded' })
    expect((await evict(name)).code).toBe(201)
    expect((await evict('nobody')).code).toBe(404)
    const other = await evict(name, { metadata: { name: 'other' } })
    expect([other.code, other.body.message]).toEqual([400, 'name in URL does not match name in Eviction object'])
  })
})

describe('parts with rules of their own', () => {
  it('ephemeral containers are added, and never changed or taken away', async () => {
    const name = fresh('debugged')
    await makePod(name)
    const path = `${pods}/${name}/ephemeralcontainers`
    const strategic = { headers: { 'content-type': 'application/strategic-merge-patch+json' } }
    const added = await server.patch(
      path,
      { spec: { ephemeralContainers: [{ name: 'debug', image: 'tools' }] } },
      strategic,
    )
    expect(added.code, added.text).toBe(200)
    expect(added.body.spec.ephemeralContainers).toMatchObject([{ name: 'debug', image: 'tools' }])
    const changed = await server.patch(
      path,
      { spec: { ephemeralContainers: [{ name: 'debug', image: 'other' }] } },
      strategic,
    )
    expect([changed.code, changed.body.message]).toEqual([422, expect.stringContaining('spec.ephemeralContainers')])
    expect((await server.patch(path, { spec: { ephemeralContainers: null } })).code).toBe(422)
    const elsewhere = await server.patch(
      path,
      { spec: { activeDeadlineSeconds: 5 }, metadata: { labels: { a: 'b' } } },
      strategic,
    )
    expect(elsewhere.body.spec).not.toHaveProperty('activeDeadlineSeconds')
    const direct = await server.patch(
      `${pods}/${name}`,
      { spec: { ephemeralContainers: [{ name: 'x', image: 'y' }] } },
      strategic,
    )
    expect(direct.code).toBe(422)
  })

  it('resize changes resources, and nothing else', async () => {
    const name = fresh('resized')
    await makePod(name)
    const strategic = { headers: { 'content-type': 'application/strategic-merge-patch+json' } }
    const resources = { requests: { cpu: '2' } }
    const direct = await server.patch(
      `${pods}/${name}`,
      { spec: { containers: [{ name: 'main', resources }] } },
      strategic,
    )
    expect(direct.code).toBe(422)
    const resized = await server.patch(
      `${pods}/${name}/resize`,
      { spec: { containers: [{ name: 'main', image: 'other', resources }] } },
      strategic,
    )
    expect(resized.code, resized.text).toBe(200)
    expect(resized.body.spec.containers[0]).toMatchObject({ image: 'app', resources })
    expect(resized.body.metadata.generation).toBe(2)
    // One class of service stays that class.
    const guaranteed = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } }
    const reclassed = await server.patch(
      `${pods}/${name}/resize`,
      { spec: { containers: [{ name: 'main', resources: guaranteed }] } },
      strategic,
    )
    expect(reclassed.code).toBe(422)
  })

  it('approval of a signing request sets conditions, and leaves spec and certificate alone', async () => {
    const requests = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
    const { generateKeyPairSync } = await import('node:crypto')
    const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509')
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const imported = async (key: typeof privateKey, usage: 'sign' | 'verify') =>
      crypto.subtle.importKey(
        usage === 'sign' ? 'pkcs8' : 'spki',
        new Uint8Array(
          key.export({ format: 'der', type: usage === 'sign' ? 'pkcs8' : 'spki' } as never) as unknown as Buffer,
        ),
        { name: 'ECDSA', namedCurve: 'P-256' },
        true,
        [usage],
      )
    const request = await Pkcs10CertificateRequestGenerator.create({
      name: 'CN=me',
      keys: { privateKey: await imported(privateKey, 'sign'), publicKey: await imported(publicKey, 'verify') },
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
    })
    const made = await server.create(requests, {
      metadata: { name: 'me' },
      spec: {
        request: Buffer.from(request.toString('pem')).toString('base64'),
        signerName: 'example.com/signer',
        usages: ['client auth'],
      },
    })
    expect(made.code, made.text).toBe(201)
    const approve = (type: string, more: object = {}) =>
      server.patch(`${requests}/me/approval`, {
        status: { conditions: [{ type, status: 'True', reason: 'Test', message: 'so' }], ...more },
        spec: { signerName: 'example.com/other' },
      })
    const approved = await approve('Approved', { certificate: 'AAAA' })
    expect(approved.code, approved.text).toBe(200)
    expect(approved.body.spec.signerName).toBe('example.com/signer')
    expect(approved.body.status.conditions).toEqual([
      expect.objectContaining({
        type: 'Approved',
        lastUpdateTime: expect.any(String),
        lastTransitionTime: expect.any(String),
      }),
    ])
    expect(approved.body.status).not.toHaveProperty('certificate')
    expect((await approve('Denied')).code).toBe(422)
  })

  it('finalize lets a namespace go that is being deleted', async () => {
    const path = '/api/v1/namespaces/leaving'
    await server.create('/api/v1/namespaces', { metadata: { name: 'leaving' } })
    const deleted = await server.remove(path)
    expect([deleted.code, deleted.body.status.phase]).toEqual([200, 'Terminating'])
    const held = await server.get(path)
    expect(held.body.spec.finalizers).toEqual(['kubernetes'])
    const finalized = await server.request('PUT', `${path}/finalize`, { ...held.body, spec: { finalizers: [] } })
    expect(finalized.code, finalized.text).toBe(200)
    expect((await server.get(path)).code).toBe(404)
  })

  it('finalize of a namespace that stays changes its finalizers only', async () => {
    const path = '/api/v1/namespaces/staying'
    const { body } = await server.create('/api/v1/namespaces', { metadata: { name: 'staying' } })
    const bad = await server.request('PUT', `${path}/finalize`, { ...body, spec: { finalizers: ['nonsense'] } })
    expect(bad.code).toBe(422)
    const next = await server.request('PUT', `${path}/finalize`, { ...body, spec: { finalizers: ['example.com/one'] } })
    expect([next.code, next.body.spec.finalizers, next.body.status.phase]).toEqual([200, ['example.com/one'], 'Active'])
  })

  it('finalize and approval take labels and annotations along', async () => {
    const path = '/api/v1/namespaces/noted'
    const { body } = await server.create('/api/v1/namespaces', { metadata: { name: 'noted' } })
    const metadata = { ...body.metadata, annotations: { note: 'n' } }
    const noted = await server.request('PUT', `${path}/finalize`, { ...body, metadata })
    expect([noted.code, noted.body.metadata.annotations]).toEqual([200, { note: 'n' }])
    expect(noted.body.metadata.uid).toBe(body.metadata.uid)

    const request = '/apis/certificates.k8s.io/v1/certificatesigningrequests/me/approval'
    const approved = await server.patch(request, { metadata: { annotations: { by: 'us' } } })
    expect([approved.code, approved.body.metadata.annotations]).toEqual([200, { by: 'us' }])
    expect(approved.body.status.conditions).not.toHaveLength(0)
  })

  it('token issues what authenticates as the service account', async () => {
    const accounts = '/api/v1/namespaces/default/serviceaccounts'
    const { code, body, text } = await server.create(`${accounts}/default/token`, { spec: { expirationSeconds: 3600 } })
    expect(code, text).toBe(201)
    expect(body).toMatchObject({ kind: 'TokenRequest', spec: { expirationSeconds: 3600 } })
    const who = await server.create(
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      {},
      { as: server.nobody, headers: { authorization: `Bearer ${body.status.token}` } },
    )
    expect(who.body.status.userInfo.username).toBe('system:serviceaccount:default:default')
    expect((await server.create(`${accounts}/nobody/token`, { spec: {} })).code).toBe(404)
    const short = await server.create(`${accounts}/default/token`, { spec: { expirationSeconds: 5 } })
    expect([short.code, short.body.message]).toEqual([
      422,
      expect.stringContaining('may not specify a duration less than 10 minutes'),
    ])
  })
})
