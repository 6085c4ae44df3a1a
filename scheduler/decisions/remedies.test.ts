import { expect, test } from 'vitest'
import { FakeClock } from '../../client/testing/fake-clock.ts'
import { Cache } from '../cache/cache.ts'
import { Framework } from '../framework/framework.ts'
import { newNodeAffinity } from '../plugins/node-affinity.ts'
import { newNodeResourcesFit } from '../plugins/node-resources-fit.ts'
import { taintToleration } from '../plugins/taint-toleration.ts'
import { Nominations } from '../queue/nominations.ts'
import { type NodeParts, node, type PodParts, podInfo } from '../testing/builders.ts'
import { judge } from './judge.ts'
import { remedies } from './remedies.ts'

const zoned = (name: string, zone: string, parts: NodeParts = {}): NodeParts => ({
  name,
  labels: { 'topology.kubernetes.io/zone': zone },
  ...parts,
})

function advice(nodes: readonly NodeParts[], parts: PodParts): string[] {
  const cache = new Cache(new FakeClock())
  for (const each of nodes) cache.setNode(node(each))
  const plugins = [taintToleration, newNodeAffinity(), newNodeResourcesFit(cache.columns)]
  const framework = new Framework(
    plugins.map((plugin) => ({ plugin, weight: 1 })),
    new Nominations(),
  )
  const pod = podInfo(parts)
  return remedies(pod, judge(framework, cache, pod).verdicts, cache.columns)
}

test('all that one node lacks is said together, of the node that lacks the least', () => {
  const nodes = [
    { name: 'a', cpu: '1', memory: '1Gi' },
    { name: 'b', cpu: '3', memory: '3Gi' },
  ]
  expect(advice(nodes, { cpu: '4', memory: '4Gi' })).toEqual([
    '1 more cpu and 1Gi more memory on b (3 of 3 is free, the pod asks for 4; 3Gi of 3Gi is free, the pod asks for 4Gi)',
  ])
})

test('nodes that lack one thing come before those that lack two', () => {
  const nodes = [
    { name: 'a', cpu: '3', memory: '3Gi' },
    { name: 'b', cpu: '1', memory: '8Gi' },
  ]
  expect(advice(nodes, { cpu: '4', memory: '4Gi' }).map((line) => line.split(' (')[0])).toEqual([
    '3 more cpu on b',
    '1 more cpu and 1Gi more memory on a',
  ])
})

test('where only one of several zones comes into question, the zone is named', () => {
  const nodes = [zoned('a', 'a', { cpu: '8' }), zoned('b1', 'b', { cpu: '1' }), zoned('b2', 'b', { cpu: '2' })]
  const parts = { cpu: '4', nodeSelector: { 'topology.kubernetes.io/zone': 'b' } }
  expect(advice(nodes, parts)[0]).toBe(
    '2 more cpu on any node in zone b, such as b2 (2 of 2 is free, the pod asks for 4)',
  )
})

test('a taint is named with the node it would have to go from', () => {
  const taints = [{ key: 'dedicated', value: 'db', effect: 'NoSchedule' }]
  expect(
    advice(
      [
        { name: 'y', taints },
        { name: 'z', cpu: '0', taints },
      ],
      { cpu: '1' },
    ),
  ).toEqual(['a toleration of the taint dedicated=db:NoSchedule, or the taint taken from y'])
})
