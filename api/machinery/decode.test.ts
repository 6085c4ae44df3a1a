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

test('what upstream leaves out when it is empty is left out, and what tells zero from nothing is kept', () => {
  const container = { name: 'c', image: 'i', ports: [], env: [{ name: 'A', value: '' }], stdin: false, command: [] }
  const pod = decoded('core.v1.Pod', {
    metadata: { name: 'x', finalizers: [], ownerReferences: [] },
    spec: {
      containers: [container],
      hostNetwork: false,
      nodeName: '',
      priority: 0,
      activeDeadlineSeconds: 0,
      tolerations: [],
    },
  })
  expect(pod.metadata).toEqual({ name: 'x' })
  expect(pod.spec).toEqual({
    containers: [{ name: 'c', image: 'i', env: [{ name: 'A' }] }],
    priority: 0,
    activeDeadlineSeconds: 0,
  })
})

test('what is required, or always written, stays though it is empty', () => {
  // Nothing is defaulted, an empty list is refused.
  const behavior = { scaleUp: { policies: [] } }
  expect(decoded('autoscaling.v2.HorizontalPodAutoscaler', { metadata: {}, spec: { behavior } })).toMatchObject({
    spec: { behavior },
  })
  expect(decoded('rbac.v1.Role', { metadata: {}, rules: [] })).toMatchObject({ rules: [] })
  expect(decoded('core.v1.PersistentVolumeClaim', { metadata: {}, spec: { storageClassName: '' } })).toMatchObject({
    spec: { storageClassName: '' },
  })
  expect(decoded('core.v1.ServiceAccount', { metadata: { managedFields: [] } })).toEqual({
    metadata: { managedFields: [] },
  })
})
