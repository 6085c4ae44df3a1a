import { describe, expect, test } from 'vitest'
import type { PodSpec } from '../../api/generated/types.ts'
import { digestOf } from './contents.ts'
import { contentsUsed, parseDigests, planRestart } from './plan.ts'

const template = (spec: Partial<PodSpec>) => ({ spec: { containers: [], ...spec } })
const uses = (...names: string[]) =>
  template({ containers: [{ name: 'c', envFrom: names.map((name) => ({ configMapRef: { name } })) }] })

describe('what a template uses', () => {
  test('is what reaches its containers, by whatever way', () => {
    const env = [
      { name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'a' } } },
      { name: 'B', valueFrom: { configMapKeyRef: { name: 'env', key: 'b' } } },
    ]
    const used = contentsUsed(
      template({
        initContainers: [{ name: 'i', env }],
        containers: [{ name: 'c', envFrom: [{ secretRef: { name: 'from' } }] }],
        volumes: [
          { name: 'a', configMap: { name: 'volume' } },
          {
            name: 'b',
            projected: { sources: [{ secret: { name: 'projected' } }, { configMap: { name: 'projected' } }] },
          },
          { name: 'c', persistentVolumeClaim: { claimName: 'no' } },
        ],
        imagePullSecrets: [{ name: 'no' }],
        serviceAccountName: 'no',
      }),
    )
    expect(used.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'secrets env',
      'configmaps env',
      'secrets from',
      'configmaps volume',
      'secrets projected',
      'configmaps projected',
    ])
  })
})

describe('a workload that is restarted on changes', () => {
  const now =
    (digests: Record<string, string>) =>
    (_: string, name: string): string | undefined =>
      digests[name]

  test.each([
    ['remembers what it starts with', uses('a'), {}, { a: '1' }, { 'configmap/a': '1' }, []],
    ['knows what has not changed', uses('a'), { 'configmap/a': '1' }, { a: '1' }, undefined, []],
    [
      'sees a change',
      uses('a', 'b'),
      { 'configmap/a': '1', 'configmap/b': '2' },
      { a: '1', b: '3' },
      { 'configmap/a': '1', 'configmap/b': '3' },
      ['configmap/b'],
    ],
    [
      'starts with what is new to it',
      uses('a', 'b'),
      { 'configmap/a': '1' },
      { a: '1', b: '2' },
      { 'configmap/a': '1', 'configmap/b': '2' },
      [],
    ],
    ['keeps what is gone in mind', uses('a'), { 'configmap/a': '1' }, {}, undefined, []],
    ['forgets what it no longer uses', uses(), { 'configmap/a': '1' }, { a: '2' }, {}, []],
  ])('%s', (_, used, remembered, contents, digests, changed) => {
    expect(planRestart(used, remembered as Record<string, string>, now(contents as Record<string, string>))).toEqual({
      digests,
      changed,
    })
  })

  test('remembers nothing where nonsense is written', () => {
    for (const text of [undefined, '', 'x', '[1]', 'null', '{"a": 1}']) expect(parseDigests(text)).toEqual({})
    expect(parseDigests('{"configmap/a": "1"}')).toEqual({ 'configmap/a': '1' })
  })
})

test('a digest tells contents apart, not the order of keys', () => {
  const digests = [
    { data: { a: '1', b: '2' } },
    { data: { b: '2', a: '1' } },
    { data: { a: '1' } },
    { binaryData: { a: '1' } },
    {},
  ].map(digestOf)
  expect(digests[0]).toBe(digests[1])
  expect(new Set(digests).size).toBe(4)
})
