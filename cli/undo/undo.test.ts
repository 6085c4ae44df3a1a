import { afterEach, beforeEach, expect, test } from 'vitest'
import { conflictError } from '../../api/machinery/errors.ts'
import type { NamedObject } from '../objects.ts'
import type { ObjectVersion } from '../past/versions.ts'
import { type Serving, serve } from '../testing/serving.ts'

let server: Serving
const path = '/apis/apps/v1/namespaces/default/deployments/web'

/** A version of three replicas at most, as somebody or a controller left it. */
const version = (revision: number, user: string, replicas: number, path = 'spec.replicas'): ObjectVersion => ({
  revision: String(revision),
  operation: revision === 1 ? 'created' : 'updated',
  user,
  changes: [{ path, to: replicas }],
  object: {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', resourceVersion: String(revision) },
    spec: { replicas },
  },
})
const written = (revision: number): ObjectVersion =>
  version(revision, 'system:serviceaccount:kube-system:deployment-controller', 3, 'status.replicas')

/** Newest first. */
let versions: ObjectVersion[]

beforeEach(async () => {
  server = await serve()
  versions = [version(2, 'ann', 3), version(1, 'ann', 1)]
  server.answers.set('/apis/gantry.dev/v1/namespaces/default/histories', () =>
    JSON.stringify({ items: versions, more: false }),
  )
})
afterEach(() => server.stop())

/** Refuses what was not made of the newest version, each of which is overtaken by one of `newer`. */
function overtakenBy(newer: ObjectVersion[]): void {
  server.answers.set(path, ({ method, body }) => {
    if (method !== 'PUT') return JSON.stringify(versions[0]?.object)
    const next = newer.shift()
    if (next) versions = [next, ...versions]
    const { resourceVersion } = (body as NamedObject).metadata
    if (resourceVersion !== versions[0]?.revision)
      throw conflictError({ group: 'apps', resource: 'deployments' }, 'web', 'the object has been modified')
    return JSON.stringify(body)
  })
}

test.each(['', ' --dry-run=server', ' --to 1'])('what controllers note meanwhile is no obstacle:%s', async (flags) => {
  server.answers.set('/apis/gantry.dev/v1/namespaces/default/pastobjects', () =>
    JSON.stringify(versions.at(-1)?.object),
  )
  overtakenBy([written(3), written(4)])
  const { code, out, err } = await server.gantry(`undo deployment/web${flags}`)
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(
    /^deployment.apps\/web (undone: |would be undone: |taken back to revision 1).*\n {2}spec\.replicas: 3 -> 1\n$/,
  )
  const last = server.asked.filter(({ method }) => method === 'PUT').at(-1)?.body
  expect(last).toMatchObject({ metadata: { resourceVersion: '4' }, spec: { replicas: 1 } })
})

test('what somebody else changed meanwhile stays', async () => {
  overtakenBy([version(3, 'bob', 7)])
  const { code, err } = await server.gantry('undo deployment/web')
  expect(code).toBe(1)
  expect(err).toContain(
    'deployment.apps/web was changed by somebody else meanwhile; see what: gantry history deployment.apps/web',
  )
})

test('who is always overtaken is told in the end', async () => {
  overtakenBy(Array.from({ length: 20 }, (_, at) => written(3 + at)))
  const { code, err } = await server.gantry('undo deployment/web')
  expect(code).toBe(1)
  expect(err).toContain('the object has been modified')
})
