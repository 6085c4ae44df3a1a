import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startServer, type TestServer } from '../support/server.ts'
import { namespaceWithAccount } from './namespace.ts'

const directory = fileURLToPath(new URL('../../manifests/examples', import.meta.url))
const files = readdirSync(directory).sort()

describe('the examples', () => {
  let server: TestServer

  beforeAll(async () => {
    server = await startServer()
    await namespaceWithAccount(server, 'examples')
    await server.kubectl('config set-context --current --namespace=examples')
  })
  afterAll(() => server?.stop())

  test.each(files)('%s applies without a warning, changes nothing when applied again, and is deleted', async (file) => {
    const path = join(directory, file)
    const versions = async () =>
      (await server.kubectl(['get', '-f', path, '-o', 'jsonpath={.items[*].metadata.resourceVersion}'])).stdout
    expect((await server.kubectl(['apply', '-f', path])).stderr).toBe('')
    const before = await versions()
    // Not kubectl's word for it: it says "configured" of every patch it sent, whatever came of it.
    await server.kubectl(['apply', '-f', path])
    expect(await versions()).toBe(before)
    expect((await server.kubectl(['diff', '-f', path])).stdout).toBe('')
    await server.kubectl(['delete', '--wait=false', '-f', path])
  })

  test('do what they say', async () => {
    const apply = (file: string) => server.kubectl(['apply', '-f', join(directory, file)])
    await apply('nightly-report.yaml')
    await server.kubectl('create job report-again --from=cronjob/nightly-report')
    await apply('hello-web.yaml')
    await server.kubectl('set image deployment/hello-web server=nginx:1.30')
  })
})
