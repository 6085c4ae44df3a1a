import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type EtcdCluster, startEtcd } from '../support/etcd.ts'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

const directory = fileURLToPath(new URL('manifests', import.meta.url))
const files = readdirSync(directory).sort()

describe.each(['embedded', 'etcd'])('manifests of every kind, %s store', (store) => {
  let etcd: EtcdCluster | undefined
  let server: TestServer

  beforeAll(async () => {
    if (store === 'etcd') etcd = await startEtcd()
    server = await startServer({ etcd: etcd?.endpoints ?? [] })
    await namespaceWithAccount(server, 'e2e')
    await server.kubectl('config set-context --current --namespace=e2e')
  })
  afterAll(async () => {
    await server?.stop()
    await etcd?.stop()
  })

  // One test for each file, in this order: some name objects that an earlier one made.
  test.each(files)('%s applies, and applying it again changes nothing', async (file) => {
    const path = join(directory, file)
    const first = await server.kubectl(['apply', '-f', path])
    expect(lines(first.stdout).filter((line) => !/ (created|configured)$/.test(line))).toEqual([])
    const again = await server.kubectl(['apply', '-f', path])
    expect(lines(again.stdout).filter((line) => !line.endsWith(' unchanged') && !isAlwaysConfigured(line))).toEqual([])
    expect(lines(again.stdout)).toHaveLength(lines(first.stdout).length)
    const diff = await server.kubectl(['diff', '-f', path])
    expect(diff.stdout).toBe('')
  })

  test.each(files)('%s applies on the server’s side, over what the client applied', async (file) => {
    const path = join(directory, file)
    const run = await server.kubectl(['apply', '--server-side', '--force-conflicts', '-f', path])
    expect(lines(run.stdout).filter((line) => !line.endsWith(' serverside-applied'))).toEqual([])
  })

  test('everything is still there after the server is killed and starts again', async () => {
    const before = await everything(server)
    await server.kill9()
    await server.restart()
    expect(await everything(server)).toEqual(before)
  })

  test.each([...files].reverse())('%s can be deleted', async (file) => {
    const path = join(directory, file)
    // Volumes and the namespace go when their controllers let go of them; here nobody does, and nobody waits.
    const run = await server.kubectl(['delete', '--wait=false', '-f', path])
    expect(lines(run.stdout).filter((line) => !/ deleted( from \S+ namespace)?$/.test(line))).toEqual([])
  })
})

/**
 * What kubectl patches each time, against any server: a budget's selector and a list of claim templates, which are
 * replaced as a whole, and the order of a pod's mounts, to which the server adds the token's.
 */
const isAlwaysConfigured = (line: string): boolean =>
  /^(poddisruptionbudget.policy\/\S+|statefulset.apps\/db|pod\/everything) configured$/.test(line)

async function everything({ kubectl }: TestServer): Promise<string[]> {
  const names = (await kubectl('api-resources --verbs=list -o name')).stdout
  const kinds = lines(names).filter((kind) => !/^(events|componentstatuses|leases)\b/.test(kind))
  const template =
    '{range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}'
  return lines((await kubectl(['get', '-A', kinds.join(','), '-o', `jsonpath=${template}`])).stdout).sort()
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')
