import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { NamedObject } from '../objects.ts'
import { type Serving, serve } from '../testing/serving.ts'
import { refuseOverwriting } from './conflicts.ts'
import { schemaOf } from './schema-of.ts'
import { threeWayPatch } from './three-way.ts'

const schema = schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' })
const deployment = (image: string, env: Record<string, string>, args?: string[]): NamedObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'app',
            image,
            env: Object.entries(env).map(([name, value]) => ({ name, value })),
            ...(args ? { args } : {}),
          },
        ],
      },
    },
  },
})
const applied = (original: NamedObject, wanted: NamedObject, current: NamedObject) => () =>
  refuseOverwriting(threeWayPatch(original, wanted, current, schema), original, current, schema)

describe('an apply that is not to overwrite', () => {
  test('is refused where others have changed what it changes, whether it means to or not', () => {
    const [before, theirs] = [deployment('a:1', {}), deployment('a:2', {})]
    expect(applied(before, deployment('a:3', {}), theirs)).toThrow('spec.template.spec.containers[app].image')
    expect(applied(before, deployment('a:1', { A: '1' }), theirs)).toThrow('containers[app].image')
  })

  test('may do what others have done, and what nobody has', () => {
    const before = deployment('a:1', { A: '1' })
    expect(applied(before, deployment('a:2', { A: '1' }), deployment('a:2', { A: '1' }))).not.toThrow()
    expect(applied(before, deployment('a:2', { A: '1' }), before)).not.toThrow()
    expect(applied(before, deployment('a:1', { A: '1', C: '3' }), deployment('a:1', { A: '1', B: '2' }))).not.toThrow()
  })

  test('is refused for a list that is a whole, and for an item of both', () => {
    const before = deployment('a:1', { A: '1' }, ['x'])
    expect(applied(before, deployment('a:1', { A: '1' }, ['y']), deployment('a:1', { A: '1' }, ['z']))).toThrow('args')
    expect(applied(before, deployment('a:1', { A: '2' }, ['x']), deployment('a:1', { A: '3' }, ['x']))).toThrow(
      'env[A].value',
    )
  })
})

describe('apply --overwrite=false', () => {
  let server: Serving
  beforeEach(async () => {
    server = await serve()
  })
  afterEach(() => server.stop())

  test('leaves what others have changed as it is', async () => {
    const path = '/api/v1/namespaces/default/configmaps/settings'
    const apply = (color: string, ...more: string[]) => {
      const text = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: ${color}}\n`
      return server.gantry(['apply', '-f', server.file('a.yaml', text), ...more])
    }
    await apply('blue')
    expect((await apply('green', '--overwrite=false')).out).toBe('configmap/settings configured\n')
    Object.assign(server.objects.get(path) ?? {}, { data: { color: 'pink' } })
    const { code, err } = await apply('red', '--overwrite=false')
    expect([code, err]).toEqual([1, expect.stringContaining('data.color')])
    expect(server.objects.get(path)?.data).toEqual({ color: 'pink' })
    await apply('red')
    expect(server.objects.get(path)?.data).toEqual({ color: 'red' })
  })
})
