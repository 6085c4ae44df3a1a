import { expect, test } from 'vitest'
import type { Pod } from '../../api/generated/types.ts'
import type { Live } from '../../client/types.ts'
import { afterwards } from './why.ts'

const pod = (nodeName: string | undefined, state: object) =>
  ({
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'app' }], ...(nodeName ? { nodeName } : {}) },
    status: { phase: 'Pending', containerStatuses: [{ name: 'app', image: 'app:1', ready: false, state }] },
  }) as Live<Pod>

test('a pod with a place that does not run there: what is in the way', () => {
  const missing = { waiting: { reason: 'ErrImagePull', message: 'manifest unknown' } }
  expect(afterwards(pod('n1', missing), 0)).toMatch(/does not run there: there is no image app:1.*gantry image load/)
  expect(afterwards(pod('n1', { waiting: { reason: 'ContainerCreating' } }), 0)).toBe('')
  expect(afterwards(pod(undefined, missing), 0)).toBe('')
})
