import { describe, expect, it } from 'vitest'
import { cells, defaulted, faults, statusFaults } from '../machinery/kind-testing.ts'
import type { Resource } from '../machinery/resource.ts'
import { bootstrapFlowSchemas, bootstrapPriorityLevels, flowSchemas, priorityLevelConfigurations } from './index.ts'

it.each([
  ['flow schemas', flowSchemas, bootstrapFlowSchemas, 11],
  ['priority levels', priorityLevelConfigurations, bootstrapPriorityLevels, 8],
])('the %s a cluster starts with are sound and complete', (_, known, objects, count) => {
  const kind: Resource = known
  expect(objects).toHaveLength(count)
  for (const object of objects) {
    expect(faults(kind, object)).toEqual([])
    expect(defaulted(kind, object)).toEqual(object)
  }
})

it('every bootstrap schema leads to a bootstrap level', () => {
  const levels = bootstrapPriorityLevels.map(({ metadata }) => metadata.name)
  for (const { spec } of bootstrapFlowSchemas) expect(levels).toContain(spec?.priorityLevelConfiguration.name)
})

describe('flow schemas', () => {
  const everything = { verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'] }
  const schema = (spec: object = {}, name = 's') => ({
    metadata: { name },
    spec: { priorityLevelConfiguration: { name: 'global-default' }, ...spec },
  })
  const withRule = (rule: object) => schema({ rules: [{ subjects: [{ kind: 'User', user: { name: 'a' } }], ...rule }] })
  const at = 'spec.rules[0]'
  it.each([
    ['a default precedence', schema({ matchingPrecedence: 0 }), []],
    [
      'a negative precedence',
      schema({ matchingPrecedence: -1 }),
      ['spec.matchingPrecedence: Invalid value: -1: must be a positive value'],
    ],
    [
      'a precedence too large',
      schema({ matchingPrecedence: 10001 }),
      ['spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000'],
    ],
    [
      'the precedence of exempt',
      schema({ matchingPrecedence: 1 }),
      ["spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1"],
    ],
    [
      'an unknown distinguisher',
      schema({ distinguisherMethod: { type: 'X' } }),
      ['spec.distinguisherMethod.type: Unsupported value: {"type":"X"}: supported values: "ByNamespace", "ByUser"'],
    ],
    [
      'no level',
      schema({ priorityLevelConfiguration: {} }),
      ['spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
    ],
    [
      'a rule for nothing',
      withRule({}),
      [`${at}: Required value: at least one of resourceRules and nonResourceRules has to be non-empty`],
    ],
    [
      'a rule for nobody',
      withRule({ subjects: [], resourceRules: [everything] }),
      [`${at}.subjects: Required value: subjects must contain at least one value`],
    ],
    [
      'a subject of two kinds',
      withRule({
        subjects: [{ kind: 'User', user: { name: 'a' }, group: { name: 'b' } }],
        resourceRules: [everything],
      }),
      [`${at}.subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'`],
    ],
    [
      'a wildcard beside a verb',
      withRule({ resourceRules: [{ ...everything, verbs: ['*', 'get'] }] }),
      [`${at}.resourceRules[0].verbs: Invalid value: ["*","get"]: if '*' is present, must not specify other verbs`],
    ],
    [
      'an unknown verb',
      withRule({ nonResourceRules: [{ verbs: ['smile'], nonResourceURLs: ['/'] }] }),
      [
        `${at}.nonResourceRules[0].verbs: Unsupported value: ["smile"]: supported values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"`,
      ],
    ],
    [
      'no namespaces',
      withRule({ resourceRules: [{ ...everything, namespaces: [] }] }),
      [
        `${at}.resourceRules[0].namespaces: Required value: resource rules that are not cluster scoped must supply at least one namespace`,
      ],
    ],
    [
      'a path with a wildcard inside',
      withRule({ nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['/a/*/b'] }] }),
      [`${at}.nonResourceRules[0].nonResourceURLs[0]: Invalid value: "/a/*/b": wildcard can only do suffix matching`],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(flowSchemas, object)).toEqual(expected)
  })
  it('catch-all is as it is', () => {
    expect(faults(flowSchemas, schema({}, 'catch-all')).at(-1)).toMatch(
      /spec of 'catch-all' must equal the fixed value$/,
    )
  })
  it('have each condition once', () => {
    const status = { conditions: [{ type: 'Dangling', status: 'True' }, { type: 'Dangling' }] }
    expect(statusFaults(flowSchemas, { ...schema(), status }, schema())).toEqual([
      'status.conditions[1].type: Duplicate value: "Dangling"',
    ])
    expect(cells(flowSchemas, { ...schema(), status })).toMatchObject({
      MissingPL: 'True',
      DistinguisherMethod: '<none>',
      MatchingPrecedence: 1000,
    })
  })
})

describe('priority levels', () => {
  const level = (spec: object, name = 'l') => ({ metadata: { name }, spec })
  const limited = (more: object = {}, queuing: object = {}) =>
    level({ type: 'Limited', limited: { limitResponse: { type: 'Queue', queuing }, ...more } })
  it.each([
    ['a sound one', limited(), []],
    [
      'exempt under another name',
      level({ type: 'Exempt' }),
      ["spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'"],
    ],
    [
      'limited without limits',
      level({ type: 'Limited' }),
      ['spec.limited: Required value: must not be empty when type is Limited'],
    ],
    [
      'an unknown type',
      level({ type: 'X' }),
      ['spec.type: Unsupported value: "X": supported values: "Exempt", "Limited"'],
    ],
    [
      'queues that reject',
      limited({ limitResponse: { type: 'Reject', queuing: {} } }),
      ['spec.limited.limitResponse.queuing: Forbidden: must be nil if limited.limitResponse.type is not Limited'],
    ],
    [
      'a hand larger than the deck',
      limited({}, { queues: 4, handSize: 5 }),
      ['spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)'],
    ],
    [
      'a hand that needs too many bits',
      limited({}, { queues: 512, handSize: 8 }),
      [
        'spec.limited.limitResponse.queuing.handSize: Invalid value: 8: required entropy bits of deckSize 512 and handSize 8 should not be greater than 60',
      ],
    ],
    [
      'more to lend than there is',
      limited({ lendablePercent: 101 }),
      ['spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive'],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(priorityLevelConfigurations, object)).toEqual(expected)
  })
  it('fill in queues', () => {
    expect(cells(priorityLevelConfigurations, limited())).toMatchObject({
      NominalConcurrencyShares: 30,
      Queues: 64,
      HandSize: 8,
      QueueLengthLimit: 50,
    })
  })
  it('let only the shares of exempt change', () => {
    expect(
      faults(
        priorityLevelConfigurations,
        level({ type: 'Exempt', exempt: { nominalConcurrencyShares: 10 } }, 'exempt'),
      ),
    ).toEqual([])
    expect(
      faults(priorityLevelConfigurations, level({ type: 'Exempt', exempt: { lendablePercent: 101 } }, 'exempt')),
    ).toHaveLength(1)
  })
})
