import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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

describe('of a container that is just being made', () => {
  const podOf = (status: object) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default' },
    spec: { containers: [{ name: 'app' }] },
    status,
  })
  const stateOf = (state: object) => ({ phase: 'Pending', containerStatuses: [{ name: 'app', state }] })
  const put = (status: object) => server.objects.set(path, podOf(status))
  const refuse = (reason: string): never => {
    throw badRequestError(`container "app" in pod "web" is waiting to start: ${reason}`)
  }

  test.each([[{ phase: 'Pending' }], [stateOf({ waiting: { reason: 'PodInitializing' } })]])(
    'a log that is followed begins when it has started: %j',
    async (before) => {
      put(before)
      let isRunning = false
      server.answers.set('/api/v1/namespaces/default/pods', () => {
        isRunning = true
        return [before, stateOf({ waiting: { reason: 'ContainerCreating' } }), stateOf({ running: {} })]
          .map((status) => `${JSON.stringify({ type: 'MODIFIED', object: podOf(status) })}\n`)
          .join('')
      })
      server.answers.set(`${path}/log`, () => (isRunning ? 'hello\n' : refuse('ContainerCreating')))
      const { code, out, err } = await server.gantry('logs web -f')
      expect([code, out, err]).toEqual([0, 'hello\n', 'waiting for container app of pod web to start\n'])
    },
  )

  test('a log is waited for no longer than is said', async () => {
    put({ phase: 'Pending' })
    server.answers.set(`${path}/log`, () => refuse('ContainerCreating'))
    const { code, err } = await server.gantry('logs web -f --pod-running-timeout=50ms')
    expect([code, err]).toEqual([1, expect.stringContaining('is waiting to start: ContainerCreating')])
  })

  test('a log that is not followed is refused, and one of a container that cannot start', async () => {
    put(stateOf({ running: {} }))
    let reason = 'ContainerCreating'
    server.answers.set(`${path}/log`, () => refuse(reason))
    expect((await server.gantry('logs web')).code).toBe(1)
    reason = 'ImagePullBackOff'
    const { code, err } = await server.gantry('logs web -f')
    expect([code, err]).toEqual([1, expect.stringContaining('is waiting to start: ImagePullBackOff')])
    expect(err).not.toContain('waiting for container')
  })
})
