import { describe, expect, test } from 'vitest'
import { fitMessage } from './fit-error.ts'
import { noRefusals, refusalsByName } from './node-refusals.ts'
import { refusal } from './refusal.ts'

const because = (...reasons: string[]) => refusal('P', 'Unschedulable', ...reasons)

describe('the message of a pod that fits nowhere', () => {
  test('counts the nodes for each reason, sorted as text', () => {
    const perNode = refusalsByName(
      new Map([
        ['a', because('Insufficient memory', 'Insufficient cpu')],
        ['b', because('Insufficient cpu')],
        ['c', because('node(s) had untolerated taint(s)')],
      ]),
    )
    expect(fitMessage({ nodeCount: 3, diagnosis: { perNode } })).toBe(
      '0/3 nodes are available: 1 Insufficient memory, 1 node(s) had untolerated taint(s), 2 Insufficient cpu.',
    )
  })

  test('counts the nodes that were not looked at', () => {
    const diagnosis = { perNode: refusalsByName(new Map([['a', because('x')]])), others: because('y') }
    expect(fitMessage({ nodeCount: 5, diagnosis })).toBe('0/5 nodes are available: 1 x, 4 y.')
  })

  test('says once why the pod was refused as a whole', () => {
    const preFilter = because('pod affinity terms conflict')
    const diagnosis = { perNode: noRefusals, others: preFilter }
    expect(fitMessage({ nodeCount: 5, diagnosis, preFilter })).toBe(
      '0/5 nodes are available: pod affinity terms conflict.',
    )
  })

  test('ends with what was done about it', () => {
    const diagnosis = { perNode: refusalsByName(new Map([['a', because('x')]])) }
    expect(fitMessage({ nodeCount: 1, diagnosis, postFilterMessage: 'preemption: no' })).toBe(
      '0/1 nodes are available: 1 x. preemption: no',
    )
  })
})
