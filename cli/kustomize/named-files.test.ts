import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { serve } from '../testing/serving.ts'
import { namedFiles } from './named-files.ts'

const deployment = (namespace?: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'Web', ...(namespace ? { namespace } : {}) },
})
const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }

test('a file is called as its object, after its namespace where there are several', () => {
  const names = (...objects: Parameters<typeof namedFiles>[0]) => namedFiles(objects).map(([name]) => name)
  expect(names(shop, deployment('shop'))).toEqual(['v1_namespace_shop.yaml', 'apps_v1_deployment_web.yaml'])
  expect(names(shop, deployment('shop'), deployment())).toEqual([
    'v1_namespace_shop.yaml',
    'shop_apps_v1_deployment_web.yaml',
    'default_apps_v1_deployment_web.yaml',
  ])
})

test('kustomize -o writes a file, or into a directory that is there', async () => {
  const server = await serve()
  try {
    const into = join(server.directory, 'made')
    server.file('kustomization.yaml', 'resources: [all.yaml]\n')
    server.file('all.yaml', [shop, deployment()].map((object) => JSON.stringify(object)).join('\n---\n'))
    const kustomize = (output: string) => server.gantry(['kustomize', server.directory, '-o', output])
    expect(await kustomize(`${into}.yaml`)).toEqual({ code: 0, out: '', err: '' })
    expect(readFileSync(`${into}.yaml`, 'utf8')).toBe((await server.gantry(['kustomize', server.directory])).out)
    mkdirSync(into)
    await kustomize(into)
    expect(readdirSync(into).sort()).toEqual(['apps_v1_deployment_web.yaml', 'v1_namespace_shop.yaml'])
    expect(readFileSync(join(into, 'v1_namespace_shop.yaml'), 'utf8')).toBe(
      'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n',
    )
    expect((await kustomize(join(into, 'no/file'))).code).toBe(1)
  } finally {
    server.stop()
  }
})
