import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../../test/support/until.ts'
import { type RunningServer, runServer } from '../../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer()
})
afterAll(() => server.stop())

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const table = { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } }
const applied = { headers: { 'content-type': 'application/apply-patch+yaml' } }

interface Wanted {
  group?: string
  names?: object
  scope?: string
  versions: object[]
}

const version = (name: string, schema: object, more: object = {}) => ({
  name,
  served: true,
  storage: false,
  schema: { openAPIV3Schema: { type: 'object', ...schema } },
  ...more,
})
const stored = { storage: true }

const definition = ({ group = 'example.com', names = {}, scope = 'Namespaced', versions }: Wanted) => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `crons.${group}` },
  spec: { group, scope, names: { plural: 'crons', kind: 'Cron', ...names }, versions },
})

type Condition = { type: string; status: string; reason: string }
const conditionsOf = async (name: string): Promise<Record<string, string>> => {
  const { body } = await server.get(`${definitions}/${name}`)
  const conditions: Condition[] = body.status?.conditions ?? []
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]))
}
const established = (name: string) =>
  until(async () => (await conditionsOf(name)).Established === 'True InitialNamesAccepted')

async function define(wanted: Wanted): Promise<string> {
  const object = definition(wanted)
  const created = await server.create(definitions, object)
  expect(created.code, created.text).toBe(201)
  await established(object.metadata.name)
  return object.metadata.name
}

async function removeDefinition(name: string): Promise<void> {
  await server.remove(`${definitions}/${name}`)
  await until(async () => (await server.get(`${definitions}/${name}`)).code === 404)
}

const pathOf = (group: string, versionName: string) => `/apis/${group}/${versionName}/namespaces/default/crons`
const cron = (name: string, more: object, apiVersion = 'example.com/v1') => ({
  apiVersion,
  kind: 'Cron',
  metadata: { name },
  ...more,
})

describe('a kind that is defined', () => {
  const crons = pathOf('example.com', 'v1')
  const spec = {
    type: 'object',
    required: ['schedule'],
    properties: {
      schedule: { type: 'string' },
      replicas: { type: 'integer', minimum: 1, default: 3 },
      mode: { type: 'string' },
      steps: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, n: { type: 'integer' } } },
      },
    },
  }
  const status = { type: 'object', properties: { replicas: { type: 'integer' }, selector: { type: 'string' } } }
  let name: string
  beforeAll(async () => {
    const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }
    name = await define({
      names: { shortNames: ['cr'], categories: ['all'] },
      versions: [
        version(
          'v1',
          { properties: { spec, status } },
          {
            ...stored,
            deprecated: true,
            subresources: { status: {}, scale: { ...scale, labelSelectorPath: '.status.selector' } },
            additionalPrinterColumns: [
              { name: 'Schedule', type: 'string', jsonPath: '.spec.schedule' },
              { name: 'Replicas', type: 'integer', jsonPath: '.status.replicas', priority: 1 },
            ],
            selectableFields: [{ jsonPath: '.spec.mode' }],
          },
        ),
      ],
    })
    await server.create(crons, cron('first', { spec: { schedule: '* *' } }))
  })
  afterAll(() => removeDefinition(name))

  it('loses what its schema does not name, and gets its defaults', async () => {
    const sent = cron('defaulted', { spec: { schedule: '1 *', odd: 1 }, status: { replicas: 1 } })
    const { code, body, headers } = await server.create(crons, sent)
    expect(code).toBe(201)
    expect(headers.warning).toBe('299 - "example.com/v1 Cron is deprecated", 299 - "unknown field \\"spec.odd\\""')
    expect(body).toMatchObject({ metadata: { generation: 1 }, spec: { schedule: '1 *', replicas: 3 } })
    expect(body.status).toBeUndefined()
    expect((await server.get(`${crons}/defaulted`)).body).toEqual(body)
    const strict = await server.create(
      `${crons}?fieldValidation=Strict`,
      cron('strict', { spec: { schedule: '', odd: 1 } }),
    )
    expect(strict.body.message).toContain('strict decoding error: unknown field "spec.odd"')
  })

  it('is refused where it does not fit its schema', async () => {
    const { code, body } = await server.create(crons, cron('bad', { spec: { mode: 1 } }))
    expect(code).toBe(422)
    expect(body.message).toBe(
      'Cron.example.com "bad" is invalid: [spec.schedule: Required value, spec.mode: Invalid value: "integer": spec.mode in body must be of type string: "integer"]',
    )
  })

  it('is shown in the columns of its definition', async () => {
    const { body } = await server.get(`${crons}?fieldSelector=metadata.name=first`, table)
    expect(body.columnDefinitions.map((column: { name: string }) => column.name)).toEqual([
      'Name',
      'Schedule',
      'Replicas',
    ])
    expect(body.rows[0].cells).toEqual(['first', '* *', null])
  })

  it('is chosen by the fields it offers', async () => {
    await server.create(crons, cron('fast', { spec: { schedule: '', mode: 'fast' } }))
    const { body } = await server.get(`${crons}?fieldSelector=spec.mode%3Dfast`)
    expect(body.items.map((item: { metadata: { name: string } }) => item.metadata.name)).toEqual(['fast'])
    expect((await server.get(`${crons}?fieldSelector=spec.schedule%3Da`)).code).toBe(400)
  })

  it('has a status that is written apart, and nothing but the status by that way', async () => {
    await server.create(crons, cron('told', { spec: { schedule: '' } }))
    const sent = { metadata: { labels: { a: 'b' } }, spec: { schedule: 'x' }, status: { replicas: 2 } }
    const { body } = await server.patch(`${crons}/told/status`, sent)
    expect(body).toMatchObject({ metadata: { generation: 1 }, spec: { schedule: '' }, status: { replicas: 2 } })
    expect(body.metadata.labels).toBeUndefined()
    const after = (await server.patch(`${crons}/told`, { spec: { schedule: 'x' }, status: { replicas: 9 } })).body
    expect(after).toMatchObject({ metadata: { generation: 2 }, status: { replicas: 2 } })
    const bad = await server.patch(`${crons}/told/status`, { status: { replicas: 'x' } })
    expect(bad.body.message).toContain('status.replicas in body must be of type integer')
  })

  it('is scaled', async () => {
    await server.create(crons, cron('scaled', { spec: { schedule: '' } }))
    await server.patch(`${crons}/scaled/status`, { status: { selector: 'a=b' } })
    const scaled = await server.patch(`${crons}/scaled/scale`, { spec: { replicas: 7 } })
    expect(scaled.body).toMatchObject({ kind: 'Scale', spec: { replicas: 7 }, status: { selector: 'a=b' } })
    expect((await server.get(`${crons}/scaled`)).body.spec.replicas).toBe(7)
    const refused = await server.patch(`${crons}/scaled/scale`, { spec: { replicas: 0 } })
    expect(refused.body.message).toContain('spec.replicas in body should be greater than or equal to 1')
  })

  it('is patched, but not strategically', async () => {
    const patch = (type: string, body: unknown) =>
      server.patch(`${crons}/first`, body, { headers: { 'content-type': `application/${type}-patch+json` } })
    expect((await patch('json', [{ op: 'add', path: '/spec/mode', value: 'a' }])).body.spec.mode).toBe('a')
    expect((await patch('merge', { spec: { mode: null } })).body.spec.mode).toBeUndefined()
    const { code, body } = await patch('strategic', {})
    expect(code).toBe(415)
    expect(body.message).toMatch(
      /include: application\/json-patch\+json, application\/merge-patch\+json, application\/apply/,
    )
  })

  it('is applied by list items with keys', async () => {
    const apply = (manager: string, steps: object[]) =>
      server.patch(
        `${crons}/shared?fieldManager=${manager}`,
        cron('shared', { spec: { schedule: '', steps } }),
        applied,
      )
    expect((await apply('one', [{ name: 'a', n: 1 }])).code).toBe(201)
    expect((await apply('two', [{ name: 'b', n: 2 }])).body.spec.steps).toEqual([
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
    ])
    const conflict = await apply('two', [{ name: 'a', n: 3 }])
    expect(conflict.body.details.causes[0].field).toBe('.spec.steps[name="a"].n')
  })

  it('is found in discovery and described by OpenAPI', async () => {
    const { body } = await server.get('/apis/example.com/v1')
    expect(body.resources.map((each: { name: string }) => each.name)).toEqual(['crons', 'crons/scale', 'crons/status'])
    expect(body.resources[0]).toMatchObject({ shortNames: ['cr'], categories: ['all'], kind: 'Cron' })
    const v3 = (await server.get('/openapi/v3/apis/example.com/v1')).body
    expect(v3.components.schemas['com.example.v1.Cron'].properties.spec).toEqual(spec)
    const v2 = (await server.get('/openapi/v2')).body
    expect(v2.definitions['com.example.v1.Cron'].properties.spec).toEqual(spec)
    const patches = v3.paths['/apis/example.com/v1/namespaces/{namespace}/crons/{name}'].patch.requestBody.content
    expect(Object.keys(patches)).not.toContain('application/strategic-merge-patch+json')
  })
})

describe('a kind in several versions', () => {
  const group = 'several.com'
  const [v1, v2] = [pathOf(group, 'v1'), pathOf(group, 'v2')]
  const one = { properties: { both: { type: 'string' }, old: { type: 'string' } } }
  const two = { properties: { both: { type: 'string' }, fresh: { type: 'string', default: 'x' } } }
  let name: string
  beforeAll(async () => {
    name = await define({ group, versions: [version('v1', one, stored), version('v2', two)] })
  })
  afterAll(() => removeDefinition(name))

  it('is the same object in each, by the schema of each', async () => {
    const sent = cron('a', { both: 'b', old: 'o' }, `${group}/v1`)
    expect((await server.create(v1, sent)).code).toBe(201)
    const { body } = await server.get(`${v2}/a`)
    expect(body).toMatchObject({ apiVersion: `${group}/v2`, both: 'b', fresh: 'x' })
    expect(body.old).toBeUndefined()
    const { body: groups } = await server.get(`/apis/${group}`)
    expect(groups.preferredVersion.version).toBe('v2')
  })

  it('is shown in the version that is stored now, whatever version it was written in', async () => {
    const { body: before } = await server.get(`${definitions}/${name}`)
    const versions = [version('v1', one), version('v2', two, stored)]
    const changed = await server.request('PUT', `${definitions}/${name}`, {
      ...before,
      spec: { ...before.spec, versions },
    })
    expect(changed.body.status.storedVersions).toEqual(['v1', 'v2'])
    const served = await until(async () => {
      const { body } = await server.get(`${v2}/a`)
      return body.old === undefined && body.fresh === 'x' && body
    })
    expect(served.apiVersion).toBe(`${group}/v2`)
    expect((await server.get(`${v1}/a`)).body).toMatchObject({ apiVersion: `${group}/v1`, both: 'b' })
    // A write that changes nothing brings what is stored up to date.
    await until(async () => {
      const written = await server.request('PUT', `${v2}/a`, (await server.get(`${v2}/a`)).body)
      return written.body.metadata.resourceVersion !== served.metadata.resourceVersion
    })
    const [entry] = (await server.store.list(`/${group}/crons/`, {})).entries
    expect(JSON.parse(String(entry?.value)).apiVersion).toBe(`${group}/v2`)
  })

  it('is no longer served in one that is withdrawn', async () => {
    const { body: before } = await server.get(`${definitions}/${name}`)
    before.spec.versions[0].served = false
    await server.request('PUT', `${definitions}/${name}`, before)
    await until(async () => (await server.get(`${v1}/a`)).code === 404)
    const { body } = await server.get(`/apis/${group}`)
    expect(body.versions).toEqual([{ groupVersion: `${group}/v2`, version: 'v2' }])
  })
})

it('a version has the subresources that it names, and no others', async () => {
  const group = 'parts.com'
  const schema = { properties: { spec: { type: 'object', properties: { n: { type: 'integer' } } } } }
  const scale = { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n' }
  const whole = { ...stored, subresources: { status: {}, scale } }
  const name = await define({ group, versions: [version('v1', schema, whole), version('v2', schema)] })
  const [v1, v2] = [pathOf(group, 'v1'), pathOf(group, 'v2')]
  await server.create(v1, cron('a', { spec: { n: 1 } }, `${group}/v1`))
  const codes = async (path: string) =>
    Promise.all(['', '/status', '/scale'].map(async (part) => (await server.get(`${path}/a${part}`)).code))
  expect([await codes(v1), await codes(v2)]).toEqual([
    [200, 200, 200],
    [200, 404, 404],
  ])
  const listed = async (apiVersion: string) =>
    (await server.get(`/apis/${apiVersion}`)).body.resources.map((each: { name: string }) => each.name)
  expect([await listed(`${group}/v1`), await listed(`${group}/v2`)]).toEqual([
    ['crons', 'crons/scale', 'crons/status'],
    ['crons'],
  ])
  const { body } = await server.get(`/openapi/v3/apis/${group}/v2`)
  expect(Object.keys(body.paths).filter((path) => /status|scale/.test(path))).toEqual([])
  await removeDefinition(name)
})

describe('a kind with rules', () => {
  const group = 'rules.com'
  const withRule = (rule: string) => [
    version(
      'v1',
      {
        properties: { low: { type: 'integer' }, high: { type: 'integer' } },
        'x-kubernetes-validations': [{ rule, message: 'low must be below high' }],
      },
      stored,
    ),
  ]

  it('keeps to them', async () => {
    const name = await define({ group, versions: withRule('self.low < self.high') })
    const make = (low: unknown) => server.create(pathOf(group, 'v1'), cron(`a${low}`, { low, high: 2 }, `${group}/v1`))
    expect((await make(1)).code).toBe(201)
    expect((await make(3)).body.message).toContain('<nil>: Invalid value: "object": low must be below high')
    expect((await make('x')).body.message).toContain(
      'some validation rules were not checked because the object was invalid',
    )
    await removeDefinition(name)
  })

  it('is not let in with rules that make no sense', async () => {
    const { code, body } = await server.create(definitions, definition({ group, versions: withRule('self.low <') }))
    expect(code).toBe(422)
    expect(body.message).toContain('x-kubernetes-validations[0].rule: Invalid value')
  })
})

describe('a definition', () => {
  const group = 'ends.com'
  const crons = pathOf(group, 'v1')

  it('waits for names that another has', async () => {
    const name = await define({ group, versions: [version('v1', {}, stored)] })
    const second = definition({ group, names: { plural: 'jobs', kind: 'Cron' }, versions: [version('v1', {}, stored)] })
    second.metadata.name = `jobs.${group}`
    await server.create(definitions, second)
    await until(async () => (await conditionsOf(`jobs.${group}`)).NamesAccepted === 'False ListKindConflict')
    expect((await server.get(`/apis/${group}/v1/namespaces/default/jobs`)).code).toBe(404)
    await removeDefinition(name)
    await established(`jobs.${group}`)
    await removeDefinition(`jobs.${group}`)
  })

  it('that is deleted takes its objects along, and lets none come', async () => {
    const name = await define({ group, versions: [version('v1', {}, stored)] })
    const held = { ...cron('held', {}, `${group}/v1`), metadata: { name: 'held', finalizers: ['example.com/wait'] } }
    await server.create(crons, held)
    await server.create(crons, cron('free', {}, `${group}/v1`))
    const { body } = await server.remove(`${definitions}/${name}`)
    expect(body.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io'])
    expect((await conditionsOf(name)).Terminating).toMatch(/^True InstanceDeletion/)
    await until(async () => (await server.get(`${crons}/free`)).code === 404)
    const refused = await until(async () => {
      const answer = await server.create(crons, cron('late', {}, `${group}/v1`))
      return answer.code !== 201 && answer
    })
    expect(refused.body.message).toContain('create not allowed while custom resource definition is terminating')
    await server.patch(`${crons}/held`, { metadata: { finalizers: null } })
    await until(async () => (await server.get(`${definitions}/${name}`)).code === 404)
    expect((await server.get(crons)).code).toBe(404)
    expect((await server.get(`/apis/${group}`)).code).toBe(404)
  })
})
