import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { AnyObject } from '../../api/machinery/object.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { fieldsOfNew } from './alike.ts'
import { type FieldSet, fieldSet, paths, printPath } from './field-set.ts'
import { Comparisons } from './managed-fields.ts'
import { fieldElement } from './path-element.ts'
import { TypeFault, typeOf } from './typed.ts'

const schema = builtinSchema('io.k8s.api.core.v1.Pod')
const nothing: AnyObject = { metadata: {} }

const workedOut = (object: AnyObject): FieldSet =>
  new Comparisons({ schema, apiVersion: 'v1' }, nothing, object).own.changed

/** Pods of few names and values, so that many are alike; with nulls, empty parts and wrong ones among them. */
const name = fc.constantFrom('a', 'b', '')
const text = fc.constantFrom('x', 'y', '', null)
const labels = fc.dictionary(name, text, { maxKeys: 2 })
const some = <T>(value: fc.Arbitrary<T>) => fc.oneof({ weight: 6, arbitrary: value }, fc.constantFrom(null, {}, []))
const container = fc.record(
  {
    name,
    image: text,
    args: some(fc.array(name, { maxLength: 2 })),
    env: some(fc.array(fc.record({ name, value: text }, { requiredKeys: [] }), { maxLength: 2 })),
    ports: some(
      fc.array(fc.record({ containerPort: fc.constantFrom(1, 2), protocol: name }, { requiredKeys: [] }), {
        maxLength: 2,
      }),
    ),
    resources: some(fc.record({ limits: some(labels) }, { requiredKeys: [] })),
  },
  { requiredKeys: ['name'] },
)
const pod = fc.record(
  {
    metadata: fc.record(
      {
        name,
        labels: some(labels),
        finalizers: some(fc.array(name, { maxLength: 2 })),
        ownerReferences: some(fc.array(fc.record({ uid: name, kind: text }), { maxLength: 2 })),
      },
      { requiredKeys: ['name'] },
    ),
    spec: some(
      fc.record(
        {
          containers: some(fc.array(container, { maxLength: 2 })),
          nodeName: text,
          nodeSelector: some(labels),
          hostNetwork: fc.constantFrom(true, false, null),
          securityContext: some(fc.record({ runAsUser: fc.constantFrom(0, 1) }, { requiredKeys: [] })),
        },
        { requiredKeys: [] },
      ),
    ),
    status: some(fc.record({ phase: text }, { requiredKeys: [] })),
  },
  { requiredKeys: ['metadata'] },
) as fc.Arbitrary<unknown> as fc.Arbitrary<AnyObject>

test('a new object has the fields that comparing it with nothing finds, whatever was made before it', () => {
  const type = typeOf(schema)
  fc.assert(
    fc.property(fc.array(pod, { minLength: 2, maxLength: 6 }), (pods) => {
      for (const object of pods) {
        let expected: FieldSet
        try {
          expected = workedOut(object)
        } catch (error) {
          expect(error).toBeInstanceOf(TypeFault)
          expect(() => fieldsOfNew(type, object, 'a', () => workedOut(object))).toThrow(TypeFault)
          continue
        }
        const found = fieldsOfNew(type, object, 'a', () => workedOut(object))
        expect(paths(found).map(printPath)).toEqual(paths(expected).map(printPath))
      }
    }),
    { numRuns: 500 },
  )
})

test('fields of objects alike are worked out once, and anew under other rules', () => {
  const type = typeOf(builtinSchema('io.k8s.api.core.v1.ConfigMap'))
  const set = fieldSet([fieldElement('data')])
  let made = 0
  const make = () => {
    made++
    return set
  }
  const map = (value: string) => ({ metadata: { name: value }, data: { key: value } })
  for (const value of ['x', 'y', 'z']) expect(fieldsOfNew(type, map(value), 'a', make)).toBe(set)
  expect(made).toBe(1)
  fieldsOfNew(type, map('x'), 'b', make)
  expect(made).toBe(2)
  fieldsOfNew(type, { ...map('x'), data: { other: 'x' } }, 'a', make)
  expect(made).toBe(3)
})
