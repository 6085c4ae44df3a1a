import { describe, expect, test } from 'vitest'
import { only, pod, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('NamespaceLifecycle', () => {
  const lifecycle = () => only(world, 'NamespaceLifecycle')

  test('refuses to write into a namespace that is not there', async () => {
    expect(await refusal(lifecycle(), requestIn(world, 'CREATE /pods', pod(), { namespace: 'gone' }))).toBe(
      '404 namespaces "gone" not found',
    )
    world.client.putAhead('', 'namespaces', { metadata: { name: 'gone' }, status: { phase: 'Active' } })
    expect(await refusal(lifecycle(), requestIn(world, 'CREATE /pods', pod(), { namespace: 'gone' }))).toBeUndefined()
  })

  test('lets nothing new into one that is going, but lets changes and deletes through', async () => {
    world.client.put('', 'namespaces', { metadata: { name: 'web' }, status: { phase: 'Terminating' } })
    const error = await lifecycle()
      .run(requestIn(world, 'CREATE /pods', pod()))
      .catch((thrown) => thrown)
    expect(error.toStatus()).toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: unable to create new content in namespace web because it is being terminated',
      details: {
        name: 'p',
        kind: 'pods',
        causes: [
          { reason: 'NamespaceTerminating', message: 'namespace web is being terminated', field: 'metadata.namespace' },
        ],
      },
    })
    expect(await refusal(lifecycle(), requestIn(world, 'UPDATE /pods', pod(), { old: pod() as never }))).toBeUndefined()
    expect(
      await refusal(lifecycle(), requestIn(world, 'DELETE /pods', undefined, { old: pod() as never })),
    ).toBeUndefined()
  })

  test('does not believe the cache right after a delete', async () => {
    const chain = lifecycle()
    await chain.run(requestIn(world, 'DELETE /namespaces', undefined, { name: 'web' }))
    world.client.putAhead('', 'namespaces', { metadata: { name: 'web' }, status: { phase: 'Terminating' } })
    expect(await refusal(chain, requestIn(world, 'CREATE /pods', pod()))).toMatch(/^403 .*being terminated/)
    world.nowMs = 30_001
    expect(await refusal(chain, requestIn(world, 'CREATE /pods', pod()))).toBeUndefined()
  })

  test.each(['default', 'kube-system', 'kube-public'])('%s lives for ever', async (name) => {
    expect(await refusal(lifecycle(), requestIn(world, 'DELETE /namespaces', undefined, { name }))).toBe(
      `403 namespaces "${name}" is forbidden: this namespace may not be deleted`,
    )
  })
})
