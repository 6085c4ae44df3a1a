import { describe, expect, it } from 'vitest'
import { faults } from '../machinery/kind-testing.ts'
import { customResourceDefinitions as kind } from './index.ts'

const root = 'spec.validation.openAPIV3Schema'
const a = `${root}.properties[a]`
const text = { type: 'string' }
/** What is wrong with a definition of this schema. */
const ofRoot = (schema: object, more: object = {}) =>
  faults(kind, {
    metadata: { name: 'crons.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'crons', kind: 'Cron' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema }, ...more }],
    },
  })
const ofField = (schema: object) => ofRoot({ type: 'object', properties: { a: schema } })
/** As much of each as is expected. */
const starts = (found: string[], expected: string[]) => found.map((fault, i) => fault.slice(0, expected[i]?.length))

describe('a default', () => {
  const at = `${a}.default`
  const of = (value: unknown, schema: object) => ofField({ ...schema, default: value })
  const list = (items: object) => ({ type: 'array', items })
  const object = (properties: object, more: object = {}) => ({ type: 'object', properties, ...more })
  it.each<[string, string[], string[]]>([
    ['of a whole number is a number', of(1, { type: 'number' }), []],
    [
      'of a fraction is no whole number',
      of(1.5, { type: 'integer' }),
      [`${at}: Invalid value: "number": ${at} in body must be of type integer: "number"`],
    ],
    [
      'is a text or a number',
      [...of('a', { 'x-kubernetes-int-or-string': true }), ...of(1, { 'x-kubernetes-int-or-string': true })],
      [],
    ],
    [
      'is neither',
      of(true, { 'x-kubernetes-int-or-string': true }),
      [`${at}: Invalid value: true: ${at} in body must be of type integer,string: "boolean"`],
    ],
    ['is one of those allowed', of('x', { ...text, enum: ['x', 'y'] }), []],
    [
      'is none of them',
      of('z', { ...text, enum: ['x', 'y'] }),
      [`${at}: Unsupported value: "z": supported values: "x", "y"`],
    ],
    ['has items of the type', of(['x', 1], list(text)), [`${at}[1]: Invalid value: "integer": `]],
    ['has fields that are there', of({}, object({ b: text }, { required: ['b'] })), [`${at}.b: Required value`]],
    ['has the fields that must be there', of({ b: 'x' }, object({ b: text }, { required: ['b'] })), []],
    ['has fields of the type', of({ b: 1 }, object({ b: text })), [`${at}.b: Invalid value: "integer": `]],
    [
      'has values of the type',
      of({ b: 1 }, { type: 'object', additionalProperties: text }),
      [`${at}.b: Invalid value: "integer": `],
    ],
    ['has null where that may be', of({ b: null }, object({ b: { ...text, nullable: true } })), []],
    ['has null nowhere else', of({ b: null }, object({ b: text })), [`${at}.b: Invalid value: "null": `]],
    [
      'has items with known fields',
      of([{ b: 'x' }, { c: 'x' }], list(object({ b: text }))),
      [`${at}: Invalid value: [{`],
    ],
    [
      'has any fields where those are kept',
      of({ c: 1 }, object({ b: text }, { 'x-kubernetes-preserve-unknown-fields': true })),
      [],
    ],
    ['has any fields of a map', of({ c: 1 }, { type: 'object', additionalProperties: true }), []],
    [
      'has what every resource has',
      of(
        { apiVersion: 'v1', kind: 'A', metadata: {} },
        object({ b: text }, { 'x-kubernetes-embedded-resource': true }),
      ),
      [],
    ],
    [
      'has no such fields elsewhere',
      of({ kind: 'A' }, object({ b: text })),
      [`${at}: Invalid value: {"kind":"A"}: must not have unknown fields`],
    ],
    [
      'of items is looked at as well',
      ofField(list({ ...text, default: 1 })),
      [`${a}.items.default: Invalid value: "integer": `],
    ],
    ['may be null, which is none', of(null, text), []],
  ])('%s', (_, found, expected) => {
    expect(starts(found, expected)).toEqual(expected)
  })

  it('is not for what all objects have', () => {
    const defaulted = { ...text, default: 'A' }
    expect(ofRoot({ type: 'object', properties: { kind: defaulted } })).toEqual([
      `${root}.properties[kind].default: Forbidden: must not be set in top-level kind`,
    ])
    const metadata = { type: 'object', properties: { name: defaulted } }
    expect(ofRoot({ type: 'object', properties: { metadata } })).toEqual([
      `${root}.properties[metadata].properties[name].default: Forbidden: must not be set in top-level metadata`,
    ])
  })
})

describe('a keyword that is not supported', () => {
  it.each<[string, object]>([
    ['id', { id: 'x' }],
    ['additionalItems', { additionalItems: true }],
    ['patternProperties', { patternProperties: { x: text } }],
    ['definitions', { definitions: { x: text } }],
    ['dependencies', { dependencies: { x: ['y'] } }],
    ['$ref', { $ref: '#/x' }],
  ])('is refused: %s', (keyword, more) => {
    expect(ofField({ ...text, ...more })).toContain(`${a}.${keyword}: Forbidden: ${keyword} is not supported`)
  })

  it.each<[string, object, string]>([
    [
      'null as a type',
      { type: 'null' },
      `${a}.type: Forbidden: type cannot be set to null, use nullable as an alternative`,
    ],
    [
      'items that differ',
      { type: 'array', items: [text, text] },
      `${a}.items: Forbidden: items must be a schema object and not an array`,
    ],
    [
      'unknown fields that are lost',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': false },
      `${a}.x-kubernetes-preserve-unknown-fields: Invalid value: false: must be true or undefined`,
    ],
    [
      'a reference deep inside',
      { type: 'array', items: { type: 'object', properties: { b: { $ref: '#/x' } } } },
      `${a}.items.properties[b].$ref: Forbidden: $ref is not supported`,
    ],
    [
      'a reference in a map',
      { type: 'object', additionalProperties: { $ref: '#/x' } },
      `${a}.additionalProperties.$ref: Forbidden: $ref is not supported`,
    ],
    ['a reference in a rule', { ...text, not: { $ref: '#/x' } }, `${a}.not.$ref: Forbidden: $ref is not supported`],
    [
      'a reference in one of some rules',
      { ...text, oneOf: [{ $ref: '#/x' }] },
      `${a}.oneOf[0].$ref: Forbidden: $ref is not supported`,
    ],
  ])('is refused: %s', (_, schema, expected) => {
    expect(ofField(schema)).toContain(expected)
  })

  it('is told where nothing else is', () => {
    expect(ofRoot({ type: 'object', $schema: 'x' })).toEqual([
      `${root}: Invalid value: "": OpenAPIV3Schema 'schema' is not supported`,
    ])
  })
})

describe('lists and maps', () => {
  const keyed = (items: object | undefined, keys: string[] = ['k']) => ({
    type: 'array',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
    ...(items ? { items } : {}),
  })
  const item = (k: object, more: object = {}) => ({ type: 'object', required: ['k'], properties: { k }, ...more })
  const set = (items: object) => ({ type: 'array', 'x-kubernetes-list-type': 'set', items })
  it.each<[string, object, string[]]>([
    ['a map of its own kind', { type: 'object', 'x-kubernetes-map-type': 'granular' }, []],
    [
      'a map of another kind',
      { type: 'object', 'x-kubernetes-map-type': 'odd' },
      [`${a}.x-kubernetes-map-type: Unsupported value: "odd": supported values: "atomic", "granular"`],
    ],
    [
      'a list type on no list',
      { ...text, 'x-kubernetes-list-type': 'atomic' },
      [`${a}.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified`],
    ],
    [
      'keys of a list without type',
      { type: 'array', items: item(text), 'x-kubernetes-list-map-keys': ['k'] },
      [`${a}.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty`],
    ],
    [
      'keys of a set',
      { ...set(text), 'x-kubernetes-list-map-keys': ['k'] },
      [`${a}.x-kubernetes-list-type: Invalid value: "set": must be map if x-kubernetes-list-map-keys is non-empty`],
    ],
    ['a set of texts', set(text), []],
    ['a set of whole maps', set({ type: 'object', 'x-kubernetes-map-type': 'atomic' }), []],
    ['a set of whole lists', set({ type: 'array', 'x-kubernetes-list-type': 'atomic', items: text }), []],
    [
      'a set of sets',
      set(set(text)),
      [`${a}.items.x-kubernetes-list-type: Invalid value: "set": must be atomic as item of a list`],
    ],
    [
      'a set of what may be null',
      set({ ...text, nullable: true }),
      [`${a}.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set`],
    ],
    [
      'keys of what is no object',
      keyed(text),
      [`${a}.items.type: Invalid value: "string": must be object if parent array's x-kubernetes-list-type is map`],
    ],
    [
      'keys that are no scalars',
      keyed(item({ type: 'array', items: text })),
      [`${a}.items.properties[k].type: Invalid value: "object": must be a scalar type`],
    ],
    [
      'keys twice',
      keyed(item(text), ['k', 'k']),
      [`${a}.x-kubernetes-list-map-keys: Invalid value: ["k","k"]: must not contain`],
    ],
    ['keys with a default', keyed(item({ ...text, default: 'x' }, { required: [] })), []],
    [
      'keys that may be null',
      keyed(item({ ...text, nullable: true })),
      [`${a}.items.properties[k].nullable: Forbidden: this property is in x-kubernetes-list-map-keys, so it cannot be`],
    ],
  ])('%s', (_, schema, expected) => {
    expect(starts(ofField(schema), expected)).toEqual(expected)
  })
})

describe('a rule', () => {
  const of = (more: object) =>
    ofField({
      type: 'object',
      properties: { b: text, 'odd name': text, m: { type: 'object', additionalProperties: text } },
      'x-kubernetes-validations': [{ rule: 'true', ...more }],
    })
  const at = `${a}.x-kubernetes-validations[0]`
  const noPath = (path: string) => [`${at}.fieldPath: Invalid value: ${JSON.stringify(path)}: must be a valid path`]
  it.each<[string, object, string[]]>([
    ['of lines, with a message', { rule: 'true\n&& true', message: 'no' }, []],
    [
      'with a message of lines',
      { message: 'a\nb' },
      [`${at}.message: Invalid value: "a\\nb": must not contain line breaks`],
    ],
    [
      'with an empty expression for its message',
      { messageExpression: ' ' },
      [`${at}.messageExpression: Required value: `],
    ],
    [
      'with a reason of its own',
      { reason: 'Because' },
      [`${at}.reason: Unsupported value: "Because": supported values: `],
    ],
    ['about a field by another way of writing', { fieldPath: `['odd name']` }, []],
    ['about a value of a map', { fieldPath: '.m.anything' }, []],
    ['about a field in nothing', { fieldPath: '.b.c' }, noPath('.b.c')],
    ['about a field without dot', { fieldPath: 'b' }, noPath('b')],
    ['about a field that is not closed', { fieldPath: `['b'` }, noPath(`['b'`)],
    ['about a field that is closed otherwise', { fieldPath: `['b'.` }, noPath(`['b'.`)],
    ['about a field that is not quoted', { fieldPath: '[b]' }, noPath('[b]')],
    ['about a field that is half quoted', { fieldPath: `['` }, noPath(`['`)],
    [
      'about nothing',
      { fieldPath: ' ' },
      [`${at}.fieldPath: Invalid value: " ": must be non-empty if specified`, ...noPath(' ')],
    ],
    [
      'about lines',
      { fieldPath: '.b\n' },
      [`${at}.fieldPath: Invalid value: ".b\\n": must not contain line breaks`, ...noPath('.b\n')],
    ],
  ])('%s', (_, more, expected) => {
    expect(starts(of(more), expected)).toEqual(expected)
  })
})

describe('a structural schema', () => {
  const embedded = { type: 'object', 'x-kubernetes-embedded-resource': true }
  const intOrString = { anyOf: [{ type: 'integer' }, text] }
  it.each<[string, object, string[]]>([
    [
      'with a number or a text, and more rules',
      { 'x-kubernetes-int-or-string': true, allOf: [intOrString, { not: { pattern: '^x' } }] },
      [],
    ],
    [
      'with a number or a text among other rules',
      { 'x-kubernetes-int-or-string': true, allOf: [{ pattern: '^x' }, intOrString] },
      [`${a}.allOf[1].anyOf[0].type: Forbidden: `, `${a}.allOf[1].anyOf[1].type: Forbidden: `],
    ],
    [
      'with a number or a text that is open, or an object',
      { 'x-kubernetes-int-or-string': true, 'x-kubernetes-preserve-unknown-fields': true },
      [
        `${a}.x-kubernetes-preserve-unknown-fields: Invalid value: true: must be false if x-kubernetes-int-or-string is true`,
      ],
    ],
    [
      'with an object that says no type',
      { 'x-kubernetes-embedded-resource': true, properties: { spec: text } },
      [`${a}.type: Required value: must be object if x-kubernetes-embedded-resource is true`],
    ],
    [
      'with an object that is a text',
      { ...text, 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
      [`${a}.type: Invalid value: "string": must be object if x-kubernetes-embedded-resource is true`],
    ],
    ['with an object that is open', { ...embedded, 'x-kubernetes-preserve-unknown-fields': true }, []],
    [
      'with an object of values',
      { ...embedded, 'x-kubernetes-preserve-unknown-fields': true, additionalProperties: text },
      [`${a}.additionalProperties: Forbidden: must not be used if x-kubernetes-embedded-resource is set`],
    ],
    [
      'with an object of a kind that is no text',
      { ...embedded, properties: { kind: { type: 'integer' } } },
      [`${a}.properties[kind].type: Invalid value: "integer": must be string`],
    ],
    ['with fields of no type that are open', { 'x-kubernetes-preserve-unknown-fields': true }, []],
    [
      'with values of no type',
      { type: 'object', additionalProperties: {} },
      [`${a}.additionalProperties.type: Required value: must not be empty for specified object fields`],
    ],
    [
      'with a type in none of some rules',
      { ...text, not: text },
      [`${a}.not.type: Forbidden: must be empty to be structural`],
    ],
    [
      'with a default in one of some rules',
      { ...text, oneOf: [{ default: '' }] },
      [`${a}.oneOf[0].default: Forbidden: must be undefined to be structural`],
    ],
    [
      'with a type deep inside a rule',
      { type: 'object', properties: { b: text }, not: { properties: { b: text } } },
      [`${a}.not.properties[b].type: Forbidden: `],
    ],
    [
      'with a type of items inside a rule',
      { type: 'array', items: text, not: { items: text } },
      [`${a}.not.items.type: Forbidden: `],
    ],
    [
      'with values inside a rule',
      { type: 'object', properties: { b: text }, not: { additionalProperties: true } },
      [`${a}.not.additionalProperties: Forbidden: must be undefined to be structural`],
    ],
    [
      'without values inside a rule',
      { type: 'object', properties: { b: text }, not: { additionalProperties: false } },
      [],
    ],
    [
      'with metadata inside a rule',
      { type: 'object', properties: { metadata: { type: 'object' } }, not: { properties: { metadata: {} } } },
      [`${a}.not.properties[metadata]: Forbidden: must not be specified in a nested context`],
    ],
  ])('%s', (_, schema, expected) => {
    expect(starts(ofField(schema), expected)).toEqual(expected)
  })

  it('is of an object, whose metadata may be named in some ways only', () => {
    expect(ofRoot(text)).toEqual([`${root}.type: Invalid value: "string": must be object at the root`])
    const metadata = (more: object) => ofRoot({ type: 'object', properties: { metadata: { type: 'object', ...more } } })
    expect(metadata({ properties: { name: text, generateName: text }, nullable: false, title: '' })).toEqual([])
    expect(metadata({ properties: { name: text, labels: { type: 'object' } } })).toHaveLength(1)
    expect(metadata({ additionalProperties: text })).toHaveLength(1)
    expect(metadata({ description: 'mine' })).toHaveLength(1)
  })

  it('names its items outside of rules as well', () => {
    expect(
      ofRoot({
        type: 'object',
        properties: { a: { type: 'array', items: text } },
        allOf: [{ properties: { a: { items: { properties: { b: { minLength: 1 } } } } } }],
      }),
    ).toEqual([
      `${a}.items.properties[b]: Required value: because it is defined in ${root}.allOf[0].properties[a].items.properties[b]`,
    ])
  })
})
