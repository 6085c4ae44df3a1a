import { describe, expect, it } from 'vitest'
import type { CustomResourceColumnDefinition } from '../../../api/generated/types.ts'
import type { AnyObject } from '../../../api/machinery/object.ts'
import { columnsOf } from './columns.ts'

const nowMs = Date.UTC(2026, 0, 1)
const column = (type: string, more: Partial<CustomResourceColumnDefinition> = {}): CustomResourceColumnDefinition => ({
  name: 'A',
  type,
  jsonPath: '.spec.a',
  ...more,
})
const object = (a?: unknown): AnyObject =>
  ({
    apiVersion: 'example.com/v1',
    kind: 'Cron',
    metadata: { name: 'c', creationTimestamp: '2025-12-31T00:00:00Z' },
    spec: { a },
  }) as AnyObject
const cells = (definitions: CustomResourceColumnDefinition[] | undefined, a?: unknown) =>
  columnsOf(definitions).map(({ value }) => value(object(a), nowMs))

describe('a column', () => {
  it.each<[string, unknown, string | number | boolean | null]>([
    ['integer', 3, 3],
    ['integer', 3.7, 3],
    ['integer', '3', null],
    ['number', 3.7, 3.7],
    ['number', '3.7', null],
    ['boolean', false, false],
    ['boolean', 'false', null],
    ['date', '2025-12-30T00:00:00Z', '2d'],
    ['date', 'soon', '<invalid>'],
    ['date', 5, null],
    ['string', 'text', 'text'],
    ['string', 5, '5'],
    ['string', { b: [1] }, '{"b":[1]}'],
    ['string', null, null],
    ['string', undefined, null],
  ])('of type %s shows %j as %j', (type, value, expected) => {
    expect(cells([column(type)], value)).toEqual(['c', expected])
  })

  it('says what it is, and where it comes from unless it is described', () => {
    expect(columnsOf([column('string')])[1]).toEqual({
      name: 'A',
      type: 'string',
      description: 'Custom resource definition column (in JSONPath format): .spec.a',
      value: expect.any(Function),
    })
    const full = column('integer', { format: 'int32', priority: 1, description: 'How many.' })
    expect(columnsOf([full])[1]).toMatchObject({ format: 'int32', priority: 1, description: 'How many.' })
  })

  it('shows the first of several values', () => {
    expect(cells([column('integer', { jsonPath: '.spec.a[*].n' })], [{ n: 1 }, { n: 2 }])).toEqual(['c', 1])
  })
})

it('without columns of its own a kind shows its age', () => {
  const age = {
    name: 'Age',
    type: 'date',
    description: 'Custom resource definition column (in JSONPath format): .metadata.creationTimestamp',
  }
  for (const none of [undefined, []]) {
    expect(columnsOf(none)[1]).toMatchObject(age)
    expect(cells(none)).toEqual(['c', '24h'])
  }
})

it('what comes after a path that cannot be read is not shown', () => {
  const columns = columnsOf([column('string'), column('string', { jsonPath: '.spec[' }), column('integer')])
  expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['Name string', 'A string'])
})
