import { expect, test } from 'vitest'
import type { NamedObject } from '../objects.ts'
import { isSo, parseAwaited } from './awaited.ts'

const pod = (status: object, generation = 1) =>
  ({ metadata: { name: 'web', uid: 'one', generation }, status }) as unknown as NamedObject
const so = (text: string, object: NamedObject | undefined) => isSo(parseAwaited([text])[0]!, object, 'one')
const ready = (more = {}) => ({ conditions: [{ type: 'Ready', status: 'True', ...more }] })

test('a condition, whatever the case of its letters', () => {
  expect(so('condition=ready', pod(ready()))).toBe(true)
  expect(so('condition=Ready=false', pod(ready()))).toBe(false)
  expect(so('condition=Started', pod(ready()))).toBe(false)
})

test('a condition of an earlier generation does not count', () => {
  expect(so('condition=Ready', pod(ready({ observedGeneration: 1 }), 2))).toBe(false)
  expect(so('condition=Ready', pod({ ...ready(), observedGeneration: 1 }, 2))).toBe(false)
})

test('the value at a path, or any', () => {
  const object = pod({ phase: 'Running', replicas: 3, list: [{ a: '1', b: 'x' }] })
  expect(so('jsonpath={.status.phase}=Running', object)).toBe(true)
  expect(so('jsonpath={.status.replicas}=3', object)).toBe(true)
  expect(so('jsonpath={.status.phase}', object)).toBe(true)
  expect(so('jsonpath={.status.nothing}', object)).toBe(false)
  expect(so('jsonpath={.status.list[?(@.a=="1")].b}=x', object)).toBe(true)
})

test('gone, or another of the same name', () => {
  expect(so('delete', undefined)).toBe(true)
  expect(so('delete', pod({}))).toBe(false)
  expect(isSo({ type: 'delete' }, pod({}), 'another')).toBe(true)
})

test('that it is made comes first', () => {
  expect(parseAwaited(['condition=Ready', 'create']).map(({ type }) => type)).toEqual(['create', 'condition'])
  expect(() => parseAwaited(['soon'])).toThrow('unrecognized condition: "soon"')
})
