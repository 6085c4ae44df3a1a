import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

let server: TestServer
const kubectl: TestServer['kubectl'] = (args, options) => server.kubectl(args, options)
const namespace = 'together'

beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, namespace)
  await kubectl(`config set-context --current --namespace=${namespace}`)
})
afterAll(() => server?.stop())

interface Step {
  operation?: string
  object: object
}

const transaction = (operations: readonly Step[]): string =>
  JSON.stringify({ apiVersion: 'gantry.dev/v1', kind: 'Transaction', spec: { operations } })
const path = '/apis/gantry.dev/v1/transactions'
const commit = async (operations: readonly Step[], query = '') => {
  const { stdout } = await kubectl(['create', '--raw', path + query, '-f', '-'], { input: transaction(operations) })
  return JSON.parse(stdout) as Answer
}
const refused = async (operations: readonly Step[], flags: readonly string[] = []) =>
  (
    await kubectl(['create', '--raw', path, '-f', '-', ...flags], {
      input: transaction(operations),
      expectFailure: true,
    })
  ).stderr

interface Answer {
  metadata: { resourceVersion: string }
  status: { results: { outcome: string; object: { metadata: { name: string; resourceVersion: string } } }[] }
}

const settings = (name: string, data: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
})
const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: { ports: [{ port: 80 }] },
})
const deployment = (name: string, labels: object = { app: name }) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'registry.example/app' }] } },
  },
})
const versions = async () =>
  (
    await kubectl([
      'get',
      'cm,svc,deploy',
      '-o',
      'jsonpath={range .items[*]}{.metadata.name} {.metadata.resourceVersion};{end}',
    ])
  ).stdout

describe('a transaction', () => {
  test('makes objects of several kinds at one version', async () => {
    const answer = await commit([
      { operation: 'create', object: settings('one', { a: '1' }) },
      { object: service('one') },
      { operation: 'apply', object: deployment('one') },
    ])
    const { resourceVersion } = answer.metadata
    expect(answer.status.results.map(({ outcome }) => outcome)).toEqual(['created', 'created', 'created'])
    expect(await versions()).toBe(`one ${resourceVersion};`.repeat(3))
    expect((await kubectl('get service one -o jsonpath={.spec.clusterIP}')).stdout).toMatch(/^10\.96\./)
  })

  test('creates, updates, applies and deletes in one', async () => {
    const answer = await commit([
      { operation: 'update', object: settings('one', { a: '2' }) },
      {
        operation: 'apply',
        object: { ...deployment('one'), metadata: { name: 'one', namespace, labels: { b: 'c' } } },
      },
      { operation: 'create', object: settings('two') },
      { operation: 'delete', object: service('one') },
    ])
    expect(answer.status.results).toHaveLength(4)
    const { resourceVersion } = answer.metadata
    expect((await versions()).split(';').sort().join(';')).toBe(
      `;one ${resourceVersion};one ${resourceVersion};two ${resourceVersion}`,
    )
    expect((await kubectl('get cm one -o jsonpath={.data}')).stdout).toBe('{"a":"2"}')
  })

  test('that changes nothing says so and leaves the versions alone', async () => {
    const before = await versions()
    const answer = await commit([{ operation: 'update', object: settings('one', { a: '2' }) }])
    expect(answer.status.results.map(({ outcome }) => outcome)).toEqual(['unchanged'])
    expect(await versions()).toBe(before)
  })

  test('only tries with dryRun=All', async () => {
    const before = await versions()
    const answer = await commit([{ operation: 'create', object: settings('tried') }], '?dryRun=All')
    expect(answer.status.results.map(({ outcome }) => outcome)).toEqual(['created'])
    expect(await versions()).toBe(before)
  })

  const steps: readonly [why: string, step: Step, said: RegExp][] = [
    ['is invalid', { object: deployment('bad', { app: 'other' }) }, /`selector` does not match template `labels`/],
    [
      'names what is there already',
      { operation: 'create', object: settings('two') },
      /configmaps "two" already exists/,
    ],
    ['names what is not there', { operation: 'delete', object: settings('never') }, /configmaps "never" not found/],
    [
      'is of a kind nobody knows',
      { object: { ...settings('x'), kind: 'Confmap' } },
      /no kind "Confmap" is served in version "v1"/,
    ],
    [
      'is for a namespace that is not there',
      { object: { ...settings('x'), metadata: { name: 'x', namespace: 'nowhere' } } },
      /namespaces "nowhere" not found/,
    ],
    [
      'is over an older version',
      {
        operation: 'update',
        object: { ...settings('two'), metadata: { name: 'two', namespace, resourceVersion: '1' } },
      },
      /the object has been modified/,
    ],
    [
      'does what nobody can',
      { operation: 'forget', object: settings('two') },
      /Unsupported value: "forget": supported values: "create"/,
    ],
  ]

  test.each(steps)('changes nothing when one step %s', async (_why, step, said) => {
    const before = await versions()
    expect(await refused([{ object: settings('good') }, step, { object: service('good') }])).toMatch(said)
    expect(await versions()).toBe(before)
  })

  test('asks for each step whether the user may', async () => {
    await kubectl('create clusterrole transact --verb=create --resource=transactions.gantry.dev')
    await kubectl('create clusterrolebinding transact --clusterrole=transact --user=carol')
    await kubectl('create role settings --verb=create,patch --resource=configmaps')
    await kubectl('create rolebinding settings --role=settings --user=carol')
    const before = await versions()
    const said = await refused([{ object: settings('hers') }, { object: service('hers') }], ['--as=carol'])
    expect(said).toContain('User "carol" cannot patch resource "services" in API group "" in the namespace "together"')
    expect(await versions()).toBe(before)
    const run = await kubectl(['create', '--as=carol', '--raw', path, '-f', '-'], {
      input: transaction([{ object: settings('hers') }]),
    })
    expect(JSON.parse(run.stdout).status.results).toHaveLength(1)
  })

  test('is answered and never stored', async () => {
    const run = await kubectl(`get --raw ${path}`, { expectFailure: true })
    expect(run.stderr).toMatch(/MethodNotAllowed/)
  })
})

describe('an object annotated with gantry.dev/protected', () => {
  const annotation = 'gantry.dev/protected'

  test('is not deleted, alone, among others, with its namespace’s objects or in a transaction', async () => {
    await kubectl('create configmap dear')
    await kubectl('create configmap cheap')
    await kubectl(`annotate configmap dear ${annotation}=true`)
    for (const args of ['delete configmap dear', 'delete configmap --all', 'delete configmap dear --dry-run=server']) {
      const run = await kubectl(args, { expectFailure: true })
      expect(run.stderr).toContain(
        `Error from server (Forbidden): configmaps "dear" is forbidden: it is protected from deletion by the annotation ${annotation}`,
      )
    }
    expect((await kubectl('get configmap cheap --ignore-not-found')).stdout).toBe('')
    expect(await refused([{ operation: 'delete', object: settings('dear') }])).toContain('protected from deletion')
    const raw = ['delete', '--raw', `/api/v1/namespaces/${namespace}/configmaps`]
    expect((await kubectl(raw, { expectFailure: true })).stderr).toContain('protected from deletion')
    expect((await kubectl('get configmap dear -o name')).stdout).toBe('configmap/dear\n')
  })

  test('keeps its namespace', async () => {
    await kubectl('create namespace kept')
    await kubectl(`annotate namespace kept ${annotation}=true`)
    const run = await kubectl('delete namespace kept', { expectFailure: true })
    expect(run.stderr).toContain('namespaces "kept" is forbidden')
  })

  test('is deleted once the annotation is gone, by the command that the refusal names', async () => {
    const { stderr } = await kubectl('delete configmap dear', { expectFailure: true })
    const command = /kubectl (annotate .*)$/m.exec(stderr)?.[1] as string
    await kubectl(command)
    expect((await kubectl('delete configmap dear')).stdout).toMatch(/^configmap "dear" deleted/)
  })
})
