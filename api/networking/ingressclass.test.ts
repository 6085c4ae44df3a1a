import { describe, expect, it } from 'vitest'
import type { IngressClassParametersReference, IngressClassSpec } from '../generated/types.ts'
import { formatFieldError } from '../machinery/field-errors.ts'
import type { RequestContext } from '../machinery/resource.ts'
import { type IngressClassObject, ingressClasses } from './ingressclass.ts'

const ctx: RequestContext = { nowMs: 0, user: { name: 'test', groups: [] }, subresource: '', dryRun: false }

function ingressClass(spec: IngressClassSpec, annotations: Record<string, string> = {}): IngressClassObject {
  const made: IngressClassObject = { metadata: { name: 'c', annotations }, spec: structuredClone(spec) }
  ingressClasses.defaults?.(made)
  return made
}

const faults = (spec: IngressClassSpec, old?: IngressClassSpec) =>
  ingressClasses.validate?.(ingressClass(spec), old && ingressClass(old), ctx).map(formatFieldError)
const withParameters = (parameters: Partial<IngressClassParametersReference>): IngressClassSpec => ({
  controller: 'a.b/c',
  parameters: { kind: 'K', name: 'n', ...parameters },
})
const at = 'spec.parameters'

describe('an ingress class', () => {
  it.each<[string, IngressClassSpec, string[]]>([
    ['a controller', { controller: 'acme.io/foo/bar' }, []],
    ['none', {}, ['spec.controller: Required value']],
    [
      'one without domain',
      { controller: 'foo' },
      ['spec.controller: Invalid value: "foo": must be a domain-prefixed path (such as "acme.io/foo")'],
    ],
    [
      'one with an impossible path',
      { controller: 'a.b/c d' },
      [
        "spec.controller: Invalid value: \"c d\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
      ],
    ],
    [
      'one too long',
      { controller: `a.b/${'c'.repeat(250)}` },
      ['spec.controller: Too long: may not be more than 250 bytes'],
    ],
    ['parameters of the cluster', withParameters({}), []],
    ['parameters of a namespace', withParameters({ scope: 'Namespace', namespace: 'ns' }), []],
    [
      'no namespace',
      withParameters({ scope: 'Namespace' }),
      [`${at}.namespace: Required value: \`parameters.scope\` is set to 'Namespace'`],
    ],
    [
      'a namespace too many',
      withParameters({ namespace: 'ns' }),
      [`${at}.namespace: Forbidden: \`parameters.scope\` is set to 'Cluster'`],
    ],
    [
      'an odd scope',
      withParameters({ scope: 'Moon' }),
      [`${at}.scope: Unsupported value: "Moon": supported values: "Cluster", "Namespace"`],
    ],
    [
      'a nameless object',
      withParameters({ kind: '', name: '' }),
      [`${at}.kind: Required value`, `${at}.name: Required value`],
    ],
  ])('with %s', (_, spec, expected) => {
    expect(faults(spec)).toEqual(expected)
  })

  it('keeps its controller', () => {
    expect(faults({ controller: 'a.b/d' }, { controller: 'a.b/c' })).toEqual([
      'spec.controller: Invalid value: "a.b/d": field is immutable',
    ])
  })

  it('shows that it is the default', () => {
    const made = ingressClass(withParameters({ apiGroup: 'x.y' }), {
      'ingressclass.kubernetes.io/is-default-class': 'true',
    })
    expect(ingressClasses.columns?.map(({ value }) => value(made, 0))).toEqual([
      'c (default)',
      'a.b/c',
      'K.x.y/n',
      '<unknown>',
    ])
  })
})
