import { expect, test } from 'vitest'
import { cpuText, memoryText } from './amounts.ts'
import { barOf, type NodeObject, podsByNode } from './node-map.ts'
import type { PodObject } from './pods.ts'

const node = (cpu: string): NodeObject =>
  ({
    metadata: { name: 'n' },
    status: { allocatable: { cpu, memory: '4Gi' }, conditions: [{ type: 'Ready', status: 'True' }] },
  }) as unknown as NodeObject
const pod = (name: string, cpu?: string, phase = 'Running', nodeName = 'n'): PodObject =>
  ({
    metadata: { name, namespace: 'web' },
    spec: { nodeName, containers: [{ name: 'main', ...(cpu ? { resources: { requests: { cpu } } } : {}) }] },
    status: { phase },
  }) as unknown as PodObject
const uses = (cores: Record<string, number>) =>
  new Map(Object.entries(cores).map(([name, cpuCores]) => [`web/${name}`, { cpuCores, memoryBytes: 0 }]))

test('a pod is as wide as what it asks for, and filled as far as it uses it', () => {
  const bar = barOf(node('4'), [pod('b', '1'), pod('a', '2')], 'cpuCores', 8, uses({ a: 1, b: 2 }))
  expect(bar).toMatchObject({ size: 0.5, ready: true, requested: { cpuCores: 3 } })
  expect(bar.pieces.map(({ pod: { metadata }, left, width, use }) => [metadata.name, left, width, use])).toEqual([
    ['a', 0, 0.5, 0.5],
    ['b', 0.5, 0.25, 2],
  ])
})

test('a pod that asks for nothing is as wide as what it uses, and can be seen even so', () => {
  const { pieces } = barOf(node('4'), [pod('a'), pod('b')], 'cpuCores', 4, uses({ a: 1 }))
  expect(pieces.map(({ width, use }) => [width, use])).toEqual([
    [0.25, 1],
    [0.004, undefined],
  ])
})

test('many pods share the width there is', () => {
  const many = Array.from({ length: 500 }, (_, i) => pod(`p${i}`))
  const { pieces } = barOf(node('4'), many, 'cpuCores', 4, new Map())
  expect(pieces.reduce((total, { width }) => total + width, 0)).toBeCloseTo(1)
})

test('pods without a node, and those that are over, take no place', () => {
  const byNode = podsByNode([pod('a'), pod('b', '1', 'Succeeded'), pod('c', '1', 'Pending', '')])
  expect([...byNode].map(([name, pods]) => [name, pods.length])).toEqual([['n', 1]])
})

test.each([
  [cpuText(0), '0'],
  [cpuText(0.0031), '3m'],
  [cpuText(0.253), '250m'],
  [cpuText(1.46), '1.5'],
  [cpuText(31.6), '32'],
  [memoryText(512), '512 B'],
  [memoryText(1.5 * 2 ** 30), '1.5 Gi'],
  [memoryText(200 * 2 ** 20), '200 Mi'],
])('%s is %s', (text, wanted) => {
  expect(text).toBe(wanted)
})
