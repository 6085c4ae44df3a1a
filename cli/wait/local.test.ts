import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving

beforeEach(async () => {
  server = await serve()
})
afterEach(() => server.stop())

test('with --local what files say is looked at, and no server is asked', async () => {
  const conditions = '[{type: Available, status: "True"}]'
  const text = (name: string, more: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nstatus: {${more}}\n`
  const file = server.file('a.yaml', `${text('web', `conditions: ${conditions}`)}---\n${text('late', '')}`)
  const wait = (condition: string) => server.gantry(['wait', '--local', '-f', file, `--for=${condition}`])
  expect(await wait('condition=Available')).toEqual({
    code: 1,
    out: 'deployment.apps/web condition met\n',
    err: 'error: condition not met for deployments/late\n',
  })
  expect((await wait('jsonpath={.kind}=Deployment')).code).toBe(0)
  expect((await server.gantry('wait --local pod/web --for=condition=Ready')).err).toContain('name them with -f')
  expect(server.asked).toEqual([])
})
