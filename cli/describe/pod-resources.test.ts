import { expect, test } from 'vitest'
import type { Pod, PodSpec } from '../../api/generated/types.ts'
import { podAmounts } from './pod-resources.ts'

const container = (name: string, cpu: string, more: object = {}) => ({
  name,
  resources: { requests: { cpu } },
  ...more,
})
const asking = (spec: Partial<PodSpec>, status: Pod['status'] = {}) =>
  podAmounts({ metadata: {}, spec: { containers: [], ...spec }, status }, 'requests', { held: true })

test('containers and sidecars count together', () => {
  const initContainers = [container('sidecar', '50m', { restartPolicy: 'Always' })]
  expect(asking({ containers: [container('a', '100m'), container('b', '1')], initContainers })).toEqual({
    cpu: '1150m',
  })
})

test('an init container counts where it needs more than all that follows', () => {
  const initContainers = [container('sidecar', '50m', { restartPolicy: 'Always' }), container('init', '2')]
  expect(asking({ containers: [container('a', '100m')], initContainers })).toEqual({ cpu: '2050m' })
})

test('amounts for the pod take their place, and overhead comes on top', () => {
  expect(asking({ containers: [container('a', '100m')], resources: { requests: { cpu: '3' } } })).toEqual({ cpu: '3' })
  expect(asking({ containers: [container('a', '100m')], overhead: { cpu: '10m' } })).toEqual({ cpu: '110m' })
})

test('what a container still holds counts while it is being made smaller', () => {
  const containerStatuses = [
    { name: 'a', image: '', imageID: '', ready: true, restartCount: 0, allocatedResources: { cpu: '500m' } },
  ]
  expect(asking({ containers: [container('a', '100m')] }, { containerStatuses })).toEqual({ cpu: '500m' })
})
