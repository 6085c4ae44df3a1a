import { expect, test } from 'vitest'
import { refusalsByName } from '../framework/node-refusals.ts'
import { type Refusal, refusal } from '../framework/refusal.ts'
import { podInfo } from '../testing/builders.ts'
import { Decisions, type Kept, refusedNodes } from './decisions.ts'

const kept = (uid: string, more: Partial<Kept> = {}): Kept => ({
  uid,
  at: Date.parse('2026-01-01T00:00:00Z'),
  result: 'scheduled',
  nodeName: 'a',
  nodes: 3,
  evaluated: 3,
  feasible: 2,
  ...more,
})

test('scores are told by node and plugin', () => {
  const decisions = new Decisions()
  const best = { plugins: ['Fit', 'Spread'], nodes: ['a', 'b'], scores: [30, 10, 20, 15, 5, 10] }
  decisions.set(podInfo({ name: 'web' }), kept('1', { best }))
  expect(decisions.get('default/web')).toEqual({
    uid: '1',
    at: '2026-01-01T00:00:00Z',
    result: 'scheduled',
    nodeName: 'a',
    nodes: 3,
    evaluated: 3,
    feasible: 2,
    best: [
      { node: 'a', total: 30, scores: { Fit: 10, Spread: 20 } },
      { node: 'b', total: 15, scores: { Fit: 5, Spread: 10 } },
    ],
  })
})

test('of very many pods, the last decisions are kept', () => {
  const decisions = new Decisions(2)
  for (const name of ['one', 'two', 'one', 'three']) decisions.set(podInfo({ name }), kept(name))
  expect(['one', 'two', 'three'].filter((name) => decisions.get(`default/${name}`))).toEqual(['one', 'three'])
})

test('a pod of the same name is another one', () => {
  const decisions = new Decisions()
  decisions.set(podInfo({ name: 'web' }), kept('new'))
  expect(decisions.get('default/web', 'old')).toBeUndefined()
  decisions.delete(podInfo({ name: 'web', uid: 'old' }))
  expect(decisions.get('default/web', 'new')?.uid).toBe('new')
  decisions.delete(podInfo({ name: 'web', uid: 'new' }))
  expect(decisions.get('default/web')).toBeUndefined()
})

test('nodes that are refused alike are told together, with some of their names', () => {
  const full = refusal('Fit', 'Unschedulable', 'Insufficient cpu')
  const tainted = refusal('Taints', 'UnschedulableAndUnresolvable', 'tainted')
  const perNode = new Map<string, Refusal>([['t', tainted]])
  for (const name of ['a', 'b', 'c', 'd']) perNode.set(name, full)
  expect(refusedNodes(refusalsByName(perNode))).toEqual([
    { plugin: 'Fit', reasons: ['Insufficient cpu'], nodes: 4, examples: ['a', 'b', 'c'] },
    { plugin: 'Taints', reasons: ['tainted'], nodes: 1, examples: ['t'] },
  ])
})
