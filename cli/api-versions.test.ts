import { expect, test } from 'vitest'
import { serve } from './testing/serving.ts'

test('every version of every group, in the order of the alphabet', async () => {
  const server = await serve()
  const groups = [['batch/v1'], ['apps/v1', 'apps/v1beta1']].map((all) => ({
    versions: all.map((groupVersion) => ({ groupVersion })),
  }))
  server.answers.set('/api', () => JSON.stringify({ kind: 'APIVersions', versions: ['v1'] }))
  server.answers.set('/apis', () => JSON.stringify({ kind: 'APIGroupList', groups }))
  try {
    const { out } = await server.gantry('api-versions')
    expect(out).toBe('apps/v1\napps/v1beta1\nbatch/v1\nv1\n')
  } finally {
    server.stop()
  }
})
