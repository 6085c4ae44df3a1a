import fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { describe, expect, it } from 'vitest'
import { decodeObject } from '../../api/machinery/decode.ts'
import type { Schema } from '../../api/machinery/schema.ts'
import { builtinDefinitions, builtinSchema } from '../../api/schema/builtin.ts'
import { fieldNumbers } from '../../api/schema/field-numbers.ts'
import { decodeProtobuf } from './decode.ts'

const core = (kind: string) => builtinSchema(`io.k8s.api.core.v1.${kind}`)
const deployment = builtinSchema('io.k8s.api.apps.v1.Deployment')
const deleteOptions = builtinSchema('io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions')
const definition = builtinSchema('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition')
const schemaProps = builtinSchema('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')

const field = (number: number, wire: number, write: (writer: protobuf.Writer) => unknown): Buffer => {
  const writer = protobuf.Writer.create().uint32((number << 3) | wire)
  write(writer)
  return Buffer.from(writer.finish())
}
const text = (number: number, value: string) => field(number, 2, (writer) => writer.string(value))
const int = (number: number, value: number) => field(number, 0, (writer) => writer.int64(value))
const double = (number: number, value: number) => field(number, 1, (writer) => writer.double(value))
const flag = (number: number, value: boolean) => field(number, 0, (writer) => writer.bool(value))
const message = (number: number, ...parts: Buffer[]) => field(number, 2, (writer) => writer.bytes(Buffer.concat(parts)))
const entry = (number: number, key: string, value: Buffer) => message(number, text(1, key), value)
const quantity = (amount: string) => text(1, amount)
const envelope = (apiVersion: string, kind: string, ...parts: Buffer[]) =>
  Buffer.concat([Buffer.from('k8s\0'), message(1, text(1, apiVersion), text(2, kind)), message(2, ...parts)])
const numberedPort = (number: number, port: number) => message(number, int(1, 0), int(2, port), text(3, ''))
const namedPort = (number: number, port: string) => message(number, int(1, 1), int(2, 0), text(3, port))

const web = envelope(
  'apps/v1',
  'Deployment',
  message(
    1,
    text(1, 'web'),
    text(3, 'shop'),
    text(5, ''),
    int(7, 0),
    // 2026-01-02T03:04:05Z
    message(8, int(1, 1767323045), int(2, 999)),
    entry(11, 'app', text(2, 'web')),
    entry(11, 'empty', text(2, '')),
  ),
  message(
    2,
    int(1, 0),
    message(2, entry(1, 'app', text(2, 'web'))),
    message(3, message(1, entry(11, 'app', text(2, 'web'))), message(2, message(2, text(1, 'main'), text(2, 'image')))),
    message(4, text(1, 'RollingUpdate'), message(2, namedPort(1, '25%'), numberedPort(2, 0))),
    int(5, 0),
    int(6, 10),
    flag(7, false),
  ),
  message(3),
)
const webAsJson = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: {
    name: 'web',
    namespace: 'shop',
    creationTimestamp: '2026-01-02T03:04:05Z',
    labels: { app: 'web', empty: '' },
  },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'image' }] } },
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: 0 } },
    revisionHistoryLimit: 10,
  },
  status: {},
}

describe('a protobuf body', () => {
  it('is the same deployment as its JSON form, zeros kept only where they mean zero', () => {
    expect(decodeProtobuf(deployment, web)).toEqual(webAsJson)
  })

  it('is a pod with probes, volumes, amounts and ports', () => {
    const probe = message(
      10,
      message(
        1,
        message(2, text(1, '/healthz'), namedPort(2, 'http'), text(4, 'HTTP'), message(5, text(1, 'X'), text(2, 'y'))),
      ),
      int(2, 0),
      int(3, 5),
      int(7, 0),
    )
    const container = message(
      2,
      text(1, 'main'),
      text(3, 'sh'),
      text(3, '-c'),
      text(3, ''),
      message(6, text(1, 'http'), int(2, 0), int(3, 8080), text(4, 'TCP')),
      message(8, entry(1, 'cpu', message(2, quantity('1500m'))), entry(2, 'memory', message(2, quantity('0')))),
      probe,
      message(11, message(1, message(3, numberedPort(1, 8080), text(2, '')))),
      flag(16, true),
      flag(18, false),
    )
    const pod = envelope(
      'v1',
      'Pod',
      message(1, text(1, 'web-0')),
      message(
        2,
        message(1, text(1, 'scratch'), message(2, message(2, text(1, 'Memory'), message(2, quantity('64Mi'))))),
        message(1, text(1, 'secret'), message(2, message(6, text(1, 'keys'), int(3, 0o400), flag(4, false)))),
        message(1, text(1, 'settings'), message(2, message(19, message(1, text(1, 'cm')), int(3, 0)))),
        message(1, text(1, 'empty'), message(2, message(2))),
        container,
        int(5, 0),
        flag(11, false),
        flag(21, false),
        int(25, -10),
        entry(32, 'cpu', message(2, quantity('10m'))),
      ),
    )
    expect(decodeProtobuf(core('Pod'), pod)).toEqual({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web-0' },
      spec: {
        volumes: [
          { name: 'scratch', emptyDir: { medium: 'Memory', sizeLimit: '64Mi' } },
          { name: 'secret', secret: { secretName: 'keys', defaultMode: 0o400, optional: false } },
          { name: 'settings', configMap: { name: 'cm', defaultMode: 0 } },
          { name: 'empty', emptyDir: {} },
        ],
        containers: [
          {
            name: 'main',
            command: ['sh', '-c', ''],
            ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
            resources: { limits: { cpu: '1500m' }, requests: { memory: '0' } },
            livenessProbe: {
              httpGet: { path: '/healthz', port: 'http', scheme: 'HTTP', httpHeaders: [{ name: 'X', value: 'y' }] },
              timeoutSeconds: 5,
              terminationGracePeriodSeconds: 0,
            },
            readinessProbe: { tcpSocket: { port: 8080 } },
            stdin: true,
          },
        ],
        activeDeadlineSeconds: 0,
        automountServiceAccountToken: false,
        priority: -10,
        overhead: { cpu: '10m' },
      },
    })
  })

  it.each([
    ['nothing', [], {}],
    ['no grace at all', [int(1, 0)], { gracePeriodSeconds: 0 }],
    ['orphans refused', [flag(3, false)], { orphanDependents: false }],
    [
      'a precondition and a dry run',
      [message(2, text(1, 'u'), text(2, '')), text(4, 'Foreground'), text(5, 'All')],
      { preconditions: { uid: 'u', resourceVersion: '' }, propagationPolicy: 'Foreground', dryRun: ['All'] },
    ],
  ])('of delete options tells %s', (_what, parts, expected) => {
    const decoded = decodeProtobuf(deleteOptions, envelope('v1', 'DeleteOptions', ...parts))
    expect(decoded).toEqual({ apiVersion: 'v1', kind: 'DeleteOptions', ...expected })
  })

  it('has times in whole seconds, in microseconds, and unset', () => {
    const lease = builtinSchema('io.k8s.api.coordination.v1.Lease')
    const body = envelope(
      'coordination.k8s.io/v1',
      'Lease',
      message(1, message(8), message(9, int(1, 0), int(2, 0))),
      message(2, message(3, int(1, 1767323045), int(2, 12_345_678)), message(4, int(1, -1), int(2, 0))),
    )
    expect(decodeProtobuf(lease, body)).toMatchObject({
      metadata: { deletionTimestamp: '1970-01-01T00:00:00Z' },
      spec: { acquireTime: '2026-01-02T03:04:05.012345Z', renewTime: '1969-12-31T23:59:59.000000Z' },
    })
    expect(decodeProtobuf(lease, body)).not.toHaveProperty('metadata.creationTimestamp')
  })

  it('has maps of lists, maps of bytes, and numbers that come packed', () => {
    const request = builtinSchema('io.k8s.api.certificates.v1.CertificateSigningRequest')
    const spec = message(
      2,
      message(1, Buffer.from('PEM')),
      entry(6, 'scopes', message(2, text(1, 'a'), text(1, 'b'))),
      entry(6, 'none', message(2)),
    )
    expect(
      decodeProtobuf(request, envelope('certificates.k8s.io/v1', 'CertificateSigningRequest', spec)),
    ).toMatchObject({
      spec: { request: Buffer.from('PEM').toString('base64'), extra: { scopes: ['a', 'b'], none: [] } },
    })
    const secret = envelope(
      'v1',
      'Secret',
      entry(2, 'key', message(2, Buffer.from([0, 255]))),
      entry(2, '__proto__', message(2, Buffer.from('x'))),
      flag(5, false),
    )
    const decoded = decodeProtobuf(core('Secret'), secret)
    expect(decoded.immutable).toBe(false)
    expect(Object.entries(decoded.data as object)).toEqual([
      ['key', 'AP8='],
      ['__proto__', 'eA=='],
    ])
    const groups = (...parts: Buffer[]) =>
      (decodeProtobuf(core('PodSecurityContext'), envelope('v1', 'X', ...parts)) as { supplementalGroups: number[] })
        .supplementalGroups
    const packed = field(4, 2, (writer) => writer.fork().int64(1).int64(0).int64(3000).ldelim())
    expect(groups(packed)).toEqual([1, 0, 3000])
    expect(groups(int(4, 1), int(4, 0), int(4, 3000))).toEqual([1, 0, 3000])
  })

  it('has schemas of custom resources, with their unions and free-form values', () => {
    const type = (name: string) => text(5, name)
    const json = (number: number, value: unknown) => message(number, message(1, Buffer.from(JSON.stringify(value))))
    const properties = [
      entry(29, 'one', message(2, type('array'), message(24, message(1, type('string'))))),
      entry(29, 'several', message(2, message(24, message(2, type('string')), message(2, type('integer'))))),
      entry(29, 'open', message(2, type('object'), message(30, flag(1, true)))),
      entry(29, 'shut', message(2, message(30, flag(1, false)))),
      entry(29, 'typed', message(2, message(30, flag(1, true), message(2, type('string'))))),
      entry(29, 'bounded', message(2, double(9, 0), flag(10, true), int(13, 0), double(19, 2.5))),
      entry(29, 'chosen', message(2, json(20, 'a'), json(20, 1), json(20, null), json(8, { a: [1] }))),
      entry(
        29,
        'dependent',
        message(
          2,
          entry(32, 'a', message(2, text(2, 'b'), text(2, 'c'))),
          entry(32, 'd', message(2, message(1, type('object')))),
        ),
      ),
      entry(29, 'off', message(2, type('boolean'), json(8, false))),
      entry(29, 'nought', message(2, type('integer'), json(8, 0))),
      entry(29, 'kept', message(2, flag(38, true), flag(39, false))),
    ]
    const version = message(7, text(1, 'v1'), flag(2, true), message(4, message(1, type('object'), ...properties)))
    const body = envelope(
      'apiextensions.k8s.io/v1',
      'CustomResourceDefinition',
      message(2, text(1, 'example.com'), version),
    )
    const [decoded] = (decodeProtobuf(definition, body) as { spec: { versions: unknown[] } }).spec.versions
    expect(decoded).toEqual({
      name: 'v1',
      served: true,
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            one: { type: 'array', items: { type: 'string' } },
            several: { items: [{ type: 'string' }, { type: 'integer' }] },
            open: { type: 'object', additionalProperties: true },
            shut: { additionalProperties: false },
            typed: { additionalProperties: { type: 'string' } },
            bounded: { maximum: 0, exclusiveMaximum: true, maxLength: 0, multipleOf: 2.5 },
            chosen: { enum: ['a', 1, null], default: { a: [1] } },
            dependent: { dependencies: { a: ['b', 'c'], d: { type: 'object' } } },
            off: { type: 'boolean', default: false },
            nought: { type: 'integer', default: 0 },
            kept: { 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    })
  })

  it('may have fields nobody knows', () => {
    const unknown = [int(500, 7), text(501, 'x'), double(502, 1), field(503, 5, (writer) => writer.fixed32(1))]
    const body = envelope(
      'v1',
      'ConfigMap',
      ...unknown,
      message(1, text(1, 'a'), ...unknown),
      entry(2, 'k', text(2, 'v')),
    )
    expect(decodeProtobuf(core('ConfigMap'), Buffer.concat([body, ...unknown]))).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'a' },
      data: { k: 'v' },
    })
  })

  it('without the prefix is refused in the words clients know', () => {
    for (const body of [Buffer.from(''), Buffer.from('k8s'), Buffer.from('{"kind":"Pod"}')]) {
      expect(() => decodeProtobuf(core('Pod'), body)).toThrow(
        'provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]',
      )
    }
  })

  it('of a type that has no such form is refused', () => {
    expect(() => decodeProtobuf({ type: 'object', name: 'example.Thing' }, envelope('v1', 'Thing'))).toThrow(
      /send JSON/,
    )
  })

  it('cut short anywhere gives an error or what came before the cut', () => {
    let refused = 0
    for (let length = 0; length < web.length; length++) {
      try {
        decodeProtobuf(deployment, web.subarray(0, length))
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        refused++
      }
    }
    // The outermost length covers all but the envelope's own end.
    expect(refused).toBeGreaterThan(web.length - 30)
  })

  it('with a field on the wrong wire is refused', () => {
    expect(() => decodeProtobuf(core('ConfigMap'), envelope('v1', 'ConfigMap', message(1, int(1, 3))))).toThrow()
    expect(() => decodeProtobuf(deployment, envelope('apps/v1', 'Deployment', message(2, text(1, 'three'))))).toThrow()
  })

  it('of noise ends in an error or an object', () => {
    const noise = fc.uint8Array({ maxLength: 200 })
    const schemas = [core('Pod'), deployment, definition, deleteOptions]
    fc.assert(
      fc.property(noise, fc.constantFrom(...schemas), (bytes, schema) => {
        try {
          expect(typeof decodeProtobuf(schema, envelope('v1', 'X', Buffer.from(bytes)))).toBe('object')
        } catch (error) {
          expect(error).toBeInstanceOf(Error)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('nested beyond all reason is refused', () => {
    let body = text(5, 'string')
    for (let depth = 0; depth < 6000; depth++) body = message(28, body)
    expect(() => decodeProtobuf(schemaProps, envelope('v1', 'X', body))).toThrow(Error)
  }, 10_000)
})

/** Messages are written from the table in a way of its own: what is read back must be the JSON form again. */
describe('every type that has numbers', () => {
  const table = new Map(
    fieldNumbers
      .trim()
      .replaceAll(/\n {4}\s*/g, ' ')
      .split('\n')
      .map((line) => line.trim().split(' '))
      .map(([name, ...fields]): [string, string[]] => [name as string, fields]),
  )
  const shortened = (name: string) =>
    name.replace(/^io\.k8s\.(apimachinery|apiextensions-apiserver|kube-aggregator)\.pkg\.(apis\.)?|^io\.k8s\.api\./, '')
  const unions = new Set(['items', 'additionalProperties', 'additionalItems', 'dependencies'])

  const sample = (schema: Schema, depth: number): unknown => {
    switch (schema.type) {
      case 'string':
        return 'text'
      case 'integer':
        return 7
      case 'number':
        return 1.5
      case 'boolean':
        return true
      case 'bytes':
        return 'AQID'
      case 'quantity':
        return '5Gi'
      case 'time':
        return '2026-01-02T03:04:05Z'
      case 'microTime':
        return '2026-01-02T03:04:05.012345Z'
      case 'intOrString':
        return 'http'
      case 'any':
        return { free: ['form'] }
      case 'array':
        return [sample(schema.items as Schema, depth)]
      case 'map':
        return { key: sample(schema.values as Schema, depth) }
      case 'object':
        return depth === 0 ? {} : sampleObject(schema, depth - 1)
    }
  }
  const numberedFields = (schema: Schema): { name: string; path: number[]; type: Schema }[] =>
    (table.get(shortened(schema.name ?? '')) ?? []).flatMap((word) => {
      const [, name = '', path = ''] = /^(.*)=([\d.]+)\*?$/.exec(word) ?? []
      const type = schema.properties?.get(name)
      if (!type || (type.type === 'any' && unions.has(name)) || name === 'dependencies') return []
      return [{ name, path: path.split('.').map(Number), type }]
    })
  const sampleObject = (schema: Schema, depth: number): Record<string, unknown> =>
    Object.fromEntries(numberedFields(schema).map(({ name, type }) => [name, sample(type, depth)]))
  const encode = (schema: Schema, value: Record<string, unknown>): Buffer =>
    Buffer.concat(
      numberedFields(schema).flatMap(({ name, path, type }) => {
        if (!(name in value)) return []
        const [number = 0, ...outer] = path.toReversed()
        return [outer.reduce((inner, at) => message(at, inner), encodeField(number, type, value[name]))]
      }),
    )
  const encodeField = (number: number, schema: Schema, value: unknown): Buffer => {
    switch (schema.type) {
      case 'string':
        return text(number, value as string)
      case 'integer':
        return int(number, value as number)
      case 'number':
        return double(number, value as number)
      case 'boolean':
        return flag(number, value as boolean)
      case 'bytes':
        return message(number, Buffer.from(value as string, 'base64'))
      case 'quantity':
        return message(number, text(1, value as string))
      case 'time':
      case 'microTime': {
        const micros = Number((value as string).slice(20, -1))
        return message(number, int(1, Math.floor(Date.parse(value as string) / 1000)), int(2, micros * 1000))
      }
      case 'intOrString':
        return namedPort(number, value as string)
      case 'any':
        return message(number, message(1, Buffer.from(JSON.stringify(value))))
      case 'array':
        return Buffer.concat((value as unknown[]).map((item) => encodeField(number, schema.items as Schema, item)))
      case 'map':
        return Buffer.concat(
          Object.entries(value as object).map(([key, item]) => {
            const values = schema.values as Schema
            const wrapped =
              values.type === 'array' ? message(2, encodeField(1, values, item)) : encodeField(2, values, item)
            return entry(number, key, wrapped)
          }),
        )
      case 'object':
        return message(number, encode(schema, value as Record<string, unknown>))
    }
  }

  it('is read back as it was written, and known to the decoder of JSON', () => {
    const names = builtinDefinitions().filter((name) => table.has(shortened(name)))
    expect(names.length).toBeGreaterThan(500)
    for (const name of names) {
      const schema = builtinSchema(name)
      const object = sampleObject(schema, 2)
      const body = envelope('', '', encode(schema, object))
      const decoded = decodeProtobuf(schema, body)
      expect(decoded, name).toEqual(object)
      expect(decodeObject(schema, decoded, { mode: 'Strict' }).unknown, name).toEqual([])
    }
  })
})
