import { expect, it } from 'vitest'
import { builtinSchema } from '../../api/schema/builtin.ts'
import { applyPatch } from './patch.ts'

const claim = () => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'gpu' },
  spec: { devices: {} },
})
const patched = (...patch: object[]) =>
  applyPatch({ type: 'json', current: claim(), patch, schema: builtinSchema('io.k8s.api.resource.v1.ResourceClaim') })

it('a JSON patch finds the structs that are always there', () => {
  const allocation = { devices: {} }
  expect(patched({ op: 'add', path: '/status/allocation', value: allocation })).toEqual({
    ...claim(),
    status: { allocation },
  })
})

it('leaves none of them behind that it has not filled, and takes away none that were there', () => {
  expect(patched({ op: 'test', path: '/status', value: {} })).toEqual(claim())
})
