import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../../testing/running-server.ts'

let server: RunningServer
const group = '/apis/admissionregistration.k8s.io/v1'
const configMaps = '/api/v1/namespaces/shop/configmaps'
const deployments = '/apis/apps/v1/namespaces/shop/deployments'

beforeAll(async () => {
  server = await runServer()
  await server.create('/api/v1/namespaces', { metadata: { name: 'shop', labels: { tier: 'front' } } })
})
afterAll(() => server?.stop())
afterEach(async () => {
  for (const kind of ['validatingadmissionpolic', 'mutatingadmissionpolic']) {
    await server.remove(`${group}/${kind}ies`)
    await server.remove(`${group}/${kind}ybindings`)
  }
  await server.remove(configMaps)
  await server.remove(deployments)
})

const rule = {
  operations: ['CREATE', 'UPDATE'],
  apiGroups: ['', 'apps'],
  apiVersions: ['v1'],
  resources: ['configmaps', 'deployments'],
}

/** A policy and a binding of the same name. */
async function enforce(kind: 'Validating' | 'Mutating', spec: object, binding: object = {}): Promise<void> {
  const base = `${group}/${kind.toLowerCase()}admissionpolic`
  const policy = await server.create(`${base}ies`, {
    metadata: { name: 'rules' },
    spec: { matchConstraints: { resourceRules: [rule] }, ...spec },
  })
  expect(policy.code, policy.text).toBe(201)
  const bound = await server.create(`${base}ybindings`, {
    metadata: { name: 'rules' },
    spec: { policyName: 'rules', ...(kind === 'Validating' ? { validationActions: ['Deny'] } : {}), ...binding },
  })
  expect(bound.code, bound.text).toBe(201)
}
const make = (name: string, more: object = {}) => server.create(configMaps, { metadata: { name }, ...more })
const deployment = (replicas: number, more: object = {}) => ({
  metadata: { name: 'web', ...more },
  spec: {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
})

describe('a validating policy', () => {
  it('refuses what its expression is false for, in upstream words', async () => {
    await enforce(
      'Validating',
      { validations: [{ expression: 'object.spec.replicas <= 5' }] },
      {
        matchResources: { resourceRules: [{ ...rule, resources: ['deployments'] }] },
      },
    )
    const { code, body } = await server.create(deployments, deployment(6))
    expect([code, body.reason, body.message]).toEqual([
      422,
      'Invalid',
      `deployments.apps "web" is forbidden: ValidatingAdmissionPolicy 'rules' with binding 'rules' denied request: failed expression: object.spec.replicas <= 5`,
    ])
    expect((await server.create(deployments, deployment(5))).code).toBe(201)
    expect((await make('x')).code).toBe(201)
  })

  it('says what it was told to say, with the reason it was told', async () => {
    await enforce('Validating', {
      validations: [
        {
          expression: 'has(object.data)',
          messageExpression: '"%s has no data".format([object.metadata.name])',
          reason: 'Forbidden',
        },
      ],
    })
    const { code, body } = await make('x')
    expect([code, body.reason, body.message]).toEqual([403, 'Forbidden', expect.stringMatching(/: x has no data$/)])
  })

  it('can use variables, the namespace, the request and who may do what', async () => {
    await enforce('Validating', {
      variables: [
        { name: 'tier', expression: "namespaceObject.metadata.labels['tier']" },
        { name: 'isFront', expression: "variables.tier == 'front'" },
      ],
      matchConditions: [{ name: 'creates', expression: 'request.operation == "CREATE"' }],
      validations: [
        {
          expression: `variables.isFront && authorizer.requestResource.check("create").allowed() &&
            !authorizer.serviceAccount("shop", "none").group("").resource("secrets").check("get").allowed()`,
          message: 'never',
        },
        { expression: 'variables.tier != "front"', message: 'no front here' },
      ],
    })
    expect((await make('x')).body.message).toContain('no front here')
  })

  it('only warns where the binding says so', async () => {
    await enforce(
      'Validating',
      { validations: [{ expression: 'false', message: 'think twice' }] },
      {
        validationActions: ['Warn', 'Audit'],
      },
    )
    const { code, headers } = await make('x')
    expect([code, headers.warning]).toEqual([
      201,
      expect.stringContaining(
        "Validation failed for ValidatingAdmissionPolicy 'rules' with binding 'rules': think twice",
      ),
    ])
  })

  it('gets parameters from an object, and misses them if they are not there', async () => {
    await make('limits', { data: { max: '3' } })
    await enforce(
      'Validating',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: 'object.spec.replicas <= int(params.data.max)' }],
      },
      {
        paramRef: { name: 'limits', parameterNotFoundAction: 'Deny' },
        matchResources: { resourceRules: [{ ...rule, resources: ['deployments'] }] },
      },
    )
    expect((await server.create(deployments, deployment(4))).code).toBe(422)
    expect((await server.create(deployments, deployment(3))).code).toBe(201)
    await server.remove(`${configMaps}/limits`)
    const { body } = await server.patch(`${deployments}/web`, { spec: { replicas: 2 } })
    expect(body.message).toContain('no params found for policy binding with `Deny` parameterNotFoundAction')
  })

  it('that cannot be evaluated refuses, or is passed over if it says so', async () => {
    const validations = [{ expression: 'object.data.nothing == "x"' }]
    await enforce('Validating', { validations })
    expect((await make('x', { data: { a: 'b' } })).body.message).toContain(
      `denied request: expression 'object.data.nothing == "x"' resulted in error: No such key: nothing`,
    )
    await server.patch(`${group}/validatingadmissionpolicies/rules`, { spec: { failurePolicy: 'Ignore' } })
    expect((await make('x', { data: { a: 'b' } })).code).toBe(201)
  })

  it('that takes too long is stopped, and refuses', async () => {
    const expression = 'object.data.all(a, object.data.all(b, object.data.all(c, a + b + c != "")))'
    await enforce('Validating', { validations: [{ expression }] })
    const data = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`key-${i}`, '']))
    expect((await make('x', { data })).body.message).toContain('operation cancelled: actual cost limit exceeded')
    expect((await make('y', { data: { a: 'b' } })).code).toBe(201)
  })

  it('without a binding is not in force', async () => {
    await enforce('Validating', { validations: [{ expression: 'false' }] })
    expect((await make('x')).code).toBe(422)
    await server.remove(`${group}/validatingadmissionpolicybindings/rules`)
    expect((await make('x')).code).toBe(201)
  })

  it('does not get in with an expression that does not compile', async () => {
    const { code, body } = await server.create(`${group}/validatingadmissionpolicies`, {
      metadata: { name: 'broken' },
      spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'nobody.knows(' }] },
    })
    expect([code, body.message]).toEqual([422, expect.stringContaining('spec.validations[0].expression')])
  })
})

describe('a mutating policy', () => {
  it('lays an object over what is written', async () => {
    await enforce('Mutating', {
      reinvocationPolicy: 'Never',
      matchConstraints: { resourceRules: [{ ...rule, resources: ['deployments'] }] },
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: {
            expression: `Object{
              metadata: Object.metadata{labels: {"team": object.metadata.name + "s"}},
              spec: Object.spec{
                replicas: object.spec.replicas > 2 ? 2 : object.spec.replicas,
                template: Object.spec.template{spec: Object.spec.template.spec{
                  containers: [Object.spec.template.spec.containers.item{name: "c", imagePullPolicy: "Always"}]
                }}
              }
            }`,
          },
        },
      ],
    })
    const { body } = await server.create(deployments, deployment(7, { labels: { app: 'web' } }))
    expect(body.metadata.labels).toEqual({ app: 'web', team: 'webs' })
    expect(body.spec.replicas).toBe(2)
    expect(body.spec.template.spec.containers).toMatchObject([{ name: 'c', image: 'i', imagePullPolicy: 'Always' }])
  })

  it('patches, one mutation after the other', async () => {
    const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } })
    await enforce('Mutating', {
      reinvocationPolicy: 'Never',
      mutations: [
        patch('[JSONPatch{op: "add", path: "/metadata/annotations", value: {"a/b": "1"}}]'),
        patch(`[
          JSONPatch{op: "test", path: "/metadata/annotations/" + jsonpatch.escapeKey("a/b"), value: "1"},
          JSONPatch{op: "add", path: "/data", value: {"n": string(size(object.metadata.annotations))}}
        ]`),
      ],
    })
    const { body } = await make('x')
    expect([body.metadata.annotations, body.data]).toEqual([{ 'a/b': '1' }, { n: '1' }])
  })

  it('that cannot be evaluated refuses', async () => {
    await enforce('Mutating', {
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{data: object.none}' } }],
    })
    const { code, body } = await make('x')
    expect([code, body.message]).toEqual([
      403,
      expect.stringContaining("MutatingAdmissionPolicy 'rules' with binding 'rules' denied request: No such key: none"),
    ])
  })
})
