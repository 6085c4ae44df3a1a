import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AnyObject } from '../../../api/machinery/object.ts'
import type { AdmissionContext } from '../../admission/context.ts'
import type { AdmissionAttributes } from '../../admission/types.ts'
import { MemoryClient } from '../../auth/testing/memory-client.ts'
import type { AuthorizationAttributes } from '../../auth/types.ts'
import { type Answering, patching, startWebhooks, type WebhookServer } from '../testing/webhook-server.ts'
import { createMutatingWebhooks } from './mutating.ts'
import { createValidatingWebhooks } from './validating.ts'

const group = 'admissionregistration.k8s.io'
let webhooks: WebhookServer
let client: MemoryClient
/** Who was asked whether somebody may do something. */
let asked: AuthorizationAttributes[]

beforeAll(async () => {
  webhooks = await startWebhooks()
})
afterAll(() => webhooks?.stop())
beforeEach(() => {
  client = new MemoryClient().put('', 'namespaces', { metadata: { name: 'shop' } })
  webhooks.seen.length = 0
  asked = []
})

const context = (): AdmissionContext => ({
  client,
  lookup: client.lookup,
  lookupKind: () => undefined,
  authorizer: {
    authorize: async (question: AuthorizationAttributes) => {
      asked.push(question)
      return { allowed: true, reason: '' }
    },
  } as never,
  now: () => 0,
  sleep: async () => {},
})

interface Hook {
  answering?: Answering
  more?: object
}
function configure(kind: 'mutating' | 'validating', name: string, hooks: readonly Hook[]): void {
  client.put(group, `${kind}webhookconfigurations`, {
    metadata: { name },
    webhooks: hooks.map(({ answering = () => ({ allowed: true }), more }, i) => {
      const path = `/${name}/${i}`
      webhooks.on(path, answering)
      return {
        name: `${i}.${name}`,
        rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }],
        clientConfig: { url: webhooks.url(path), caBundle: webhooks.caBundle },
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        timeoutSeconds: 5,
        ...more,
      }
    }),
  })
}

const write = (more: Partial<AdmissionAttributes> = {}): AdmissionAttributes => ({
  operation: 'CREATE',
  resource: client.lookup('', 'configmaps'),
  subresource: '',
  namespace: 'shop',
  name: 'x',
  user: { name: 'jane', groups: [] },
  dryRun: false,
  object: { metadata: { name: 'x' }, data: { a: 'b' } } as unknown as AnyObject,
  warn: () => {},
  ...more,
})
const validate = (attributes = write()) => createValidatingWebhooks(context()).validate?.(attributes)
const refusing =
  (message: string): Answering =>
  () => ({ allowed: false, status: { message } })

describe('a webhook', () => {
  const bad = [{ name: 'bad', expression: 'object.none == 1' }]

  it('whose condition cannot be evaluated refuses, unless that is to be ignored', async () => {
    configure('validating', 'v', [{ more: { matchConditions: bad, failurePolicy: 'Fail' } }])
    await expect(validate()).rejects.toThrow("expression 'bad' resulted in error: No such key: none")
    configure('validating', 'v', [
      { answering: refusing('no'), more: { matchConditions: bad, failurePolicy: 'Ignore' } },
    ])
    await validate()
    expect(webhooks.seen).toEqual([])
  })

  it('is not asked where one condition is false, whatever is wrong with others', async () => {
    const matchConditions = [...bad, { name: 'never', expression: 'false' }]
    configure('validating', 'v', [{ answering: refusing('no'), more: { matchConditions } }])
    await validate()
    expect(webhooks.seen).toEqual([])
  })

  it.each([
    ['Some', 400],
    ['Unknown', 400],
    ['None', undefined],
    ['NoneOnDryRun', undefined],
  ])('with side effects %s and a dry run', async (sideEffects, code) => {
    configure('validating', 'v', [{ more: { sideEffects } }])
    const outcome = await validate(write({ dryRun: true }))?.catch((error: { code: number }) => error)
    expect(outcome?.code).toBe(code)
    await validate()
  })

  it('may ask what the user may do, and what a service account may', async () => {
    const check = (who: string) => `${who}.group("").resource("secrets").namespace("other").check("get").allowed()`
    const matchConditions = [
      { name: 'user', expression: check('authorizer') },
      { name: 'account', expression: check('authorizer.serviceAccount("shop", "robot")') },
      { name: 'own', expression: 'authorizer.requestResource.check("delete").allowed()' },
    ]
    configure('validating', 'v', [{ more: { matchConditions } }])
    await validate()
    expect(asked).toMatchObject([
      { user: { name: 'jane' }, verb: 'get', resource: 'secrets', namespace: 'other' },
      {
        user: {
          name: 'system:serviceaccount:shop:robot',
          groups: ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated'],
        },
        verb: 'get',
        resource: 'secrets',
      },
      { user: { name: 'jane' }, verb: 'delete', resource: 'configmaps', namespace: 'shop', name: 'x' },
    ])
  })

  it('is heard whichever of several it is, and the first of those that refuse is told', async () => {
    configure('validating', 'b', [{}, { answering: refusing('last') }])
    configure('validating', 'a', [{}, { answering: refusing('first') }])
    await expect(validate()).rejects.toThrow('denied the request: first')
    client.remove(group, 'validatingwebhookconfigurations', '', 'a')
    await expect(validate()).rejects.toThrow('denied the request: last')
  })

  it('has nothing to do with what admission is configured by', () => {
    configure('validating', 'v', [{}])
    configure('mutating', 'm', [{}])
    for (const plugin of [createValidatingWebhooks(context()), createMutatingWebhooks(context())]) {
      expect(plugin.handles(write())).toBe(true)
      expect(plugin.handles(write({ resource: client.lookup(group, 'mutatingwebhookconfigurations') }))).toBe(false)
    }
  })
})

describe('a mutating webhook', () => {
  const setting =
    (field: string, value: string): Answering =>
    () =>
      patching([{ op: 'add', path: `/data/${field}`, value }])
  const paths = () => webhooks.seen.map(({ object }) => Object.keys(object.data).join())
  const twice = { reinvocationPolicy: 'IfNeeded' }

  async function mutate(attributes = write()) {
    const plugin = createMutatingWebhooks(context())
    await plugin.admit?.(attributes)
    const again = attributes.reinvoke === true
    if (again) await plugin.admit?.(attributes)
    return { data: (attributes.object as unknown as { data: object }).data, again }
  }

  it('comes in the order of configurations, each seeing what those before it did', async () => {
    configure('mutating', 'b', [{ answering: setting('b', '1') }])
    configure('mutating', 'a', [{ answering: setting('c', '1') }, { answering: setting('d', '1') }])
    await mutate()
    expect(paths()).toEqual(['a', 'a,c', 'a,c,d'])
  })

  it('is asked again only where something has changed since', async () => {
    configure('mutating', 'm', [{ answering: setting('b', '1'), more: twice }])
    expect((await mutate()).again).toBe(true)
    expect(paths()).toEqual(['a'])
    webhooks.seen.length = 0
    configure('mutating', 'm', [{ answering: setting('b', '1'), more: twice }, { answering: setting('c', '1') }])
    await mutate()
    expect(paths()).toEqual(['a', 'a,b', 'a,b,c'])
  })

  it('that was not meant the first time is not asked the second', async () => {
    const matchConditions = [{ name: 'late', expression: '"c" in object.data' }]
    configure('mutating', 'm', [{ more: { ...twice, matchConditions } }, { answering: setting('c', '1') }])
    await mutate()
    expect(paths()).toEqual(['a'])
  })

  it('that changes nothing makes nobody look again', async () => {
    configure('mutating', 'm', [{ answering: setting('a', 'b') }])
    expect(await mutate()).toEqual({ data: { a: 'b' }, again: false })
  })

  it.each([
    ['makes another kind of it', [{ op: 'replace', path: '/kind', value: 'Secret' }]],
    ['makes another version of it', [{ op: 'replace', path: '/apiVersion', value: 'v2' }]],
  ])('whose patch %s fails', async (_, operations) => {
    configure('mutating', 'm', [{ answering: () => patching(operations) }])
    await expect(mutate()).rejects.toThrow('the patch changes what kind of object it is')
  })
})
