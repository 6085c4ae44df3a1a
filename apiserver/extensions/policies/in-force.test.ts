import { beforeEach, describe, expect, it } from 'vitest'
import type { AnyObject } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import { createMutatingPolicies } from './mutating.ts'
import { createValidatingPolicies } from './validating.ts'

const group = 'admissionregistration.k8s.io'
let client: MemoryClient
let warnings: string[]

beforeEach(() => {
  client = new MemoryClient().put('', 'namespaces', { metadata: { name: 'shop', labels: { tier: 'front' } } })
  warnings = []
})

const context = (): AdmissionContext => ({
  client,
  lookup: client.lookup,
  lookupKind: (of, kind) =>
    ({ ConfigMap: client.lookup(of, 'configmaps'), Node: client.lookup(of, 'nodes') })[kind] ?? undefined,
  authorizer: { authorize: async () => ({ allowed: true, reason: '' }) } as never,
  now: () => 0,
  sleep: async () => {},
})

const write = (more: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
  operation: 'CREATE',
  resource: client.lookup('', 'configmaps'),
  subresource: '',
  namespace: 'shop',
  name: 'x',
  user: { name: 'jane', groups: [] },
  dryRun: false,
  object: { metadata: { name: 'x' }, data: { n: '1' } } as unknown as AnyObject,
  warn: (message) => void warnings.push(message),
  ...more,
})

const everything = { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }

interface Bound {
  spec?: object
  binding?: object
}
function enforce(kind: 'validating' | 'mutating', name: string, { spec = {}, binding = {} }: Bound): void {
  const plural = `${kind}admissionpolic`
  client
    .put(group, `${plural}ies`, {
      metadata: { name },
      spec: { matchConstraints: { resourceRules: [everything] }, failurePolicy: 'Fail', ...spec },
    })
    .put(group, `${plural}ybindings`, {
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'], ...binding },
    })
}

/** What a write is told, or '' where it may be. */
async function told(attributes = write()): Promise<string> {
  const plugin = createValidatingPolicies(context())
  if (!plugin.handles(attributes)) return ''
  try {
    await plugin.validate?.(attributes)
    return ''
  } catch (error) {
    return (error as Error).message.replace(/^.*denied request: /, '')
  }
}
const no = [{ expression: 'false', message: 'no' }]

describe('a validating policy is in force', () => {
  const ruled = (resource: string) => ({ resourceRules: [{ ...everything, resources: [resource] }] })
  it.each<[string, Bound, boolean]>([
    ['where a binding puts it', {}, true],
    ['where its binding narrows it to', { binding: { matchResources: ruled('configmaps') } }, true],
    ['not beyond', { binding: { matchResources: ruled('secrets') } }, false],
    ['not what its binding leaves out', { binding: { matchResources: { excludeResourceRules: [everything] } } }, false],
    [
      'not in namespaces that are not meant',
      { binding: { matchResources: { namespaceSelector: { matchLabels: { tier: 'back' } } } } },
      false,
    ],
    [
      'not for objects that are not meant',
      { spec: { matchConstraints: { resourceRules: [everything], objectSelector: { matchLabels: { a: 'b' } } } } },
      false,
    ],
    [
      'where its conditions hold',
      { spec: { matchConditions: [{ name: 'c', expression: 'object.data.n == "1"' }] } },
      true,
    ],
    [
      'not where they do not',
      { spec: { matchConditions: [{ name: 'c', expression: 'object.data.n == "2"' }] } },
      false,
    ],
    [
      'not where one of them does not, whatever is wrong with others',
      {
        spec: {
          matchConditions: [
            { name: 'bad', expression: 'object.none == "1"' },
            { name: 'c', expression: 'false' },
          ],
        },
      },
      false,
    ],
    ['not without a binding of its own', { binding: { policyName: 'another' } }, false],
    ['not where its binding only looks on', { binding: { validationActions: ['Audit'] } }, false],
  ])('%s', async (_, { spec, binding = {} }, expected) => {
    enforce('validating', 'p', { spec: { validations: no, ...spec }, binding })
    expect(await told()).toBe(expected ? 'no' : '')
  })

  it('and refuses where it cannot be told whether it is meant, unless that is to be ignored', async () => {
    const spec = { validations: no, matchConditions: [{ name: 'bad', expression: 'object.none == "1"' }] }
    enforce('validating', 'p', { spec })
    expect(await told()).toContain("expression 'bad' resulted in error: No such key: none")
    enforce('validating', 'p', { spec: { ...spec, failurePolicy: 'Ignore' } })
    expect(await told()).toBe('')
  })

  it('but not for what admission itself is configured by', async () => {
    enforce('validating', 'p', { spec: { validations: no } })
    const resource = client.lookup(group, 'validatingadmissionpolicies')
    expect(await told(write({ resource, namespace: '' }))).toBe('')
  })
})

describe('what a validating policy says', () => {
  const refusal = async (validations: object[]) => {
    enforce('validating', 'p', { spec: { validations } })
    const plugin = createValidatingPolicies(context())
    return plugin.validate?.(write())?.catch((error: unknown) => error)
  }

  it('has the code of its reason, and all there is against the write', async () => {
    const validations = [
      { expression: 'false', message: 'one', reason: 'Unauthorized' },
      { expression: 'true', message: 'two' },
      { expression: 'false', message: 'three' },
    ]
    expect(await refusal(validations)).toMatchObject({
      code: 401,
      reason: 'Unauthorized',
      message: expect.stringContaining('denied request: one'),
      details: { causes: [{ message: 'one' }, { message: 'three' }] },
    })
  })

  it.each([
    ['is computed', '"n is " + object.data.n', 'n is 1'],
    ['is what was written where nothing comes of it', '" "', 'plain'],
    ['is what was written where it has several lines', '"a\\nb"', 'plain'],
    ['is what was written where it is no text', 'object.data', 'plain'],
    ['is what was written where it cannot be computed', 'object.none', 'plain'],
  ])('%s', async (_, messageExpression, message) => {
    const found = await refusal([{ expression: 'false', message: ' plain ', messageExpression }])
    expect((found as Error).message).toMatch(new RegExp(`denied request: ${message}$`))
  })

  it('is the expression where nothing was written', async () => {
    expect(((await refusal([{ expression: ' false ' }])) as Error).message).toMatch(/failed expression: false$/)
  })

  it('comes in the order of names', async () => {
    for (const name of ['c', 'a', 'b']) {
      enforce('validating', name, { spec: { validations: [{ expression: 'false', message: name }] } })
    }
    client.put(group, 'validatingadmissionpolicybindings', {
      metadata: { name: '0' },
      spec: { policyName: 'a', validationActions: ['Warn'] },
    })
    expect(await told()).toBe('a')
    expect(warnings).toEqual(["Validation failed for ValidatingAdmissionPolicy 'a' with binding '0': a"])
  })

  it('tells of a variable that cannot be computed where it is used, and only there', async () => {
    const variables = [
      { name: 'bad', expression: 'object.none' },
      { name: 'good', expression: '1' },
    ]
    const using = (expression: string) =>
      enforce('validating', 'p', { spec: { variables, validations: [{ expression }] } })
    using('variables.good == 1')
    expect(await told()).toBe('')
    using('variables.bad == 1')
    expect(await told()).toContain('composited variable "bad" fails to evaluate: No such key: none')
  })
})

describe('the parameters of a policy', () => {
  const paramKind = { apiVersion: 'v1', kind: 'ConfigMap' }
  const limit = (name: string, namespace: string, max: string) =>
    client.put('', 'configmaps', { metadata: { name, namespace, labels: { for: 'x' } }, data: { max } })
  const judged = (paramRef: object, kind: object = paramKind, attributes = write()) => {
    const validations = [
      { expression: 'object.data.n <= params.data.max', messageExpression: '"max " + params.data.max' },
    ]
    enforce('validating', 'p', { spec: { paramKind: kind, validations }, binding: { paramRef } })
    return told(attributes)
  }

  it.each<[string, object, object | undefined, string]>([
    ['are found beside the object', { name: 'zero' }, undefined, 'max 0'],
    ['are found in the namespace that is named', { name: 'zero', namespace: 'other' }, undefined, ''],
    ['are all that a selector chooses', { selector: { matchLabels: { for: 'x' } } }, undefined, 'max 0'],
    [
      'must be there',
      { selector: { matchLabels: { for: 'y' } }, parameterNotFoundAction: 'Deny' },
      undefined,
      'no params found for policy binding',
    ],
    ['may be missing where that is allowed', { name: 'none', parameterNotFoundAction: 'Allow' }, undefined, ''],
    ['are of a kind that there is', { name: 'zero' }, { apiVersion: 'v1', kind: 'Odd' }, "paramKind: 'v1, Kind=Odd'"],
    [
      'of a kind that lies in no namespace have none',
      { name: 'n', namespace: 'shop' },
      { apiVersion: 'v1', kind: 'Node' },
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    ],
  ])('%s', async (_, paramRef, kind, message) => {
    limit('zero', 'shop', '0')
    limit('zero', 'other', '9')
    const found = await judged(paramRef, kind)
    if (message === '') expect(found).toBe('')
    else expect(found).toContain(message)
  })

  it('have no namespace where the object has none', async () => {
    const node = write({ resource: client.lookup('', 'nodes'), namespace: '' })
    expect(await judged({ name: 'zero' }, paramKind, node)).toContain('cannot use namespaced paramRef')
  })
})

describe('a mutating policy', () => {
  const set = (field: string, expression: string) => ({
    patchType: 'JSONPatch',
    jsonPatch: { expression: `[JSONPatch{op: "add", path: "/data/${field}", value: ${expression}}]` },
  })
  const mutated = async (attributes = write()) => {
    const plugin = createMutatingPolicies(context())
    if (plugin.handles(attributes)) await plugin.admit?.(attributes)
    const first = structuredClone((attributes.object as unknown as { data: object })?.data)
    const again = attributes.reinvoke === true
    if (again) await plugin.admit?.(attributes)
    return { first, again, second: (attributes.object as unknown as { data: object })?.data }
  }

  it('is asked again about what came of the first round, if it wants to be', async () => {
    const counting = (field: string) => set(field, 'string(size(object.data))')
    enforce('mutating', 'a', { spec: { reinvocationPolicy: 'IfNeeded', mutations: [counting('a')] } })
    enforce('mutating', 'b', { spec: { reinvocationPolicy: 'Never', mutations: [counting('b')] } })
    expect(await mutated()).toEqual({
      first: { n: '1', a: '1', b: '2' },
      again: true,
      second: { n: '1', a: '3', b: '2' },
    })
  })

  it('that changes nothing makes nobody look again', async () => {
    enforce('mutating', 'a', { spec: { mutations: [set('n', 'object.data.n')] } })
    expect((await mutated()).again).toBe(false)
  })

  it('that cannot be evaluated is passed over if it says so', async () => {
    const mutations = [set('a', 'object.none'), set('b', '"b"')]
    enforce('mutating', 'a', { spec: { failurePolicy: 'Ignore', mutations } })
    expect((await mutated()).first).toEqual({ n: '1', b: 'b' })
    enforce('mutating', 'a', { spec: { mutations } })
    await expect(mutated()).rejects.toThrow('denied request: No such key: none')
  })

  it('of which it cannot be told whether it is meant refuses', async () => {
    const matchConditions = [{ name: 'bad', expression: 'object.none == 1' }]
    enforce('mutating', 'a', { spec: { matchConditions, mutations: [set('a', '"a"')] } })
    await expect(mutated()).rejects.toThrow("expression 'bad' resulted in error")
  })

  it('has nothing to do with what is deleted, or with what admission is configured by', () => {
    enforce('mutating', 'a', { spec: { mutations: [set('a', '"a"')] } })
    const plugin = createMutatingPolicies(context())
    expect(plugin.handles(write())).toBe(true)
    expect(plugin.handles(write({ operation: 'DELETE' }))).toBe(false)
    expect(plugin.handles(write({ resource: client.lookup(group, 'mutatingadmissionpolicies') }))).toBe(false)
  })
})
