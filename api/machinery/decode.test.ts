import { expect, test } from 'vitest'
import { builtinSchema } from '../schema/builtin.ts'
import { decodeObject } from './decode.ts'

const decoded = (kind: string, object: object) =>
  decodeObject(builtinSchema(`io.k8s.api.${kind}`), object, { mode: 'Strict' }).object

test('an empty map of a built-in type is as good as none, an empty struct is not', () => {
  expect(decoded('core.v1.ConfigMap', { metadata: { name: 'x', annotations: {}, labels: {} }, data: {} })).toEqual({
    metadata: { name: 'x' },
  })
  const volumes = [{ name: 'v', emptyDir: {} }]
  expect(decoded('core.v1.Pod', { metadata: {}, spec: { containers: [], volumes, nodeSelector: {} } })).toMatchObject({
    metadata: {},
    spec: { containers: [], volumes },
  })
  const spec = { podSelector: { matchLabels: {} }, policyTypes: ['Ingress'] }
  expect(decoded('networking.v1.NetworkPolicy', { metadata: {}, spec })).toMatchObject({
    spec: { podSelector: {}, policyTypes: ['Ingress'] },
  })
})
