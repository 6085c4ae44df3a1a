import { expect, test } from 'vitest'
import type { NamedObject } from '../objects.ts'
import { withEnv } from './env.ts'
import { withImages } from './image.ts'
import { withResources } from './resources.ts'
import { withSelector } from './selector.ts'
import { chosenContainers } from './setting.ts'
import { withHolders } from './subject.ts'

const podSpec = () => ({
  initContainers: [{ name: 'init', image: 'init:1' }],
  containers: [
    {
      name: 'app',
      image: 'app:1',
      env: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    { name: 'web-side', image: 'side:1' },
  ],
})

const deployment = (): NamedObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: { template: { spec: podSpec() } },
})

const cronJob = (): NamedObject => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'nightly' },
  spec: { jobTemplate: { spec: { template: { spec: podSpec() } } } },
})

const service: NamedObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web' },
  spec: { selector: { app: 'old', tier: 'front' }, ports: [{ port: 80 }] },
}

const specOf = (object: NamedObject) =>
  (object.spec as { template: { spec: ReturnType<typeof podSpec> } }).template.spec

test('an image of one container, of all, and of those that a cron job makes', () => {
  const one = specOf(withImages(deployment(), [['app', 'app:2']]))
  expect(one.containers.map(({ image }) => image)).toEqual(['app:2', 'side:1'])
  const all = specOf(withImages(deployment(), [['*', 'x']]))
  expect([...all.initContainers, ...all.containers].map(({ image }) => image)).toEqual(['x', 'x', 'x'])
  expect(JSON.stringify(withImages(cronJob(), [['app', 'app:9']]))).toContain('"image":"app:9"')
  expect(() => withImages(deployment(), [['web-sid', 'x']])).toThrow('Did you mean "web-side"?')
  expect(() => withImages(service, [['app', 'x']])).toThrow('Service web has no pod template')
})

test('containers are chosen by a pattern, those that initialize last', () => {
  const names = (pattern: string) => chosenContainers(podSpec(), pattern).map(({ name }) => name)
  expect(names('*')).toEqual(['app', 'web-side', 'init'])
  expect(names('web-*')).toEqual(['web-side'])
  expect(names('.*')).toEqual([])
})

test('variables keep their places, new ones follow, and those taken away are gone', () => {
  const changes = {
    set: [
      { name: 'C', value: '3' },
      { name: 'B', value: '9' },
    ],
    remove: ['A'],
  }
  const [app, side] = specOf(withEnv(deployment(), changes)).containers
  expect(app?.env).toEqual([
    { name: 'B', value: '9' },
    { name: 'C', value: '3' },
  ])
  expect(side?.env).toEqual([
    { name: 'C', value: '3' },
    { name: 'B', value: '9' },
  ])
  const emptied = specOf(withEnv(deployment(), { set: [], remove: ['A', 'B'] })).containers[0]
  expect(emptied).not.toHaveProperty('env')
  expect(() => withEnv(deployment(), changes, { overwrite: false })).toThrow(`'B' already has a value (2)`)
})

test('amounts that are not named stay', () => {
  const before = withResources(deployment(), { limits: { cpu: '1' }, requests: { memory: '1Gi' } }, 'app')
  const [app, side] = specOf(withResources(before, { limits: { memory: '2Gi' }, requests: {} }, 'app')).containers
  expect(app).toHaveProperty('resources', { limits: { cpu: '1', memory: '2Gi' }, requests: { memory: '1Gi' } })
  expect(side).not.toHaveProperty('resources')
  expect(() => withResources(deployment(), { limits: {}, requests: {} }, 'no*')).toThrow('unable to find container')
})

test('a selector is replaced as a whole', () => {
  expect(withSelector(service, { app: 'new' }).spec).toEqual({ selector: { app: 'new' }, ports: [{ port: 80 }] })
  expect(() => withSelector(deployment(), { a: 'b' })).toThrow('only supported for Services')
})

test('who has a role already is not named twice', () => {
  const jane = { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }
  const robot = { kind: 'ServiceAccount', namespace: 'shop', name: 'robot' }
  const binding: NamedObject = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'readers' },
    subjects: [jane],
  }
  expect(withHolders(binding, [jane, robot]).subjects).toEqual([jane, robot])
  expect(() => withHolders(service, [jane])).toThrow('only supported for RoleBinding')
})
