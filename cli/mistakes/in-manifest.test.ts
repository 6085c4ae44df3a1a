import { expect, test } from 'vitest'
import { StatusError } from '../../api/machinery/errors.ts'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { UnknownKind } from '../kinds.ts'
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

test('a kind that is not served is shown where it is named', () => {
  expect(placesOf(new UnknownKind('no matches', 'kind'), manifest, undefined)).toEqual(['  web.yaml:12:1: kind'])
  expect(placesOf(new UnknownKind('no matches', 'apiVersion'), manifest, undefined)).toEqual([
    '  web.yaml:11:1: apiVersion',
  ])
})

const values = `spec:
  replicas: "2"
  template:
    metadata:
      labels: {app: web, hot: yes}
    spec:
      containers:
        - name: a
        - name: b
          args: --all
          env:
            - {name: A, value: "1"}
            - {name: B, value: 1}
          resources: {requests: {cpu: 100m, memory: 2x}}
`
const mistyped = (wire: string, field: string, type: string) =>
  `json: cannot unmarshal ${wire} into Go struct field X.${field} of type ${type}`

test.each([
  [mistyped('string', 'spec.replicas', 'int32'), '2:13: spec.replicas: write 2, without quotes'],
  [
    mistyped('bool', 'spec.template.metadata.labels', 'string'),
    '5:31: spec.template.metadata.labels.hot: write "yes", in quotes',
  ],
  [
    mistyped('number', 'spec.template.spec.containers.env.value', 'string'),
    '13:32: spec.template.spec.containers[1].env[1].value: write "1", in quotes',
  ],
  [
    mistyped('string', 'spec.template.spec.containers.args', '[]string'),
    '10:17: spec.template.spec.containers[1].args: write a list: each item after "- "',
  ],
  [
    "quantities must match the regular expression '…'",
    '14:53: spec.template.spec.containers[1].resources.requests.memory: write an amount such as 2, 500m or 512Mi',
  ],
])('of a value of the wrong type it is said where it is, and what to write: %s', (message, said) => {
  const text = { source: 'a.yaml', text: values, linesBefore: 0 }
  expect(placesOf(new StatusError(400, 'BadRequest', message), text, schema)).toEqual([`  a.yaml:${said}`])
})
