import { describe, expect, it } from 'vitest'
import type { HTTPIngressPath, IngressBackend, IngressSpec } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type IngressObject, ingresses } from './ingress.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }
const classAnnotation = 'kubernetes.io/ingress.class'
const web: IngressBackend = { service: { name: 'web', port: { number: 80 } } }
const ingress = (spec: IngressSpec, annotations?: Record<string, string>): IngressObject => ({
  metadata: { name: 'i', ...(annotations ? { annotations } : {}) },
  spec,
})
const rule = (path: Partial<HTTPIngressPath>, host?: string): IngressSpec => ({
  rules: [
    {
      ...(host === undefined ? {} : { host }),
      http: { paths: [{ path: '/', pathType: 'Prefix', backend: web, ...path }] },
    },
  ],
})
const faults = (made: IngressObject, old?: IngressObject) => ingresses.validate?.(made, old, ctx).map(formatFieldError)
const at = 'spec.rules[0].http.paths[0]'

describe('an ingress', () => {
  it.each<[string, IngressSpec, string[]]>([
    ['with a backend for all', { defaultBackend: web }, []],
    [
      'with a service whose name starts with a digit',
      { defaultBackend: { service: { name: '1web', port: { name: 'http' } } } },
      [],
    ],
    ['with an object behind it', { defaultBackend: { resource: { apiGroup: 'a.b', kind: 'Bucket', name: 'b' } } }, []],
    ['with a wildcard host', rule({}, '*.example.com'), []],
    ['with any path its class likes', rule({ pathType: 'ImplementationSpecific', path: '' }), []],
    ['without anything', {}, ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified']],
    [
      'for an address',
      rule({}, '1.2.3.4'),
      ['spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
    ],
    ['without paths', { rules: [{ http: { paths: [] } }] }, ['spec.rules[0].http.paths: Required value']],
    ['without path type', rule({ pathType: '' }), [`${at}.pathType: Required value: pathType must be specified`]],
    [
      'with an unknown path type',
      rule({ pathType: 'Regex' }),
      [`${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`],
    ],
    ['with a relative path', rule({ path: 'a' }), [`${at}.path: Invalid value: "a": must be an absolute path`]],
    [
      'with a path that leaves itself',
      rule({ path: '/a/../b%2F..' }),
      [
        `${at}.path: Invalid value: "/a/../b%2F..": must not contain '/../'`,
        `${at}.path: Invalid value: "/a/../b%2F..": must not contain '%2F'`,
      ],
    ],
    [
      'with a path that ends above itself',
      rule({ path: '/a/..' }),
      [`${at}.path: Invalid value: "/a/..": cannot end with '/..'`],
    ],
    [
      'with two backends in one',
      { defaultBackend: { ...web, resource: { kind: 'a', name: 'b' } } },
      ['spec.defaultBackend: Invalid value: "": cannot set both resource and service backends'],
    ],
    [
      'with none',
      { defaultBackend: {} },
      ['spec.defaultBackend: Invalid value: "": resource or service backend is required'],
    ],
    [
      'with two ports',
      { defaultBackend: { service: { name: 'web', port: { name: 'a', number: 80 } } } },
      ['spec.defaultBackend: Invalid value: "": cannot set both port name & port number'],
    ],
    [
      'with no port',
      { defaultBackend: { service: { name: 'web' } } },
      ['spec.defaultBackend: Required value: port name or number is required'],
    ],
    [
      'with an object that cannot be asked for',
      { defaultBackend: { resource: { kind: 'a/b', name: '..' } } },
      [
        'spec.defaultBackend.resource.kind: Invalid value: "a/b": may not contain \'/\'',
        'spec.defaultBackend.resource.name: Invalid value: "..": may not be \'..\'',
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(faults(ingress(spec))).toEqual(expected)
  })

  it('may not be of two classes when it is made', () => {
    const made = ingress({ defaultBackend: web, ingressClassName: 'a' }, { [classAnnotation]: 'b' })
    expect(faults(made)).toEqual([
      `annotations.${classAnnotation}: Invalid value: "b": must match \`ingressClassName\` when both are specified`,
    ])
    expect(faults(made, made)).toEqual([])
  })

  it('may keep a bad secret name or wildcard rule that it had', () => {
    const odd = (secretName: string): IngressSpec => ({ defaultBackend: web, tls: [{ hosts: ['a.b'], secretName }] })
    expect(faults(ingress(odd('A')))).toHaveLength(1)
    expect(faults(ingress(odd('B')), ingress(odd('A')))).toEqual([])
    expect(faults(ingress(rule({ path: 'b' }, '*.a.b')), ingress(rule({ path: 'a' }, '*.a.b')))).toEqual([])
    expect(faults(ingress(rule({ path: 'b' }, '*.a.b')), ingress(rule({}, '*.a.b')))).toHaveLength(1)
  })

  it('reports where it is reached', () => {
    const made = ingress({})
    made.status = { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '1.2.3.4' }] } }
    expect(ingresses.validateStatus?.(made, ingress({}), ctx).map(({ field }) => field)).toEqual([
      'status.loadBalancer.ingress[0].ip',
      'status.loadBalancer.ingress[1].hostname',
    ])
  })

  it('warns of the old annotation when it is made', () => {
    const made = ingress({}, { [classAnnotation]: 'a' })
    const text = `annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`
    expect([ingresses.warnings?.(made, undefined), ingresses.warnings?.(made, made)]).toEqual([[text], []])
  })

  it('prints as kubectl shows it', () => {
    const hosts = ['a', 'b', 'c', 'd', 'e'].map((host) => ({ host }))
    const made = ingress({ rules: hosts, tls: [{}], ingressClassName: 'nginx' })
    made.status = { loadBalancer: { ingress: [{ ip: '2.2.2.2' }, { ip: '1.1.1.1' }] } }
    expect(ingresses.columns?.map(({ value }) => value(made, 0))).toEqual([
      'i',
      'nginx',
      'a,b,c + 2 more...',
      '1.1.1.1,2.2.2.2',
      '80, 443',
      '<unknown>',
    ])
    expect(ingresses.columns?.map(({ value }) => value(ingress({}), 0)).slice(1, 5)).toEqual(['<none>', '*', '', '80'])
  })
})
