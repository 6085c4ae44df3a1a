import { afterEach, describe, expect, it } from 'vitest'
import { useCompilers } from '../machinery/compilers.ts'
import { cells, defaulted, faults, statusFaults } from '../machinery/kind-testing.ts'
import {
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  mutatingWebhookConfigurations,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
  validatingWebhookConfigurations,
} from './index.ts'
import { validateCaBundle } from './webhook-client.ts'

afterEach(() => useCompilers({}))

const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }
const webhook = (more: object = {}) => ({
  name: 'a.example.com',
  clientConfig: { service: { name: 's', namespace: 'n' } },
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  rules: [rule],
  ...more,
})
const configuration = (...webhooks: object[]) => ({ metadata: { name: 'c' }, webhooks })

describe('webhooks', () => {
  it('get upstream defaults', () => {
    expect(defaulted(mutatingWebhookConfigurations, configuration(webhook())).webhooks).toMatchObject([
      {
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        timeoutSeconds: 10,
        reinvocationPolicy: 'Never',
        rules: [{ scope: '*' }],
        clientConfig: { service: { port: 443 } },
      },
    ])
    expect(defaulted(validatingWebhookConfigurations, configuration(webhook())).webhooks).not.toHaveProperty(
      '0.reinvocationPolicy',
    )
  })

  it.each([
    ['sound', webhook(), []],
    ['without name', webhook({ name: '' }), ['webhooks[0].name: Required value']],
    [
      'of a short name',
      webhook({ name: 'a.b' }),
      ['webhooks[0].name: Invalid value: "a.b": should be a domain with at least three segments separated by dots'],
    ],
    [
      'of unknown effects',
      webhook({ sideEffects: 'Some' }),
      ['webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"'],
    ],
    [
      'that does not tell its effects',
      webhook({ sideEffects: undefined }),
      ['webhooks[0].sideEffects: Required value: must specify one of None, NoneOnDryRun'],
    ],
    [
      'that takes too long',
      webhook({ timeoutSeconds: 31 }),
      ['webhooks[0].timeoutSeconds: Invalid value: 31: the timeout value must be between 1 and 30 seconds'],
    ],
    [
      'that fails in its own way',
      webhook({ failurePolicy: 'Explode' }),
      ['webhooks[0].failurePolicy: Unsupported value: "Explode": supported values: "Fail", "Ignore"'],
    ],
    [
      'of no version',
      webhook({ admissionReviewVersions: [] }),
      ['webhooks[0].admissionReviewVersions: Required value: must specify one of v1, v1beta1'],
    ],
    [
      'nowhere',
      webhook({ clientConfig: {} }),
      ['webhooks[0].clientConfig: Required value: exactly one of url or service is required'],
    ],
    [
      'with a user in the URL',
      webhook({ clientConfig: { url: 'https://me@host/x?q=1#f' } }),
      [
        'webhooks[0].clientConfig.url: Invalid value: "me": user information is not permitted in the URL',
        'webhooks[0].clientConfig.url: Invalid value: "f": fragments are not permitted in the URL',
        'webhooks[0].clientConfig.url: Invalid value: "q=1": query parameters are not permitted in the URL',
      ],
    ],
    [
      'with a condition without expression',
      webhook({ matchConditions: [{ name: 'a', expression: ' ' }] }),
      ['webhooks[0].matchConditions[0].expression: Required value'],
    ],
    [
      'with a condition twice',
      webhook({
        matchConditions: [
          { name: 'a', expression: 'true' },
          { name: 'a', expression: 'true' },
        ],
      }),
      ['webhooks[0].matchConditions[1].name: Duplicate value: "a"'],
    ],
  ])('%s', (_, one, expected) => {
    expect(faults(validatingWebhookConfigurations, configuration(one))).toEqual(expected)
  })

  it.each([
    [
      'a wildcard beside an operation',
      { operations: ['*', 'CREATE'] },
      ['operations: Invalid value: ["*","CREATE"]: if \'*\' is present, must not specify other operations'],
    ],
    [
      'an unknown operation',
      { operations: ['READ'] },
      ['operations[0]: Unsupported value: "READ": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"'],
    ],
    ['no groups', { apiGroups: [] }, ['apiGroups: Required value']],
    ['an empty version', { apiVersions: [''] }, ['apiVersions[0]: Required value']],
    ['no resources', { resources: [] }, ['resources: Required value']],
    [
      'a subresource covered already',
      { resources: ['pods/*', 'pods/status'] },
      ['resources[1]: Invalid value: "pods/status": if \'pods/*\' is present, must not specify pods/status'],
    ],
    [
      'a wildcard beside a resource',
      { resources: ['*', 'pods'] },
      [
        'resources: Invalid value: ["*","pods"]: if \'*\' is present, must not specify other resources without subresources',
      ],
    ],
    [
      'an unknown scope',
      { scope: 'Galaxy' },
      ['scope: Unsupported value: "Galaxy": supported values: "*", "Cluster", "Namespaced"'],
    ],
  ])('a rule with %s', (_, more, expected) => {
    const object = configuration(webhook({ rules: [{ ...rule, ...more }] }))
    expect(faults(mutatingWebhookConfigurations, object)).toEqual(
      expected.map((line) => `webhooks[0].rules[0].${line}`),
    )
  })

  it('have names of their own, unless they had not', () => {
    const twice = configuration(webhook(), webhook())
    expect(faults(validatingWebhookConfigurations, twice)).toEqual([
      'webhooks[1].name: Duplicate value: "a.example.com"',
    ])
    expect(faults(validatingWebhookConfigurations, twice, twice)).toEqual([])
  })

  it('compile their conditions once', () => {
    useCompilers({ expression: (expression) => (expression === 'bad' ? 'no such variable' : undefined) })
    const object = (n: number) =>
      configuration(webhook({ timeoutSeconds: n, matchConditions: [{ name: 'a', expression: 'bad' }] }))
    expect(faults(validatingWebhookConfigurations, object(1))).toEqual([
      'webhooks[0].matchConditions[0].expression: Invalid value: "bad": no such variable',
    ])
    expect(faults(validatingWebhookConfigurations, object(2), object(1))).toEqual([])
  })

  it('are counted', () => {
    expect(cells(mutatingWebhookConfigurations, configuration(webhook()))).toMatchObject({ Webhooks: 1 })
  })
})

it('bundles of certificates are certificates', () => {
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const wrong = (text: string) =>
    validateCaBundle(base64(text), 'caBundle').map(({ message }) => message.replace(/^.*?": /, ''))
  expect(wrong('hello')).toEqual(['unable to load root certificates: unable to parse bytes as PEM block'])
  expect(wrong('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')[0]).toMatch(
    /failed to parse certificate/,
  )
})

describe('policies', () => {
  const policy = (spec: object = {}) => ({
    metadata: { name: 'p.example.com' },
    spec: { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }], ...spec },
  })
  it.each([
    ['sound', policy(), []],
    ['about nothing', policy({ matchConstraints: undefined }), ['spec.matchConstraints: Required value']],
    ['without rules', policy({ matchConstraints: {} }), ['spec.matchConstraints.resourceRules: Required value']],
    [
      'that says nothing',
      policy({ validations: [] }),
      [
        'spec.validations: Required value: validations or auditAnnotations must contain at least one item',
        'spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item',
      ],
    ],
    [
      'with parameters of no kind',
      policy({ paramKind: { apiVersion: 'a/b/c' } }),
      [
        'spec.paramKind.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
        'spec.paramKind.kind: Required value',
      ],
    ],
    [
      'with a reserved variable',
      policy({ variables: [{ name: 'for', expression: '1' }] }),
      ['spec.variables[0].name: Invalid value: "for": must be a valid CEL identifier'],
    ],
    [
      'with a message of lines',
      policy({ validations: [{ expression: 'true', message: 'a\nb' }] }),
      ['spec.validations[0].message: Invalid value: "a\\nb": must not contain line breaks'],
    ],
    [
      'with an odd reason',
      policy({ validations: [{ expression: 'true', reason: 'Because' }] }),
      [
        'spec.validations[0].reason: Unsupported value: "Because": supported values: "Forbidden", "Invalid", "RequestEntityTooLarge"',
      ],
    ],
    [
      'with an annotation twice',
      policy({
        auditAnnotations: [
          { key: 'a', valueExpression: "'x'" },
          { key: 'a', valueExpression: "'x'" },
        ],
      }),
      ['spec.auditAnnotations[1].key: Duplicate value: "a"'],
    ],
    [
      'about a name twice',
      policy({ matchConstraints: { resourceRules: [{ ...rule, resourceNames: ['a', 'a'] }] } }),
      ['spec.matchConstraints.resourceRules[0].resourceNames[1]: Duplicate value: "a"'],
    ],
  ])('validating, %s', (_, object, expected) => {
    expect(faults(validatingAdmissionPolicies, object)).toEqual(expected)
  })

  it('report warnings with what they are about', () => {
    const status = { typeChecking: { expressionWarnings: [{ warning: '', fieldRef: '' }] } }
    expect(statusFaults(validatingAdmissionPolicies, { ...policy(), status }, policy())).toEqual([
      'status.typeChecking.expressionWarnings[0].warning: Required value',
      'status.typeChecking.expressionWarnings[0].fieldRef: Required value',
    ])
  })

  const mutation = { patchType: 'JSONPatch', jsonPatch: { expression: '[]' } }
  const mutating = (spec: object = {}) => ({
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules: [rule] }, mutations: [mutation], reinvocationPolicy: 'Never', ...spec },
  })
  it.each([
    ['sound', mutating(), []],
    [
      'on deletes',
      mutating({ matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] } }),
      [
        'spec.matchConstraints.resourceRules.operations: Unsupported value: "DELETE": supported values: "*", "CONNECT", "CREATE", "UPDATE"',
      ],
    ],
    [
      'without mutations',
      mutating({ mutations: [] }),
      ['spec.mutations: Required value: mutations must contain at least one item'],
    ],
    [
      'of another patch',
      mutating({ mutations: [{ patchType: 'X' }] }),
      ['spec.mutations[0].patchType: Unsupported value: "X": supported values: "ApplyConfiguration", "JSONPatch"'],
    ],
    [
      'of two patches',
      mutating({ mutations: [{ ...mutation, applyConfiguration: { expression: 'x' } }] }),
      [
        'spec.mutations[0].applyConfiguration: Invalid value: "{applyConfiguration}": must not be specified when patchType is JSONPatch',
      ],
    ],
    [
      'of an empty patch',
      mutating({ mutations: [{ patchType: 'ApplyConfiguration' }] }),
      ['spec.mutations[0].applyConfiguration: Required value: must be specified when patchType is ApplyConfiguration'],
    ],
    [
      'without a word on reinvocation',
      mutating({ reinvocationPolicy: undefined }),
      ['spec.reinvocationPolicy: Required value'],
    ],
  ])('mutating, %s', (_, object, expected) => {
    expect(faults(mutatingAdmissionPolicies, object)).toEqual(expected)
  })
})

describe('bindings of policies', () => {
  const binding = (spec: object = {}) => ({
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...spec },
  })
  const paramRef = { name: 'x', parameterNotFoundAction: 'Deny' }
  it.each([
    ['sound', binding({ paramRef }), []],
    ['without policy', binding({ policyName: '' }), ['spec.policyName: Required value']],
    [
      'without action',
      binding({ validationActions: [] }),
      ['spec.validationActions: Required value: at least one validation action is required'],
    ],
    [
      'with an action twice',
      binding({ validationActions: ['Audit', 'Audit'] }),
      ['spec.validationActions[1]: Duplicate value: "Audit"'],
    ],
    [
      'that denies and warns',
      binding({ validationActions: ['Deny', 'Warn'] }),
      [
        'spec.validationActions: Invalid value: ["Deny","Warn"]: must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ],
    ],
    [
      'with parameters by name and selector',
      binding({ paramRef: { ...paramRef, selector: {} } }),
      [
        'spec.paramRef.name: Forbidden: name and selector are mutually exclusive',
        'spec.paramRef.selector: Forbidden: name and selector are mutually exclusive',
      ],
    ],
    [
      'with parameters of nothing',
      binding({ paramRef: {} }),
      [
        'spec.paramRef: Required value: one of name or selector must be specified',
        'spec.paramRef.parameterNotFoundAction: Required value',
      ],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(validatingAdmissionPolicyBindings, object)).toEqual(expected)
  })
  it('show their parameters', () => {
    expect(cells(mutatingAdmissionPolicyBindings, binding({ paramRef }))).toMatchObject({
      PolicyName: 'p',
      ParamRef: '*/x',
    })
    expect(cells(mutatingAdmissionPolicyBindings, binding())).toMatchObject({ ParamRef: '<unset>' })
  })
})
