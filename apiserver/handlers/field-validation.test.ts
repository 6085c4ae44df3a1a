import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningServer, runServer } from '../testing/running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await runServer()
  await server.create(configMaps, { metadata: { name: 'old' } })
})
afterAll(() => server?.stop())

const configMaps = '/api/v1/namespaces/default/configmaps'
const json = 'application/json'
const yaml = 'application/yaml'
const applied = 'application/apply-patch+yaml'

const asYaml = `apiVersion: v1
kind: ConfigMap
metadata:
  name: x
nobody: 1
data:
  a: b
  c: d
  a: e
  c: f
`

/** How it is sent, and what is said of it: by Warn one by one, by Strict in one refusal. */
const faults: readonly [
  what: string,
  method: string,
  type: string,
  body: string,
  warnings: string[],
  refusal: string,
][] = [
  [
    'JSON, in the order of its text',
    'POST',
    json,
    '{"nobody":1,"metadata":{"name":"x","noone":{"deep":1}},"data":{"a":"b","a":"c"},"nothing":[]}',
    ['unknown field "nobody"', 'unknown field "metadata.noone"', 'duplicate field "data.a"', 'unknown field "nothing"'],
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "nobody", unknown field "metadata.noone", duplicate field "data.a", unknown field "nothing"',
  ],
  [
    'YAML, by line',
    'POST',
    yaml,
    asYaml,
    ['line 9: key "a" already set in map', 'line 10: key "c" already set in map', 'unknown field "nobody"'],
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  line 9: key "a" already set in map\n  line 10: key "c" already set in map, unknown field "nobody"',
  ],
  [
    'an applied configuration',
    'PATCH',
    applied,
    asYaml.replace('nobody: 1', 'immutable: false'),
    ['line 9: key "a" already set in map', 'line 10: key "c" already set in map'],
    'error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  line 9: key "a" already set in map\n  line 10: key "c" already set in map',
  ],
  [
    'a merge patch',
    'PATCH',
    'application/merge-patch+json',
    '{"nobody":1,"data":{"a":"b","a":"c"}}',
    ['duplicate field "data.a"', 'unknown field "nobody"'],
    'strict decoding error: duplicate field "data.a", unknown field "nobody"',
  ],
  [
    'a strategic merge patch',
    'PATCH',
    'application/strategic-merge-patch+json',
    '{"nobody":{"b":[1,"c"]}}',
    ['unknown field "nobody"'],
    ' "" is invalid: patch: Invalid value: "map[nobody:map[b:[1 c]]]": strict decoding error: unknown field "nobody"',
  ],
  [
    'a JSON patch',
    'PATCH',
    'application/json-patch+json',
    '[{"op":"add","path":"/nobody","value":1}]',
    ['unknown field "nobody"'],
    'strict decoding error: unknown field "nobody"',
  ],
]

describe.each(faults)('what is wrong with %s', (_what, method, type, body, warnings, refusal) => {
  const send = (mode: string) => {
    const path = method === 'POST' ? configMaps : `${configMaps}/${type === applied ? 'x' : 'old'}`
    return server.request(method, `${path}?dryRun=All&fieldManager=test&fieldValidation=${mode}`, body, {
      headers: { 'content-type': type },
    })
  }

  it('is warned of one by one', async () => {
    const { code, headers } = await send('Warn')
    expect(Math.floor(code / 100)).toBe(2)
    const said = [...String(headers.warning).matchAll(/299 - ("(?:[^"\\]|\\.)*")/g)].map((match) =>
      JSON.parse(String(match[1])),
    )
    expect(said).toEqual(warnings)
  })

  it('is refused together', async () => {
    const { code, body } = await send('Strict')
    expect(code).toBe(method === 'PATCH' && type !== applied ? 422 : 400)
    expect(body.message).toContain(refusal)
  })

  it('is passed over where nobody asks', async () => {
    const { code, headers } = await send('Ignore')
    expect([Math.floor(code / 100), headers.warning]).toEqual([2, undefined])
  })
})

it('offers no table of a review', async () => {
  const review = { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } }
  const { code, body } = await server.create('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review, {
    headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
  })
  expect([code, body.reason]).toEqual([406, 'NotAcceptable'])
})
