import { expect, test } from 'vitest'
import { explanation } from './text.ts'

const schemas = {
  'io.x.Box': {
    type: 'object',
    description: 'Box holds boxes.',
    required: ['name'],
    properties: {
      name: { type: 'string', description: 'Its name.' },
      boxes: { type: 'array', items: { $ref: '#/components/schemas/io.x.Box' } },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
}
const box = { group: 'x.io', version: 'v1', kind: 'Box', field: undefined, schema: schemas['io.x.Box'] }

test('a kind with its fields, sorted', () => {
  const text = explanation(box, schemas, false)
  expect(text).toContain('GROUP:      x.io\nKIND:       Box\nVERSION:    v1\n')
  expect(text).toMatch(
    /boxes\t<\[\]Box>[\s\S]*labels\t<map\[string\]string>[\s\S]*name\t<string> -required-\n {4}Its name\./,
  )
})

test('a field is told with the kind that it holds', () => {
  const schema = { type: 'array', description: 'Those inside.', items: { $ref: '#/components/schemas/io.x.Box' } }
  expect(explanation({ ...box, field: 'boxes', schema }, schemas, false)).toContain(
    'FIELD: boxes <[]Box>\n\n\nDESCRIPTION:\n    Those inside.\n    Box holds boxes.\n',
  )
})

test('what holds itself is followed once', () => {
  expect(explanation(box, schemas, true).match(/boxes\t/g)?.length).toBeLessThan(3)
})
