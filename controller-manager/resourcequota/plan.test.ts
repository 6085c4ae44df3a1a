import { expect, test } from 'vitest'
import { quotaEvaluator } from '../../api/core/quota/evaluators.ts'
import type { ResourceQuota } from '../../api/generated/types.ts'
import type { AnyObject } from '../../api/machinery/object.ts'
import type { Live } from '../../client/types.ts'
import { type Counted, changesUsage, planQuotaStatus } from './plan.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')

function quota(hard: Record<string, string>, status: object = {}, spec: object = {}): Live<ResourceQuota> {
  return { metadata: { name: 'q', namespace: 'default' }, spec: { hard, ...spec }, status }
}

function counted(group: string, plural: string, ...objects: object[]): Counted {
  const evaluator = quotaEvaluator(group, plural)
  if (!evaluator) throw new Error(`${plural} are not counted`)
  return { evaluator, objects: objects as AnyObject[] }
}

const pod = (cpu: string, more: object = {}) => ({
  metadata: {},
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...more },
})

test('all objects of the quota’s scopes are added up', () => {
  const status = planQuotaStatus(
    quota({ pods: '5', 'requests.cpu': '2', secrets: '1' }, {}, { scopes: ['NotTerminating'] }),
    [counted('', 'pods', pod('500m'), pod('250m'), pod('1', { activeDeadlineSeconds: 1 }))],
    nowMs,
  )
  expect(status).toEqual({
    hard: { pods: '5', 'requests.cpu': '2', secrets: '1' },
    used: { pods: '2', 'requests.cpu': '750m' },
  })
})

test('what cannot be counted now keeps its last count, and what is limited no longer goes', () => {
  const standing = {
    hard: { pods: '1', 'count/widgets.example.com': '9' },
    used: { 'count/widgets.example.com': '3', pods: '1' },
  }
  expect(planQuotaStatus(quota({ 'count/widgets.example.com': '9' }, standing), [], nowMs)).toEqual({
    hard: { 'count/widgets.example.com': '9' },
    used: { 'count/widgets.example.com': '3' },
  })
})

test('nothing is written when nothing has changed, however it is spelled', () => {
  const standing = { hard: { 'requests.cpu': '2' }, used: { 'requests.cpu': '1000m' } }
  expect(planQuotaStatus(quota({ 'requests.cpu': '2' }, standing), [counted('', 'pods', pod('1'))], nowMs)).toBe(
    undefined,
  )
})

test('a pod that ends, shrinks or gets a deadline changes what it uses; one that starts does not', () => {
  const { evaluator } = counted('', 'pods')
  const changes = (after: object, spec: object = {}) =>
    changesUsage(quota({ pods: '1' }, {}, spec), evaluator, pod('1') as AnyObject, after as AnyObject, nowMs)
  expect(changes({ ...pod('1'), status: { phase: 'Succeeded' } })).toBe(true)
  expect(changes(pod('500m'))).toBe(true)
  expect(changes(pod('1', { activeDeadlineSeconds: 5 }), { scopes: ['NotTerminating'] })).toBe(true)
  expect(changes({ ...pod('1'), status: { phase: 'Running' } })).toBe(false)
})
