import { describe, expect, test } from 'vitest'
import { only, refusal, requestIn, useWorld } from './testing/world.ts'

const world = useWorld()

describe('Protection', () => {
  const annotations = { 'gantry.dev/protected': 'true' }
  test('a protected object stays, and the refusal says how to free it', async () => {
    const old = { metadata: { name: 'db', namespace: 'web', annotations } }
    expect(
      await refusal(
        only(world, 'Protection'),
        requestIn(world, 'DELETE apps/statefulsets', undefined, { old: old as never }),
      ),
    ).toBe(
      '403 statefulsets.apps "db" is forbidden: it is protected from deletion by the annotation gantry.dev/protected; to delete it, first remove the annotation: kubectl annotate statefulsets.apps db -n web gantry.dev/protected-',
    )
    const namespace = { metadata: { name: 'web', annotations } }
    expect(
      await refusal(
        only(world, 'Protection'),
        requestIn(world, 'DELETE /namespaces', undefined, { old: namespace as never }),
      ),
    ).toMatch(/kubectl annotate namespaces web gantry.dev\/protected-$/)
  })

  test('everything else goes, and the annotation may be taken away', async () => {
    const old = { metadata: { name: 'db', namespace: 'web', annotations } }
    const free = { metadata: { name: 'db', namespace: 'web' } }
    expect(
      await refusal(
        only(world, 'Protection'),
        requestIn(world, 'DELETE apps/statefulsets', undefined, { old: free as never }),
      ),
    ).toBeUndefined()
    expect(
      await refusal(
        only(world, 'Protection'),
        requestIn(world, 'UPDATE apps/statefulsets', free, { old: old as never }),
      ),
    ).toBeUndefined()
  })
})
