import { afterEach, describe, expect, it } from 'vitest'
import { useCompilers } from '../machinery/compilers.ts'
import { defaulted, faults, testContext } from '../machinery/kind-testing.ts'
import { customResourceDefinitions as kind } from './index.ts'

const version = (schema: object, more: object = {}) => ({
  name: 'v1',
  served: true,
  storage: true,
  schema: { openAPIV3Schema: schema },
  ...more,
})
const definition = (spec: object = {}, more: object = {}) => ({
  metadata: { name: 'crons.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'crons', kind: 'Cron' },
    versions: [version({ type: 'object' })],
    ...spec,
  },
  ...more,
})
const withProperties = (properties: object, root: object = {}) =>
  definition({ versions: [version({ type: 'object', properties, ...root })] })
const root = 'spec.validation.openAPIV3Schema'

describe('defaults of a definition', () => {
  it('fill in names, conversion, ports and stored versions', () => {
    const clientConfig = { service: { name: 's', namespace: 'n' } }
    const full = defaulted(kind, definition({ conversion: { strategy: 'Webhook', webhook: { clientConfig } } }))
    expect(full).toMatchObject({
      spec: {
        names: { singular: 'cron', listKind: 'CronList' },
        conversion: { webhook: { clientConfig: { service: { port: 443 } } } },
      },
      status: { storedVersions: ['v1'] },
    })
    expect(defaulted(kind, definition()).spec).toMatchObject({ conversion: { strategy: 'None' } })
  })

  it('a new storage version joins the stored ones, without touching the old object', () => {
    const old = defaulted(kind, definition())
    const versions = [version({ type: 'object' }, { storage: false }), version({ type: 'object' }, { name: 'v2' })]
    const next = defaulted(kind, definition({ versions }))
    if (old.status) next.status = old.status
    kind.strategy.prepareForUpdate?.(next, old, testContext)
    expect(next.status).toEqual({ storedVersions: ['v1', 'v2'] })
    expect(old.status).toEqual({ storedVersions: ['v1'] })
  })
})

describe('a definition', () => {
  it.each([
    ['sound', definition(), []],
    [
      'of another name',
      definition({ names: { plural: 'dogs', kind: 'Dog' } }),
      ['metadata.name: Invalid value: "crons.example.com": must be spec.names.plural+"."+spec.group'],
    ],
    ['without group', definition({ group: '' }, { metadata: { name: 'crons.' } }), ['spec.group: Required value']],
    [
      'of a group without dot',
      definition({ group: 'example' }, { metadata: { name: 'crons.example' } }),
      ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
    ],
    [
      'of an unknown scope',
      definition({ scope: 'Galaxy' }),
      ['spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'],
    ],
    [
      'without schema',
      definition({ versions: [{ name: 'v1', served: true, storage: true }] }),
      ['spec.versions[0].schema.openAPIV3Schema: Required value'],
    ],
    [
      'of a list named as the kind',
      definition({ names: { plural: 'crons', kind: 'Cron', listKind: 'Cron' } }),
      ['spec.names.listKind: Invalid value: "Cron": kind and listKind may not be the same'],
    ],
    [
      'with a bad short name',
      definition({ names: { plural: 'crons', kind: 'Cron', shortNames: ['C'] } }),
      ['spec.names.shortNames[0]: Invalid value: "C": a DNS-1035 label must consist'],
    ],
    [
      'that keeps unknown fields',
      definition({ preserveUnknownFields: true }),
      [
        'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ],
    ],
    [
      'with two storage versions',
      definition({ versions: [version({ type: 'object' }), version({ type: 'object' }, { name: 'v2' })] }),
      [
        'spec.versions: Invalid value: ',
        'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2',
      ],
    ],
    [
      'with a version twice',
      definition({ versions: [version({ type: 'object' }), version({ type: 'object' }, { storage: false })] }),
      ['spec.versions: Invalid value: '],
    ],
    [
      'that warns of what is not deprecated',
      definition({ versions: [version({ type: 'object' }, { deprecationWarning: 'x' })] }),
      ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
    ],
  ])('%s', (_, object, expected) => {
    const found = faults(kind, object)
    expect(found.map((fault, i) => fault.slice(0, expected[i]?.length))).toEqual(expected)
  })

  it('of a community group needs an approval, or a word that there is none', () => {
    const community = (annotation?: string) =>
      definition(
        { group: 'foo.k8s.io' },
        {
          metadata: {
            name: 'crons.foo.k8s.io',
            ...(annotation ? { annotations: { 'api-approved.kubernetes.io': annotation } } : {}),
          },
        },
      )
    expect(faults(kind, community())[0]).toMatch(
      /^metadata.annotations\[api-approved.kubernetes.io\]: Required value: protected groups/,
    )
    expect(faults(kind, community('yes'))[0]).toMatch(/Invalid value: "yes"/)
    expect(faults(kind, community('https://github.com/x/y/pull/1'))).toEqual([])
    expect(faults(kind, community('unapproved, experimental'))).toEqual([])
  })

  it('that is established keeps its kind and scope; group and plural stay from the first', () => {
    const established = definition(
      {},
      { status: { conditions: [{ type: 'Established', status: 'True' }], storedVersions: ['v1'] } },
    )
    const renamed = (old: object) =>
      faults(kind, definition({ scope: 'Cluster', names: { plural: 'crons', kind: 'Clock' } }), old)
    expect(renamed(definition())).toEqual([])
    expect(renamed(established)).toEqual([
      'spec.scope: Invalid value: "Cluster": field is immutable',
      'spec.names.kind: Invalid value: "Clock": field is immutable',
    ])
    expect(faults(kind, definition({ group: 'other.com' }), definition())).toEqual([
      'spec.group: Invalid value: "other.com": field is immutable',
    ])
  })

  it('keeps versions that objects may be stored in', () => {
    const gone = definition(
      { versions: [version({ type: 'object' }, { name: 'v2' })] },
      { status: { storedVersions: ['v1', 'v2'] } },
    )
    expect(faults(kind, gone, definition())[0]).toMatch(
      /^status.storedVersions\[0\]: Invalid value: "v1": missing from spec.versions; v1 was previously/,
    )
  })
})

describe('conversion', () => {
  const conversion = (webhook: object | undefined, strategy = 'Webhook') =>
    definition({ conversion: { strategy, ...(webhook ? { webhook } : {}) } })
  const service = { name: 's', namespace: 'n' }
  const sound = { clientConfig: { service }, conversionReviewVersions: ['v1'] }
  it.each([
    ['by a webhook', conversion(sound), []],
    [
      'by nobody',
      conversion(undefined),
      [
        'spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook',
        'spec.conversion.conversionReviewVersions: Required value',
      ],
    ],
    [
      'none, with a webhook',
      conversion(sound, 'None'),
      [
        'spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook',
        'spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook',
      ],
    ],
    [
      'by two',
      conversion({ ...sound, clientConfig: { service, url: 'https://x/y' } }),
      ['spec.conversion.webhookClientConfig: Required value: exactly one of url or service is required'],
    ],
    [
      'in the clear',
      conversion({ ...sound, clientConfig: { url: 'http://x' } }),
      [
        'spec.conversion.webhookClientConfig.url: Invalid value: "http": \'https\' is the only allowed URL scheme; desired format: https://host[/path]',
      ],
    ],
    [
      'with a strange path',
      conversion({ ...sound, clientConfig: { service: { ...service, path: '/a//b' } } }),
      ['spec.conversion.webhookClientConfig.service.path: Invalid value: "/a//b": segment[1] may not be empty'],
    ],
    [
      'in unknown versions',
      conversion({ ...sound, conversionReviewVersions: ['v9', 'v9'] }),
      [
        'spec.conversion.conversionReviewVersions[1]: Invalid value: "v9": duplicate version',
        'spec.conversion.conversionReviewVersions: Invalid value: ["v9","v9"]: must include at least one of v1, v1beta1',
      ],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(kind, object)).toEqual(expected)
  })
})

describe('a structural schema', () => {
  const at = (name: string) => `${root}.properties[${name}]`
  it.each([
    ['with types everywhere', withProperties({ spec: { type: 'object', properties: { n: { type: 'integer' } } } }), []],
    [
      'without type at the root',
      definition({ versions: [version({ properties: { a: { type: 'string' } } })] }),
      [`${root}.type: Required value: must not be empty at the root`],
    ],
    [
      'without type in a field',
      withProperties({ a: {} }),
      [`${at('a')}.type: Required value: must not be empty for specified object fields`],
    ],
    [
      'without type in an item',
      withProperties({ a: { type: 'array', items: {} } }),
      [`${at('a')}.items.type: Required value: must not be empty for specified array items`],
    ],
    [
      'with a list of nothing',
      withProperties({ a: { type: 'array' } }),
      [`${at('a')}.items: Required value: must be specified`],
    ],
    [
      'with int-or-string',
      withProperties({ a: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] } }),
      [],
    ],
    [
      'with a type inside anyOf',
      withProperties({ a: { type: 'string', anyOf: [{ type: 'string' }] } }),
      [`${at('a')}.anyOf[0].type: Forbidden: must be empty to be structural`],
    ],
    [
      'with a field only inside a rule',
      withProperties({ a: { type: 'string' } }, { not: { required: ['b'], properties: { b: { minLength: 1 } } } }),
      [`${root}.properties[b]: Required value: because it is defined in ${root}.not.properties[b]`],
    ],
    [
      'with a pattern that is none',
      withProperties({ a: { type: 'string', pattern: '(' } }),
      [`${at('a')}.pattern: Invalid value: "(": must be a valid regular expression, but isn't: `],
    ],
    [
      'with metadata',
      withProperties({ metadata: { type: 'object', properties: { name: { type: 'string', pattern: '^a' } } } }),
      [],
    ],
    [
      'with more than names in metadata',
      withProperties({ metadata: { type: 'object', properties: { labels: { type: 'object' } } } }),
      [
        `${at('metadata')}: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified`,
      ],
    ],
    [
      'with a kind that is no string',
      withProperties({ kind: { type: 'integer' } }),
      [`${at('kind')}.type: Invalid value: "integer": must be string`],
    ],
    [
      'open at the root',
      withProperties({}, { additionalProperties: { type: 'string' } }),
      [`${root}.additionalProperties: Forbidden: must not be used at the root`],
    ],
    [
      'with an embedded resource of no fields',
      withProperties({ a: { type: 'object', 'x-kubernetes-embedded-resource': true } }),
      [
        `${at('a')}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      ],
    ],
    [
      'nullable at the root',
      withProperties({}, { nullable: true }),
      [`${root}.nullable: Forbidden: nullable cannot be true at the root`],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(kind, object).map((fault, i) => fault.slice(0, expected[i]?.length))).toEqual(expected)
  })

  it('is reported at its version where versions differ', () => {
    const versions = [
      version({ type: 'object', properties: { a: {} } }),
      version({ type: 'object' }, { name: 'v2', storage: false }),
    ]
    expect(faults(kind, definition({ versions }))).toEqual([
      'spec.versions[0].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
    ])
  })

  it('is checked for its form where decoding cannot', () => {
    expect(
      faults(kind, withProperties({ a: { type: 'array', items: { type: 'string', maxLength: 'many' } } })),
    ).toEqual([`${at('a')}.items.maxLength: Invalid value: "many": must be number, not "many"`])
  })
})

describe('rules of schemas', () => {
  const a = `${root}.properties[a]`
  const mapList = (more: object, item: object = {}) => ({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
    items: { type: 'object', required: ['k'], properties: { k: { type: 'string' } }, ...item },
    ...more,
  })
  const rule = (more: object) => ({
    type: 'object',
    properties: { b: { type: 'string' } },
    'x-kubernetes-validations': [{ rule: 'true', ...more }],
  })
  it.each([
    ['a list with keys', mapList({}), []],
    [
      'keys that are no fields',
      mapList({ 'x-kubernetes-list-map-keys': ['z'] }),
      [`${a}.x-kubernetes-list-map-keys: Invalid value: ["z"]: entries must all be names of item properties`],
    ],
    [
      'no keys',
      mapList({ 'x-kubernetes-list-map-keys': [] }),
      [`${a}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`],
    ],
    [
      'a key that may be missing',
      mapList({}, { required: [] }),
      [
        `${a}.items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    ],
    [
      'a set of objects',
      { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'object' } },
      [
        `${a}.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set`,
      ],
    ],
    [
      'an unknown list type',
      { type: 'array', 'x-kubernetes-list-type': 'bag', items: { type: 'string' } },
      [`${a}.x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"`],
    ],
    [
      'a map type on a string',
      { type: 'string', 'x-kubernetes-map-type': 'atomic' },
      [`${a}.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified`],
    ],
    [
      'unique items',
      { type: 'array', uniqueItems: true, items: { type: 'string' } },
      [`${a}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`],
    ],
    [
      'properties beside a map',
      { type: 'object', properties: { b: { type: 'string' } }, additionalProperties: { type: 'string' } },
      [`${a}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`],
    ],
    ['a reference', { $ref: '#/x' }, [`${a}.$ref: Forbidden: $ref is not supported`]],
    [
      'an unknown type',
      { type: 'date' },
      [
        `${a}.type: Unsupported value: "date": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      ],
    ],
    ['a rule', rule({}), []],
    [
      'an empty rule',
      rule({ rule: ' ' }),
      [`${a}.x-kubernetes-validations[0].rule: Required value: rule is not specified`],
    ],
    [
      'a rule with an empty message',
      rule({ message: ' ' }),
      [`${a}.x-kubernetes-validations[0].message: Invalid value: " ": must be non-empty if specified`],
    ],
    [
      'a rule of lines without message',
      rule({ rule: 'true ||\nfalse' }),
      [
        `${a}.x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks`,
      ],
    ],
    [
      'a rule about a field that is not there',
      rule({ fieldPath: '.c' }),
      [`${a}.x-kubernetes-validations[0].fieldPath: Invalid value: ".c": must be a valid path`],
    ],
    ['a rule about a field', rule({ fieldPath: '.b', reason: 'FieldValueForbidden' }), []],
    ['a default that fits', { type: 'object', default: { b: 1 }, properties: { b: { type: 'integer' } } }, []],
    [
      'a default of another type',
      { type: 'integer', default: 'x' },
      [`${a}.default: Invalid value: "string": ${a}.default in body must be of type integer: "string"`],
    ],
    [
      'a default with an unknown field',
      { type: 'object', default: { c: 1 }, properties: { b: { type: 'integer' } } },
      [`${a}.default: Invalid value: {"c":1}: must not have unknown fields`],
    ],
  ])('%s', (_, schema, expected) => {
    expect(faults(kind, withProperties({ a: schema }))).toEqual(expected)
  })
})

describe('subresources, columns and fields to select by', () => {
  const at = (more: object, properties: object = {}) =>
    definition({ versions: [version({ type: 'object', properties: { spec: { type: 'object', properties } } }, more)] })
  it.each([
    ['status beside plain keywords', at({ subresources: { status: {} } }), []],
    ['scale', at({ subresources: { scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' } } }), []],
    [
      'scale of elsewhere',
      at({ subresources: { scale: { specReplicasPath: '.foo', statusReplicasPath: 'n' } } }),
      [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".foo": should be a json path under .spec',
        'spec.subresources.scale.statusReplicasPath: Invalid value: "n": must be a simple json path starting with .',
      ],
    ],
    [
      'a column without path',
      at({ additionalPrinterColumns: [{ name: 'A', type: 'text' }] }),
      [
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        'spec.additionalPrinterColumns[0].JSONPath: Required value',
      ],
    ],
    ['a field to select by', at({ selectableFields: [{ jsonPath: '.spec.c' }] }, { c: { type: 'string' } }), []],
    [
      'the same twice',
      at({ selectableFields: [{ jsonPath: '.spec.c' }, { jsonPath: '.spec.c' }] }, { c: { type: 'string' } }),
      ['spec.selectableFields[1].jsonPath: Duplicate value: ".spec.c"'],
    ],
    [
      'one of a wrong type',
      at({ selectableFields: [{ jsonPath: '.spec' }] }),
      [
        'spec.selectableFields[0].jsonPath: Invalid value: ".spec": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
      ],
    ],
    [
      'one that is not there',
      at({ selectableFields: [{ jsonPath: '.spec.d' }] }),
      [
        'spec.selectableFields[0].jsonPath: Invalid value: ".spec.d": is an invalid path: does not refer to a valid field',
      ],
    ],
  ])('%s', (_, object, expected) => {
    expect(faults(kind, object)).toEqual(expected)
  })

  it('status allows no other keyword at the root', () => {
    const bad = definition({
      versions: [version({ type: 'object', oneOf: [{ required: ['a'] }] }, { subresources: { status: {} } })],
    })
    expect(faults(kind, bad)[0]).toMatch(
      /only \[Description Type .* XValidations\] fields are allowed at the root of the schema/,
    )
  })
})

describe('formats', () => {
  it('that are not known get a warning, once', () => {
    const odd = withProperties({ a: { type: 'string', format: 'odd' }, b: { type: 'string', format: 'date-time' } })
    expect(kind.warnings?.(defaulted(kind, odd), undefined)).toEqual(['unrecognized format "odd"'])
    expect(kind.warnings?.(defaulted(kind, odd), defaulted(kind, odd))).toEqual([])
  })
})

describe('patterns', () => {
  afterEach(() => useCompilers({}))
  it('are checked by the engine the server uses', () => {
    useCompilers({ pattern: (pattern) => (pattern.includes('(?=') ? 'no look-ahead' : undefined) })
    expect(faults(kind, withProperties({ a: { type: 'string', pattern: '(?=x)' } }))[0]).toMatch(/no look-ahead$/)
  })
})
