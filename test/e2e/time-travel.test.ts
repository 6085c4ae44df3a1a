import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runGantry } from '../support/cluster.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { namespaceWithAccount } from './namespace.ts'

// What was: seen, compared, taken back, kept in a file and made to happen again.

let server: TestServer
const words = (args: string) => args.split(' ')
const gantry = async (args: string | readonly string[], of: TestServer = server, codes: readonly number[] = [0]) => {
  const all = typeof args === 'string' ? words(args) : args
  const run = await runGantry([...all, `--kubeconfig=${of.kubeconfig}`, '-n', 'past'])
  expect(codes, `gantry ${all.join(' ')}: ${run.stderr}`).toContain(run.code)
  return run
}
const manifest = (name: string, object: object): string => {
  const path = join(server.directory, `${name}.json`)
  writeFileSync(path, JSON.stringify(object))
  return path
}
const deployment = (image: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image }] } },
  },
})
const revisionOf = async (what: string) =>
  (await gantry(['get', what, '-o', 'jsonpath={.metadata.resourceVersion}'])).stdout

beforeAll(async () => {
  server = await startServer()
  await namespaceWithAccount(server, 'past')
})
afterAll(() => server?.stop())

describe('time travel by gantry', () => {
  test('history tells who changed what, and get shows it as it was', async () => {
    await gantry(['apply', '-f', manifest('web', deployment('app:1'))])
    const first = await revisionOf('deployment/web')
    await gantry('set image deployment/web main=app:2')
    await gantry('scale deployment/web --replicas=5')
    const { stdout } = await gantry('history deployment/web')
    const [header, ...rows] = stdout.trim().split('\n')
    expect(header).toMatch(/^REVISION +AGE +USER +MANAGER +CHANGE$/)
    expect(rows[0]).toMatch(/kubernetes-admin +\S+.* spec\.replicas: 2 -> 5$/)
    expect(rows[1]).toMatch(/kubernetes-admin .* spec\.template\.spec\.containers\[main\]\.image: app:1 -> app:2$/)
    expect(rows[2]).toMatch(new RegExp(`^${first} .* created$`))
    const image = (at: string) =>
      gantry(['get', 'deploy/web', `--at=${at}`, '-o', 'jsonpath={.spec.template.spec.containers[0].image}'])
    expect((await image(first)).stdout).toBe('app:1')
    expect((await image('0s')).stdout).toBe('app:2')
    expect((await gantry(`get deployments --at ${first}`)).stdout).toMatch(/^NAME +READY[^\n]*\nweb +0\/2 /)
    expect((await gantry(`get deployments -A --at ${first} -o name`)).stdout).toBe('deployment.apps/web\n')
    expect((await gantry(`get cm/nothing --at ${first}`, server, [1])).stderr).toContain('NotFound')
    expect((await gantry(`get deploy --at yesterday`, server, [1])).stderr).toContain('a time ago such as 10m')
  })

  test('diff compares an object with what it was', async () => {
    await gantry('create configmap settings --from-literal=a=1')
    const first = await revisionOf('cm/settings')
    await gantry(['patch', 'cm/settings', '-p', '{"data":{"a":"2"}}'])
    const { stdout } = await gantry(`diff cm/settings --from ${first}`, server, [1])
    expect(stdout).toContain('-  a: "1"\n+  a: "2"\n')
    expect((await gantry(`diff cm/settings --from ${first} --to ${first}`)).stdout).toBe('')
    expect((await gantry(`diff cm/nothing --from ${first}`, server, [2])).stderr).toContain('at neither moment')
  })

  test('undo takes back the last change, also a deletion, of any kind', async () => {
    await gantry('create configmap any --from-literal=a=1')
    await gantry(['patch', 'cm/any', '-p', '{"data":{"a":"2","b":"3"}}'])
    const value = async () => (await gantry(['get', 'cm/any', '-o', 'jsonpath={.data}'])).stdout
    expect((await gantry('undo cm/any --dry-run=server')).stdout).toContain('data.a: 2 -> 1')
    expect(JSON.parse(await value())).toEqual({ a: '2', b: '3' })
    const { stdout } = await gantry('undo cm/any')
    expect(stdout).toMatch(/^configmap\/any undone: the change by kubernetes-admin, \S+ ago is taken back/)
    expect(JSON.parse(await value())).toEqual({ a: '1' })
    await gantry('delete cm/any')
    expect((await gantry('undo cm/any')).stdout).toContain('created again as it was')
    expect(JSON.parse(await value())).toEqual({ a: '1' })
    await gantry('create serviceaccount untouched')
    expect((await gantry('undo sa/untouched', server, [1])).stderr).toContain('delete it to take that back')
    await gantry('label cm/any tier=a')
    const labelled = await revisionOf('cm/any')
    await gantry('label cm/any tier=b --overwrite')
    await gantry('label cm/any tier=c --overwrite')
    await gantry(`undo cm/any --to ${labelled}`)
    expect((await gantry(['get', 'cm/any', '-o', 'jsonpath={.metadata.labels.tier}'])).stdout).toBe('a')
  })

  test('secrets are hidden where they would be shown in passing', async () => {
    await gantry('create secret generic key --from-literal=a=precious')
    await gantry(['patch', 'secret/key', '-p', '{"stringData":{"a":"changed"}}'])
    const encoded = Buffer.from('precious').toString('base64')
    expect((await gantry('history secret/key')).stdout).toContain('data.a: *** -> ***')
    expect((await gantry('history secret/key --show-secrets')).stdout).toContain(encoded)
    expect((await gantry('undo secret/key')).stdout).not.toContain(encoded)
  })

  test('a recording happens again on another server', async () => {
    const before = await revisionOf('cm/settings')
    await gantry(['patch', 'cm/settings', '-p', '{"data":{"recorded":"yes"}}'])
    await gantry('delete cm/any')
    const path = join(server.directory, 'recording.gz')
    const plain = join(server.directory, 'recording')
    expect((await gantry(['record', path, '--since', before])).stdout).toContain('recorded ')
    await gantry(['record', plain, '--since', before])
    expect(readFileSync(plain, 'utf8')).not.toContain(Buffer.from('precious').toString('base64'))
    const other = await startServer()
    try {
      await namespaceWithAccount(other, 'past')
      const { stdout } = await gantry(['replay', path], other)
      expect(stdout).toMatch(/^replayed \d+ objects and changes\n$/)
      const there = async (what: string) => JSON.parse((await gantry(['get', what, '-o', 'json'], other)).stdout)
      expect((await there('cm/settings')).data).toEqual({ a: '2', recorded: 'yes' })
      expect((await there('deployment/web')).spec.replicas).toBe(5)
      expect((await gantry('get cm/any', other, [1])).stderr).toContain('NotFound')
      // What happened on the other one is remembered there too.
      expect((await gantry('history cm/settings', other)).stdout).toContain('data.recorded: + yes')
    } finally {
      await other.stop()
    }
    expect((await gantry(['replay', join(server.directory, 'web.json')], server, [1])).stderr).toContain(
      'is no recording',
    )
  })

  test('a recording goes on for as long as it is told', async () => {
    const path = join(server.directory, 'live')
    const recording = gantry(['record', path, '--for', '4s', '--kinds', 'configmaps'])
    await until(() => readFileSync(path, 'utf8').includes('"INITIAL"'))
    await gantry('create configmap during --from-literal=a=1')
    await recording
    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.filter(({ type }) => type === 'ADDED').map(({ object }) => object.metadata.name)).toEqual(['during'])
    expect(lines.at(-1).type).toBe('END')
  })
})
