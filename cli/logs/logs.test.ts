import { afterEach, beforeEach, expect, test } from 'vitest'
import { badRequestError } from '../../api/machinery/errors.ts'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const path = '/api/v1/namespaces/default/pods/web'

beforeEach(async () => {
  server = await serve()
  server.objects.set(path, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'waits' }, { name: 'app' }] },
  })
  server.answers.set(`${path}/log`, ({ query }) => {
    if (query.container === 'waits') throw badRequestError('container "waits" is waiting to start')
    return 'hello\n'
  })
})
afterEach(() => server.stop())

test.each(['logs web --all-containers', 'logs web --all-containers -f'])(
  'a log that cannot be read ends %s, unless errors are ignored',
  async (line) => {
    const refused = await server.gantry(line)
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('is waiting to start')])
    expect(await server.gantry(`${line} --ignore-errors`)).toEqual({
      code: 0,
      out: 'hello\n',
      err: 'error: pod/web waits: container "waits" is waiting to start\n',
    })
  },
)

test('the server is told to believe any certificate of the node, and only where that is asked for', async () => {
  await server.gantry('logs web -c app --insecure-skip-tls-verify-backend')
  expect(server.asked.at(-1)?.query).toEqual({ container: 'app', insecureSkipTLSVerifyBackend: 'true' })
  await server.gantry('logs web -c app')
  expect(server.asked.at(-1)?.query).toEqual({ container: 'app' })
})
