import { describe, expect, test } from 'vitest'
import { queryFor, type Wanted } from './promql.ts'
import { type MetricRule, parseRules } from './rules.ts'

describe('rules', () => {
  test('say how a metric is read, and much goes without saying', () => {
    const rules = parseRules(`
metrics:
  - { name: hits, kind: pods, query: 'sum by (pod) (rate(hits{<<labels>>}[1m]))', windowSeconds: 60 }
  - { name: hits, kind: object, resource: ingresses.networking.k8s.io, query: 'hits{<<labels>>}' }
  - { name: queue, kind: external, query: 'queue{<<labels>>}', labels: { namespace: team } }
`)
    expect(rules).toMatchObject([
      { resource: 'pods', labels: { namespace: 'namespace', object: 'pod' }, windowSeconds: 60 },
      { resource: 'ingresses.networking.k8s.io', labels: { namespace: 'namespace', object: 'ingress' } },
      { resource: '', labels: { namespace: 'team' } },
    ])
  })

  const one = (rule: object) =>
    JSON.stringify({ metrics: [{ name: 'q', kind: 'external', query: 'q{<<labels>>}', ...rule }] })
  test.each([
    ['[]', 'it must hold a list "metrics"'],
    [one({ name: 'a/b' }), 'metrics[0].name: "a/b" cannot be part of a path'],
    [one({ name: '' }), 'metrics[0].name must be a text'],
    [one({ kind: 'node' }), 'metrics[0].kind must be one of pods, object, external'],
    [one({ kind: 'object' }), 'metrics[0].resource must be a text'],
    [one({ query: 'q' }), 'metrics[0].query must hold <<labels>>, where the labels go that choose what is asked for'],
    [one({ windowSeconds: 0 }), 'metrics[0].windowSeconds must be a whole number of seconds'],
    [one({ labels: { object: 'a-b' } }), 'metrics[0].labels.object must be the name of a label'],
    [one({ labels: { pod: 'a' } }), 'metrics[0].labels.pod is not known'],
    [one({ promql: 'q' }), 'metrics[0].promql is not known'],
    [
      JSON.stringify({ metrics: [JSON.parse(one({})).metrics[0], JSON.parse(one({})).metrics[0]] }),
      'there are two rules for the metric q of external',
    ],
  ])('%s is refused', (text, message) => {
    expect(() => parseRules(text)).toThrow(message)
  })
})

describe('a query', () => {
  const rule = (labels: MetricRule['labels'], query = 'm{<<labels>>}'): MetricRule => ({
    name: 'm',
    kind: 'pods',
    resource: 'pods',
    query,
    labels,
    windowSeconds: undefined,
  })
  const usual = { namespace: 'namespace', object: 'pod' }
  const wanted = (more: Partial<Wanted>): Wanted => ({ namespace: 'ns', names: ['a'], selector: '', ...more })

  test.each([
    [rule(usual), wanted({}), 'm{namespace="ns",pod="a"}'],
    [rule(usual), wanted({ names: ['a', 'b.c'] }), 'm{namespace="ns",pod=~"a|b\\\\.c"}'],
    [rule({ ...usual, namespace: '' }), wanted({ names: undefined }), 'm{}'],
    [rule(usual), wanted({ namespace: '' }), 'm{pod="a"}'],
    [
      rule(usual),
      wanted({ names: undefined, selector: 'a=1,b!=2,c in (3,4),d notin (5,6),e,!f' }),
      'm{namespace="ns",a="1",b!="2",c=~"3|4",d!~"5|6",e!="",f=""}',
    ],
    [rule(usual, 'x{<<labels>>} / y{<<labels>>}'), wanted({}), 'x{namespace="ns",pod="a"} / y{namespace="ns",pod="a"}'],
    // What looks like a part of a replacement is none.
    [rule({ ...usual, namespace: '' }), wanted({ names: ['$&'] }), 'm{pod="$&"}'],
  ])('%#', (one, asked, query) => {
    expect(queryFor(one, asked)).toBe(query)
  })

  test('is refused for labels that no series can have', () => {
    expect(() => queryFor(rule(usual), wanted({ selector: 'app.kubernetes.io/name=x' }))).toThrow(
      '"app.kubernetes.io/name" cannot be a label of a series in Prometheus',
    )
  })
})
