import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const at = '/apis/apps/v1/namespaces/shop/deployments/web'

beforeEach(async () => {
  server = await serve()
})
afterEach(() => server.stop())

const put = (conditions: object[] = []) =>
  server.objects.set(at, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', generation: 1 },
    spec: { replicas: 1, selector: { matchLabels: { app: 'web' } } },
    status: { observedGeneration: 1, replicas: 1, updatedReplicas: 1, conditions },
  })
const putPod = (status: object) =>
  server.objects.set('/api/v1/namespaces/shop/pods/web-1', {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web-1', namespace: 'shop', uid: 'u', labels: { app: 'web' } },
    spec: { containers: [{ name: 'app', image: 'nginx:nope' }] },
    status,
  })
const withoutImage = {
  phase: 'Pending',
  containerStatuses: [{ name: 'app', image: 'nginx:nope', state: { waiting: { reason: 'InvalidImageName' } } }],
}
const hint = 'Hint: pod web-1: nginx:nope is no name of an image: correct spec.containers[].image\n'

test('a rollout that has failed ends with what keeps its pods from getting on', async () => {
  put([{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }])
  putPod(withoutImage)
  const { code, err } = await server.gantry('rollout status deployment/web -n shop')
  expect([code, err]).toEqual([1, `error: deployment "web" exceeded its progress deadline\n${hint}`])
})

test('so does one that takes too long, and nothing is said where nothing is known', async () => {
  put()
  putPod(withoutImage)
  const late = await server.gantry('rollout status deployment/web -n shop --timeout=50ms')
  expect([late.code, late.err]).toEqual([1, `error: timed out waiting for the condition\n${hint}`])
  putPod({ phase: 'Pending' })
  expect((await server.gantry('rollout status deployment/web -n shop --timeout=50ms')).err).toBe(
    'error: timed out waiting for the condition\n',
  )
})
