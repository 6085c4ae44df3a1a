import { expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { placesOf } from './in-manifest.ts'

const text = `apiVersion: apps/v1
kind: Deployment
spec:
  replica: 2
  template:
    spec:
      containers:
        - name: a
          imag: x
`
const manifest = { source: 'web.yaml', text, linesBefore: 10 }
const schema = builtinSchema('io.k8s.api.apps.v1.Deployment')

test('unknown fields are shown where they stand, with what was meant', () => {
  const message =
    'strict decoding error: unknown field "spec.replica", unknown field "spec.template.spec.containers[0].imag"'
  expect(placesOf(new StatusError(400, 'BadRequest', message), manifest, schema)).toEqual([
    '  web.yaml:14:3: spec.replica: did you mean "replicas"?',
    '  web.yaml:19:11: spec.template.spec.containers[0].imag: did you mean "image"?',
  ])
})

test('what is invalid is shown where it stands, and what is missing where it belongs', () => {
  const causes = ['spec.template.spec.containers[0].name', 'spec.selector'].map((field) => ({
    field,
    message: 'wrong',
  }))
  expect(placesOf(new StatusError(422, 'Invalid', 'wrong', { causes }), manifest, schema)).toEqual([
    '  web.yaml:18:11: spec.template.spec.containers[0].name',
    '  web.yaml:13:1: spec.selector',
  ])
})

test('so are those of an item of a list, and of JSON', () => {
  const unknown = new StatusError(400, 'BadRequest', 'strict decoding error: unknown field "spec.replica"')
  const list = 'kind: List\nitems:\n  - kind: Other\n  - spec: {replica: 2}\n'
  const inList = { source: 'list.yaml', text: list, linesBefore: 0, within: ['items', 1] }
  expect(placesOf(unknown, inList, schema)).toEqual(['  list.yaml:4:12: spec.replica: did you mean "replicas"?'])
  const json = { source: 'web.json', text: '{\n  "spec": {\n    "replica": 2\n  }\n}', linesBefore: 0 }
  expect(placesOf(unknown, json, schema)).toEqual(['  web.json:3:5: spec.replica: did you mean "replicas"?'])
})

test('other refusals are about no place', () => {
  expect(placesOf(new StatusError(403, 'Forbidden', 'no'), manifest, schema)).toEqual([])
})
