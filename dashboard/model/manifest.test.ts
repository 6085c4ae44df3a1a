import { expect, test } from 'vitest'
import { readable } from './manifest.ts'

test('who wrote which field is left out, and the status comes last', () => {
  const yaml = `kind: Pod
metadata:
  name: a
  managedFields:
    - manager: kubectl
      fieldsV1:
        f:spec: {}
  uid: x
status:
  message: |
    so

    it is
spec:
  text: |
    one

    status:
`
  expect(readable(yaml)).toBe(`kind: Pod
metadata:
  name: a
  uid: x
spec:
  text: |
    one

    status:
status:
  message: |
    so

    it is
`)
})

test('an object without either stays as it is', () => {
  expect(readable('kind: ConfigMap\ndata:\n  a: b\n')).toBe('kind: ConfigMap\ndata:\n  a: b\n')
})

test('a list that stands beside its key belongs to it', () => {
  expect(readable('metadata:\n  managedFields:\n  - a: 1\n    b: 2\n  name: x\nstatus: {}\nspec: {}\n')).toBe(
    'metadata:\n  name: x\nspec: {}\nstatus: {}\n',
  )
})
